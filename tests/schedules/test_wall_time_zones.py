"""Calendar arithmetic at every change of clocks there is: slots, copied weeks, quiet hours, blackouts."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
import time_machine
from flask import Flask
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cms.core.db import transaction
from cms.core.errors import Invalid
from schedules import blackouts, calendars, copying, slots
from schedules.blackouts import BlackoutFields, Edge
from schedules.models import Calendar
from schedules.wall_time import monday_of, settle, shown
from tests.schedules.planning import World

NOT_OFFERED = {"localtime", "Factory"}  # whatever this machine is set to, and nowhere
ZONES = sorted(available_timezones() - NOT_OFFERED)
EVERY_ZONE_IN = (2011, 2026)  # the first is the year in which Samoa left a day out
DAY, WEEK, MINUTE = timedelta(days=1), timedelta(days=7), timedelta(minutes=1)


@dataclass(frozen=True)
class Change:
    """The instant at which a zone's clocks are set, and by how much; back when negative."""

    zone: str
    at: datetime
    by: timedelta

    @property
    def told(self) -> datetime:
        """What clocks show at that instant, or would show had they not been set."""
        before = (self.at - timedelta(seconds=1)).astimezone(ZoneInfo(self.zone))
        return before.replace(tzinfo=None) + timedelta(seconds=1)

    @property
    def odd(self) -> list[datetime]:
        """Wall times that are skipped, or shown twice: the first, one in the middle, the last."""
        begins, ends = sorted((self.told, self.told + self.by))
        begins = _whole_minute(begins)
        return sorted({begins, _whole_minute(begins + (ends - begins) / 2), ends - MINUTE})


def _whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


@lru_cache(maxsize=4096)
def changes(zone: str, year: int) -> tuple[Change, ...]:
    """Found by looking at every day and halving: nothing of ours is asked."""
    where = ZoneInfo(zone)
    days = [datetime(year, 1, 1, tzinfo=UTC) + number * DAY for number in range(366)]
    offsets = [day.astimezone(where).utcoffset() for day in days]
    return tuple(
        _between(where, days[number], days[number + 1])
        for number in range(365)
        if offsets[number] != offsets[number + 1]
    )


def _between(where: ZoneInfo, low: datetime, high: datetime) -> Change:
    old, new = low.astimezone(where).utcoffset(), high.astimezone(where).utcoffset()
    assert old is not None
    assert new is not None
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if middle.astimezone(where).utcoffset() == old else (low, middle)
    return Change(str(where), high, new - old)


@st.composite
def any_change(draw: st.DrawFn) -> Change:
    """One of any zone and year; zones that keep their clocks are left out."""
    found = changes(draw(st.sampled_from(ZONES)), draw(st.integers(2000, 2099)))
    assume(found)
    return draw(st.sampled_from(found))


def check(change: Change) -> None:
    """Around one change: what is shown once comes back, what is skipped or shown twice is asked."""
    for steps in (-1440, -61, -1, 0, 1, 61, 1440):
        instant = _whole_minute(change.at) + steps * MINUTE
        seen = shown(instant, change.zone)
        assert settle(seen.on, seen.at, change.zone, fold=seen.fold).instant == instant
    for wall in change.odd:
        (skipped if change.by > timedelta(0) else twice)(change, wall)


def skipped(change: Change, wall: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        settle(wall.date(), wall.time(), change.zone)
    assert refused.value.problem.code == "time_does_not_exist"
    told = refused.value.problem.params
    before, after = (datetime.fromisoformat(told[name]) for name in ("before", "after"))
    assert before < wall < after
    early = settle(before.date(), before.time(), change.zone, fold=0).instant
    late = settle(after.date(), after.time(), change.zone, fold=0).instant
    assert early < change.at <= late
    assert late - early <= 2 * MINUTE, "there is a nearer time than those told"


def twice(change: Change, wall: datetime) -> None:
    with pytest.raises(Invalid) as asked:
        settle(wall.date(), wall.time(), change.zone)
    assert asked.value.problem.code == "time_ambiguous"
    first, second = (
        settle(wall.date(), wall.time(), change.zone, fold=fold).instant for fold in (0, 1)
    )
    assert first < change.at <= second
    assert second - first == -change.by
    for instant, fold in ((first, 0), (second, 1)):
        seen = shown(instant, change.zone)
        assert (datetime.combine(seen.on, seen.at), seen.fold) == (wall, fold)


@pytest.mark.parametrize("year", EVERY_ZONE_IN)
def test_every_zone_at_every_change_of_a_year(year: int) -> None:
    found = [change for zone in ZONES for change in changes(zone, year)]
    assert len(found) > 250
    for change in found:
        check(change)


@settings(max_examples=300, deadline=None)
@given(any_change())
def test_any_zone_at_any_change_of_a_century(change: Change) -> None:
    check(change)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.integers(2000, 2099), st.times(), st.integers(0, 364))
