"""The blueprint of the calendar, and the words its screens share."""

from datetime import date

from babel.dates import format_interval, format_skeleton
from flask import Blueprint
from flask_babel import format_date, get_locale
from flask_babel import lazy_gettext as _

from audience.models import PoolKind
from cms.core.db import transaction
from schedules import calendars
from schedules.models import Calendar

bp = Blueprint("calendar", __name__, url_prefix="/calendar")

POOL_ICONS = {PoolKind.GROUP: "messages-square", PoolKind.MOMENTS: "aperture"}
POOL_NAMES = {PoolKind.GROUP: _("Groups"), PoolKind.MOMENTS: _("Moments")}
STATE_NAMES = {
    "draft": _("Draft"),
    "submitted": _("Submitted"),
    "rejected": _("Rejected"),
    "scheduled": _("Scheduled"),
    "published": _("Published"),
    "handed_over": _("Handed over"),
    "missed": _("Missed"),
    "failed": _("Failed"),
    "uncertain": _("Uncertain"),
    "held": _("Held"),
}


def team_calendar() -> Calendar:
    """The calendar the screens show; the first look at an empty house makes it."""
    found = calendars.first()
    if found is not None:
        return found
    with transaction():
        return calendars.first_or_new()


def short_day(day: date) -> str:
    """Month and day as the page's language writes them."""
    return format_skeleton("MMMd", day, locale=str(get_locale()))


def weekday(day: date) -> str:
    return format_date(day, "EEE")


def week_words(monday: date, sunday: date) -> str:
    """A week as people say it: from which day to which."""
    return format_interval(monday, sunday, "yMMMd", locale=str(get_locale()))


bp.add_app_template_filter(short_day)
bp.add_app_template_filter(weekday)
