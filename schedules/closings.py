"""How blackouts look on a calendar's days: which part of a day they darken, and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from schedules import blackouts
from schedules.models import Blackout, Calendar
from schedules.wall_time import boundary, zone_of

MIDNIGHT = time()


@dataclass(frozen=True)
class Closing:
    """A part of a day in which nothing goes out; an end that lies on another day is None."""

    reason: str
    begins: time | None
    ends: time | None


def between(calendar: Calendar, first: date, last: date) -> list[Blackout]:
    """The blackouts that touch those days of the calendar."""
    return blackouts.between(_start(calendar, first), _start(calendar, last + timedelta(days=1)))


def of_day(
    known: Sequence[Blackout], calendar: Calendar, day: date, account_ids: Collection[int]
) -> tuple[Closing, ...]:
    """What they mean for posts of those accounts on that day."""
    starts, ends = _start(calendar, day), _start(calendar, day + timedelta(days=1))
    zone = zone_of(calendar.timezone)
    return tuple(
        Closing(
            one.reason,
            one.starts_at.astimezone(zone).time() if one.starts_at > starts else None,
            one.ends_at.astimezone(zone).time() if one.ends_at < ends else None,
        )
        for one in known
        if one.starts_at < ends
        and one.ends_at > starts
        and one.calendar_id in (None, calendar.id)
        and (one.account_id is None or one.account_id in account_ids)
    )


def _start(calendar: Calendar, day: date) -> datetime:
    return boundary(day, MIDNIGHT, calendar.timezone, is_end=False)
