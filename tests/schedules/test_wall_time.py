"""Wall time and instant, over every zone there is."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms.core.clock import now
from cms.core.errors import Invalid
from schedules import wall_time
from schedules.wall_time import settle, shown

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
MINUTES = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)


def refusal(on: date, at: time, zone: str, **choice: int) -> tuple[str, dict[str, object]]:
    with pytest.raises(Invalid) as refused:
        settle(on, at, zone, **choice)
    return refused.value.problem.code, dict(refused.value.problem.params)


@settings(max_examples=600, deadline=None)
@given(wall=MINUTES, zone=st.sampled_from(ZONES), fold=st.sampled_from([0, 1]))
def test_what_is_accepted_is_what_clocks_show_and_the_rest_is_skipped(wall, zone, fold):
    try:
        moment = settle(wall.date(), wall.time(), zone, fold=fold)
    except Invalid as error:
        moment, code = None, error.problem.code
    if moment is None:
        assert code == "time_does_not_exist"
        assert wall not in showings_near(wall, zone)
        return
    local = moment.instant.astimezone(ZoneInfo(zone))
    assert (local.replace(tzinfo=None), local.fold) == (wall, moment.fold)


def showings_near(wall: datetime, zone: str) -> set[datetime]:
    """Every minute the zone's clocks show in the four days around, found without any cleverness."""
    start = wall.replace(tzinfo=UTC) - timedelta(days=2)
    minutes = (start + timedelta(minutes=step) for step in range(4 * 24 * 60))
    return {minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for minute in minutes}


@settings(max_examples=600, deadline=None)
@given(
    instant=st.datetimes(datetime(2000, 1, 3), datetime(2099, 12, 29), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(second=0, microsecond=0)
    ),
    zone=st.sampled_from(ZONES),
)
def test_every_instant_comes_back_from_what_clocks_show(instant, zone):
    seen = shown(instant, zone)
    assert settle(seen.on, seen.at, zone, fold=seen.fold).instant == instant


@pytest.mark.parametrize(
    ("zone", "skipped", "before", "after"),
    [
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:59", "2026-03-29 03:00"),
        ("America/New_York", "2026-03-08 02:00", "2026-03-08 01:59", "2026-03-08 03:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-04 01:59", "2026-10-04 02:30"),
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-29 23:59", "2011-12-31 00:00"),
        ("Africa/Cairo", "2026-04-24 00:15", "2026-04-23 23:59", "2026-04-24 01:00"),
    ],
)
def test_a_skipped_time_names_both_neighbours(zone, skipped, before, after):
    moment = datetime.fromisoformat(skipped)
    code, told = refusal(moment.date(), moment.time(), zone)
    assert code == "time_does_not_exist"
    assert (told["before"], told["after"]) == (before, after)
    for neighbour in (before, after):  # both can be used as they are told
        near = datetime.fromisoformat(neighbour)
        settle(near.date(), near.time(), zone, fold=0)


@pytest.mark.parametrize(
    ("zone", "twice", "apart"),
    [
        ("Europe/Berlin", "2026-10-25 02:30", 60),
        ("Australia/Lord_Howe", "2026-04-05 01:45", 30),
        ("America/Sao_Paulo", "2018-02-17 23:30", 60),
    ],
)
def test_a_time_shown_twice_is_asked(zone, twice, apart):
    moment = datetime.fromisoformat(twice)
    code, told = refusal(moment.date(), moment.time(), zone)
    assert code == "time_ambiguous"
    assert told["first"] != told["second"]
    first, second = (settle(moment.date(), moment.time(), zone, fold=fold) for fold in (0, 1))
    assert second.instant - first.instant == timedelta(minutes=apart)


def test_ordinary_times_have_no_fold():
    assert settle(date(2026, 5, 18), time(20, 30), "Asia/Shanghai", fold=1).fold == 0


@pytest.mark.parametrize("year", [1999, 2101, 9999, 1])
def test_years_nobody_plans_are_bad_times(year):
    assert refusal(date(year, 5, 18), time(8), "Asia/Shanghai")[0] == "bad_time"


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("Asia/Shanghia", "Asia/Shanghai"),
        ("shanghai", "Asia/Shanghai"),
        ("Berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
    ],
)
def test_an_unknown_zone_is_told_its_nearest_names(typed, near):
    code, told = refusal(date(2026, 5, 18), time(8), typed)
    assert code == "bad_zone"
    assert near in str(told["near"])


@pytest.mark.parametrize("name", ["", "../etc/passwd", "posix", "Asia", "\x00", "上海", "Factory"])
def test_what_is_no_zone_is_refused(name):
    assert refusal(date(2026, 5, 18), time(8), name)[0] == "bad_zone"


@pytest.mark.parametrize(
    "text", ["2026-02-30", "0000-01-01", "9999-12-31", "18.5.2026", "", "2026-05-1８", "2026-13-01"]
)
def test_bad_days(text):
    with pytest.raises(Invalid) as refused:
        wall_time.parse_date(text)
    assert refused.value.problem.code == "bad_time"


@pytest.mark.parametrize("text", ["24:00", "8", "08:60", "evening", "", "20:30:15", "-1:00"])
def test_bad_minutes(text):
    with pytest.raises(Invalid) as refused:
        wall_time.parse_time(text)
    assert refused.value.problem.code == "bad_time"


def test_a_time_that_is_over_is_refused():
    past = shown(now() - timedelta(minutes=1), "Asia/Shanghai")
    with pytest.raises(Invalid) as refused:
        wall_time.refuse_past(past)
    assert refused.value.problem.code == "time_in_past"
    wall_time.refuse_past(shown(now() + timedelta(minutes=1), "Asia/Shanghai"))
