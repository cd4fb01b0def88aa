"""Wall time and instant: what a calendar's clock shows, and which moment that is."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cms.core.clock import now
from cms.core.errors import Invalid, Problem, invalid
from cms.core.i18n import N_

FIRST_YEAR, LAST_YEAR = 2000, 2100
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?")
_MINUTE = timedelta(minutes=1)
_BAD_TIME = N_("Write a day as 2026-05-18 and a time as 20:30, between the years 2000 and 2100.")


@dataclass(frozen=True)
class Moment:
    """An instant together with how people said it; `fold` 1 is the second time a clock shows it."""

    on: date
    at: time
    zone: str
    fold: int
    instant: datetime


def settle(on: date, at: time, zone: str, *, fold: int | None = None) -> Moment:
    """The instant at which the zone's clocks show that time.

    Raises Invalid: `time_does_not_exist` with both neighbours, `time_ambiguous` unless `fold`
    says which of the two is meant, `bad_time`, `bad_zone`.
    """
    where = zone_of(zone)
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise invalid("wall_date", "bad_time", _BAD_TIME)
    first = datetime.combine(on, at.replace(tzinfo=None, fold=0), tzinfo=where)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return Moment(on, at, zone, 0, first.astimezone(UTC))
    if not _is_shown(first):
        raise _skipped(first, second)
    if fold not in (0, 1):
        raise _ambiguous(first, second)
    chosen = second if fold else first
    return Moment(on, at, zone, fold, chosen.astimezone(UTC))


def boundary(on: date, at: time, zone: str, *, is_end: bool) -> datetime:
    """When a span that begins or ends at that time does so: never asks, always errs on the longer span.

    A time shown twice begins a span the first time and ends it the second; one that clocks skip
    stands for the jump itself.
    """
    where = zone_of(zone)
    first = datetime.combine(on, at.replace(tzinfo=None, fold=0), tzinfo=where)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if not _is_shown(first):
        return _transition(second.astimezone(UTC), first.astimezone(UTC), where)
    return (second if is_end else first).astimezone(UTC)


def shown(instant: datetime, zone: str) -> Moment:
    """What the zone's clocks show at the instant."""
    local = instant.astimezone(zone_of(zone))
    return Moment(local.date(), local.time().replace(fold=0), zone, local.fold, instant)


def refuse_past(moment: Moment) -> None:
    """Raise Invalid `time_in_past` for a moment that is over."""
    if moment.instant <= now():
        raise invalid(
            "wall_time",
            "time_in_past",
            N_("%(at)s on %(on)s is over. Choose a later time, or have it published now."),
            at=f"{moment.at:%H:%M}",
            on=moment.on.isoformat(),
        )


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; raises Invalid `bad_zone` with the names nearest to it."""
    if name not in _zone_names():
        near = nearest_zones(name)
        raise invalid(
            "timezone",
            "bad_zone",
            N_("There is no time zone called %(name)s. Near it: %(near)s."),
            name=name[:60],
            near=", ".join(near),
        )
    return ZoneInfo(name)


def nearest_zones(name: str) -> list[str]:
    """Up to three zone names that look like what was typed; a city alone is enough."""
    typed = name.strip().lower().replace(" ", "_")
    by_lower = {one.lower(): one for one in _zone_names()}
    cities = {one.rsplit("/", 1)[-1]: one for one in sorted(by_lower)}
    found = [cities[city] for city in get_close_matches(typed, cities, 3, 0.6)]
    found += get_close_matches(typed, sorted(by_lower), 3, 0.5)
    return [by_lower[one] for one in dict.fromkeys(found)][:3] or ["Asia/Shanghai", "UTC"]


def parse_date(text: str, field: str = "wall_date") -> date:
    """Coerce a day as forms and addresses write it; raises Invalid `bad_time`."""
    match = _DATE.fullmatch(text.strip()) if text.isascii() else None
    try:
        found = date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise invalid(field, "bad_time", _BAD_TIME)
    return found


def parse_time(text: str, field: str = "wall_time") -> time:
    """Coerce a minute of the day; raises Invalid `bad_time`."""
    match = _TIME.fullmatch(text.strip()) if text.isascii() else None
    try:
        found = time(int(match[1]), int(match[2])) if match else None
    except ValueError:
        found = None
    if found is None:
        raise invalid(field, "bad_time", _BAD_TIME)
    return found


def monday_of(day: date) -> date:
    """The first day of the week in which the day lies."""
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _is_shown(local: datetime) -> bool:
    """Whether clocks really show it: a skipped time comes back changed from its trip through UTC."""
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)


def _skipped(first: datetime, second: datetime) -> Invalid:
    """The last minute shown before the jump and the first after it, however long the jump."""
    jump = _transition(second.astimezone(UTC), first.astimezone(UTC), first.tzinfo)
    before = (jump - timedelta(microseconds=1)).astimezone(first.tzinfo).replace(second=0)
    after = jump.astimezone(first.tzinfo)
    if after.second:  # old zones changed at odd seconds; people write whole minutes
        after = after.replace(second=0) + _MINUTE
    return Invalid(
        {
            "wall_time": Problem(
                "time_does_not_exist",
                N_("Clocks skip %(time)s there. The nearest times are %(before)s and %(after)s."),
                {
                    "time": f"{first:%Y-%m-%d %H:%M}",
                    "before": f"{before:%Y-%m-%d %H:%M}",
                    "after": f"{after:%Y-%m-%d %H:%M}",
                },
            )
        }
    )


def _transition(low: datetime, high: datetime, zone: object) -> datetime:
    """The instant between the two at which the zone's offset changes, to the second."""
    assert isinstance(zone, ZoneInfo)
    old = low.astimezone(zone).utcoffset()
    span = int((high - low).total_seconds())
    left, right = 0, span
    while right - left > 1:
        middle = (left + right) // 2
        is_old = (low + timedelta(seconds=middle)).astimezone(zone).utcoffset() == old
        left, right = (middle, right) if is_old else (left, middle)
    return low + timedelta(seconds=right)


def _ambiguous(first: datetime, second: datetime) -> Invalid:
    return invalid(
        "fold",
        "time_ambiguous",
        N_("Clocks show %(time)s twice that day: first at %(first)s, then at %(second)s. Choose."),
        time=f"{first:%Y-%m-%d %H:%M}",
        first=_with_offset(first),
        second=_with_offset(second),
    )


def _with_offset(local: datetime) -> str:
    stamp = f"{local:%H:%M %z}"
    return f"{stamp[:6]}UTC{stamp[6:9]}:{stamp[9:11]}"
