"""Calendars: finding them, and what an administrator says about one."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, select

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.config import current as settings
from cms.core.db import session
from cms.core.errors import Invalid, NotFound, Problem
from cms.core.i18n import N_
from cms.core.slugs import free_slug
from cms.core.text import clean_line, is_blank
from schedules.models import Calendar
from schedules.wall_time import boundary, monday_of, zone_of

LONGEST_NAME = 120
LONGEST_PATIENCE = 24 * 60
LONGEST_GAP = 24 * 60


@dataclass(frozen=True)
class CalendarFields:
    """What a person says about a calendar; `gap_minutes` is the least time between posts of a pool.

    Nothing goes out from `quiet_from` until `quiet_until`, perhaps over midnight; none: never quiet.
    """

    name: str
    timezone: str
    late_moments_minutes: int = 120
    late_group_minutes: int = 30
    gap_minutes: int = 30
    quiet_from: time | None = None
    quiet_until: time | None = None


def get(calendar_id: int) -> Calendar:
    """The calendar of that id; raises NotFound."""
    found = session.get(Calendar, calendar_id)
    if found is None:
        raise NotFound("calendar")
    return found


def by_slug(slug: str) -> Calendar | None:
    return session.scalar(select(Calendar).where(Calendar.slug == slug))


def first() -> Calendar | None:
    """The team's calendar: the oldest, until teams keep several."""
    return session.scalar(in_order().limit(1))


def first_or_new() -> Calendar:
    """The team's calendar, made with the workspace's zone when there is none yet."""
    return first() or add(CalendarFields(N_("Calendar"), settings().timezone), by=None, slug="main")


def in_order() -> Select[Calendar]:
    return select(Calendar).order_by(Calendar.id)


def today(calendar: Calendar) -> date:
    """The day it is where the calendar lives."""
    return now().astimezone(zone_of(calendar.timezone)).date()


def is_quiet(calendar: Calendar, at: datetime) -> bool:
    """Whether the instant lies in the calendar's quiet hours, however its clocks are set that night."""
    begins, ends = calendar.quiet_from, calendar.quiet_until
    if begins is None or ends is None:
        return False
    last = at.astimezone(zone_of(calendar.timezone)).date()
    night = timedelta(days=1 if ends < begins else 0)
    return any(
        boundary(day, begins, calendar.timezone, is_end=False)
        <= at
        < boundary(day + night, ends, calendar.timezone, is_end=True)
        for day in (last - timedelta(days=1), last)
    )


def week_to_plan(calendar: Calendar) -> date:
    """The Monday people want to see: this week's, and from Saturday on the next one's."""
    day = today(calendar)
    return monday_of(day if day.weekday() < 5 else day + timedelta(days=2))


def add(fields: CalendarFields, *, by: User | None, slug: str | None = None) -> Calendar:
    """A new calendar; raises Invalid with every fault."""
    _check(fields)
    calendar = Calendar(slug=slug or free_slug(fields.name, "calendar", by_slug))
    _fill(calendar, fields)
    session.add(calendar)
    session.flush()  # the audit trail needs the id
    audit.record("calendar.added", calendar, by=by, name=calendar.name)
    return calendar


def change(calendar: Calendar, fields: CalendarFields, *, by: User | None) -> None:
    """Change what is said about it. Posts already planned keep the instant they were given."""
    _check(fields)
    before = {"timezone": calendar.timezone, "gap_minutes": calendar.gap_minutes}
    _fill(calendar, fields)
    audit.record("calendar.changed", calendar, by=by, before=before)


def _fill(calendar: Calendar, fields: CalendarFields) -> None:
    calendar.name = clean_line(fields.name)
    calendar.timezone = fields.timezone
    calendar.late_moments_minutes = fields.late_moments_minutes
    calendar.late_group_minutes = fields.late_group_minutes
    calendar.gap_minutes = fields.gap_minutes
    calendar.quiet_from, calendar.quiet_until = fields.quiet_from, fields.quiet_until


def _check(fields: CalendarFields) -> None:
    faults: dict[str, Problem] = {}
    if is_blank(fields.name) or len(fields.name) > LONGEST_NAME:
        faults["name"] = Problem("bad_name", N_("Give a name of 1 to 120 characters."))
    try:
        zone_of(fields.timezone)
    except Invalid as error:
        faults |= error.fields
    for name, least, most in (
        ("late_moments_minutes", 1, LONGEST_PATIENCE),
        ("late_group_minutes", 1, LONGEST_PATIENCE),
        ("gap_minutes", 0, LONGEST_GAP),
    ):
        if not least <= getattr(fields, name) <= most:
            faults[name] = Problem(
                "bad_minutes",
                N_("Minutes are a whole number from %(least)s to %(most)s."),
                {"least": least, "most": most},
            )
    faults |= _quiet_faults(fields)
    if faults:
        raise Invalid(faults)


def _quiet_faults(fields: CalendarFields) -> dict[str, Problem]:
    begins, ends = fields.quiet_from, fields.quiet_until
    if (begins is None) != (ends is None):
        words = N_("Give both ends of the quiet hours, or neither.")
        return {"quiet_from" if begins is None else "quiet_until": Problem("bad_quiet", words)}
    if begins is not None and begins == ends:
        words = N_("The quiet hours would last all day. Choose another end.")
        return {"quiet_until": Problem("bad_quiet", words)}
    return {}
