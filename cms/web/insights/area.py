"""The blueprint of insights, and the words its pages share."""

from flask import Blueprint, request
from flask_babel import lazy_gettext as _

from cms.core.errors import invalid
from cms.core.i18n import N_
from feedback.periods import USUAL, WEEKS, Period, last_weeks

bp = Blueprint("insights", __name__, url_prefix="/insights")

OUTCOME_NAMES = {"click": _("Clicks"), "collect": _("Collects"), "comment": _("Comments")}
GROUP_NAMES = {"new": _("New"), "core": _("Core"), "lapsing": _("Lapsing")}


def weeks_asked(usual: int = USUAL) -> int:
    """How many weeks the page is to speak of; raises Invalid naming what is offered."""
    text = request.args.get("weeks") or str(usual)
    if text not in {str(weeks) for weeks in WEEKS}:
        raise invalid(
            "weeks",
            "bad_period",
            N_("Choose one of these numbers of weeks: %(weeks)s."),
            weeks=", ".join(str(weeks) for weeks in WEEKS),
        )
    return int(text)


def period_asked(usual: int = USUAL) -> Period:
    """The days the page speaks of."""
    return last_weeks(weeks_asked(usual))


def choice(name: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed values, the first when none is given; raises Invalid naming them."""
    text = request.args.get(name) or allowed[0]
    if text not in allowed:
        raise invalid(
            name, "bad_choice", N_("Choose one of: %(allowed)s."), allowed=", ".join(allowed)
        )
    return text