def test_wall_to_instant_to_wall(zone: str, year: int, at: time, number: int) -> None:
    on, at = date(year, 1, 1) + number * DAY, at.replace(second=0, microsecond=0)
    near = [abs(change.told - datetime.combine(on, at)) for change in changes(zone, year)]
    assume(all(distance > 2 * DAY for distance in near))
    moment = settle(on, at, zone)
    assert (shown(moment.instant, zone).on, shown(moment.instant, zone).at) == (on, at)
    assert moment.fold == 0


@pytest.mark.parametrize(
    ("zone", "year", "by"),
    [
        ("Australia/Lord_Howe", 2026, [-30, 30]),  # half an hour, from the south
        ("Europe/Dublin", 2026, [60, -60]),  # its summer is standard time: winter is the exception
        ("Antarctica/Troll", 2026, [120, -120]),
        ("Pacific/Apia", 2011, [-60, 60, 1440]),  # summer time, and a day that never was
        ("Africa/Casablanca", 2026, [-60, 60]),  # goes back for Ramadan
        ("Asia/Shanghai", 2026, []),
    ],
)
def test_the_odd_ones_are_as_odd_as_they_are_said_to_be(zone: str, year: int, by: list) -> None:
    """The tests here are worth something only while the zone files hold such clocks."""
    found = [change.by // MINUTE for change in changes(zone, year)]
    assert found == by
    winter = datetime(2026, 1, 15, tzinfo=ZoneInfo("Europe/Dublin"))
    assert winter.dst() is not None
    assert winter.utcoffset() == timedelta(0)


@pytest.mark.parametrize("name", sorted(NOT_OFFERED))
def test_what_is_no_place_is_no_zone(name: str) -> None:
    with pytest.raises(Invalid):
        settle(date(2026, 5, 18), time(8), name)


ODD = [
    ("Europe/Berlin", 2027),
    ("Australia/Lord_Howe", 2027),
    ("Antarctica/Troll", 2027),
    ("Europe/Dublin", 2027),
    ("Africa/Cairo", 2027),  # at midnight
    ("Pacific/Apia", 2011),
]
EACH_CHANGE = [
    pytest.param(change, id=f"{zone}{change.told:-%Y-%m-%d}")
    for zone, year in ODD
    for change in changes(zone, year)
]


@pytest.mark.parametrize("change", EACH_CHANGE)
def test_a_recurring_slot_keeps_its_wall_time(app: Flask, change: Change) -> None:
    """Two weeks with the change in between: the minute on the wall stays, the hours between do not."""
    world, odd = World(timezone=change.zone), change.odd[0]
    with transaction():
        for at in (time(20, 30), odd.time()):
            slots.add(world.calendar, world.account, weekday=odd.weekday(), wall_time=at, by=None)
    monday = monday_of(odd.date())
    times = {
        (slot.place.at, slot.place.on): slot.instant
        for week in (monday - WEEK, monday, monday + WEEK)
        for slot in slots.of_week(world.calendar, week)
        if slot.place.pool_id == world.pool.id
    }
    for (at, on), instant in times.items():
        if instant is None:
            assert change.by > timedelta(0)
            assert datetime.combine(on, at) in _gap(change)
        else:
            local = instant.astimezone(world.zone)
            assert (local.date(), local.time()) == (on, at)
    before, after = (times[time(20, 30), odd.date() + week] for week in (-WEEK, WEEK))
    assert before is not None
    assert after is not None
    assert after - before == 2 * WEEK - change.by
    met = times[odd.time(), odd.date()]
    if change.by > timedelta(0):
        assert met is None, "its clocks skip it"
    else:
        assert met is not None
        assert met < change.at, "shown twice, the first showing is meant"


def _gap(change: Change) -> set[datetime]:
    return {change.told + number * MINUTE for number in range(change.by // MINUTE)}


@pytest.mark.parametrize("change", [one for one in EACH_CHANGE if one.values[0].at.year > 2020])
def test_a_copied_week_keeps_its_wall_times_over_a_change(app: Flask, change: Change) -> None:
    with time_machine.travel(change.at - 4 * WEEK, tick=False):
        world, odd = World(timezone=change.zone), change.odd[0]
        source, target = monday_of(odd.date()) - WEEK, monday_of(odd.date())
        first = world.plan(on=source, at=time(20, 30))
        last = world.plan(on=source + 6 * DAY, at=time(21, 30))
        met = world.plan(on=odd.date() - WEEK, at=odd.time(), pool=world.other_pool)
        with transaction():
            report = copying.copy_week(world.calendar, source, target, by=world.planner)
    assert [one.source for one in report.copied] == [first, last]
    for one, lasts in zip(report.copied, (WEEK, WEEK - change.by), strict=True):
        assert one.made is not None
        assert (one.on, one.made.wall_time) == (one.source.wall_date + WEEK, one.source.wall_time)
        assert one.made.publish_at - one.source.publish_at == lasts
    [left] = report.skipped
    code = "time_does_not_exist" if change.by > timedelta(0) else "time_ambiguous"
    assert (left.post, left.problem.code) == (met, code)


def quiet(change: Change, begins: time, ends: time) -> Calendar:
    return Calendar(timezone=change.zone, quiet_from=begins, quiet_until=ends)


def minute_of_day(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)


@settings(max_examples=300, deadline=None)
@given(any_change(), st.integers(0, 1439), st.integers(1, 1439), st.integers(-40, 40))
def test_no_clock_shows_a_quiet_minute_that_is_not_quiet(
    change: Change, start: int, lasts: int, hours: int
) -> None:
    """Around any change, over midnight or not: whoever reads the wall finds the promise kept.

    The other way round it holds as well once the change is a day away; nearer, the longer night wins.
    """
    begins, ends = minute_of_day(start), minute_of_day(start + lasts)
    calendar = quiet(change, begins, ends)
    instant = _whole_minute(change.at) + timedelta(hours=hours, minutes=hours % 7)
    at = instant.astimezone(ZoneInfo(change.zone)).time()
    is_inside = begins <= at < ends if begins < ends else at >= begins or at < ends
    if is_inside:
        assert calendars.is_quiet(calendar, instant)
    elif abs(instant - change.at) > DAY + abs(change.by):
        assert not calendars.is_quiet(calendar, instant)


@pytest.mark.parametrize("change", EACH_CHANGE)
def test_a_blackout_over_midnight_and_a_change_lasts_as_the_clocks_say(
    app: Flask, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From ten at night to nine: eleven hours on the wall, and on that night more or fewer."""
    here = type("Settings", (), {"timezone": change.zone})
    monkeypatch.setattr("schedules.blackouts.current", lambda: here)
    evening = (change.told - timedelta(hours=12)).date()
    morning = (change.told + change.by + timedelta(hours=12)).date()
    with time_machine.travel(change.at - WEEK, tick=False), transaction():
        made = blackouts.add(
            BlackoutFields(Edge(evening, time(22)), Edge(morning, time(9)), "night"), by=None
        )
    on_the_wall = datetime.combine(morning, time(9)) - datetime.combine(evening, time(22))
    assert made.ends_at - made.starts_at == on_the_wall - change.by
    for moment, at in ((made.starts_at, time(22)), (made.ends_at, time(9))):
        assert moment.astimezone(ZoneInfo(change.zone)).time() == at
