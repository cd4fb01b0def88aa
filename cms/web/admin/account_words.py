"""The words of the account pages: conditions, what to do about them, what channels take."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import format_timedelta, gettext
from flask_babel import lazy_gettext as _

from cms.core.clock import now
from cms.web.frame import in_a_row, listed, moment, told
from schedules.account_health import Condition, Health
from schedules.channels import Channel
from schedules.channels.answers import Confirmation, Takes


@dataclass(frozen=True)
class Words:
    """A condition as shape, colour and word, and what helps."""

    icon: str
    tone: str
    word: Any
    to_do: Any = ""


WORDS = {
    Health.WORKING: Words("circle-check", "leaf", _("Working")),
    Health.UNTRIED: Words(
        "circle-dashed",
        "soft",
        _("Not used yet"),
        _("Test the connection; then the first post shows whether everything is right."),
    ),
    Health.WAITING: Words(
        "hourglass",
        "sun",
        _("Waits for the carrier"),
        _("Nothing to do: posts go on by themselves when the carrier takes them again."),
    ),
    Health.TROUBLED: Words(
        "triangle-alert",
        "sun",
        _("The last try failed"),
        _("Test the connection. Each post says what became of it and what can be done."),
    ),
    Health.PAUSED: Words("circle-pause", "sun", _("Paused"), _("Resume it when posts may leave.")),
    Health.REFUSED: Words(
        "circle-x",
        "brick",
        _("Refused by the carrier"),
        _("Get new credentials at the carrier, reconnect, test, then resume."),
    ),
    Health.STOPPED: Words(
        "octagon-x", "brick", _("Stopped"), _("Nothing leaves until the stop is lifted.")
    ),
    Health.UNOPENABLE: Words(
        "key",
        "brick",
        _("Secrets cannot be opened"),
        _("Give back the key they were sealed with, or reconnect and enter them again."),
    ),
    Health.RETIRED: Words("archive", "soft", _("Retired"), _("Resume it to use it again.")),
}

TAKES = {
    Takes.TEXT: _("text"),
    Takes.PICTURES: _("pictures"),
    Takes.ARTICLE: _("articles"),
    Takes.VIDEO: _("video"),
    Takes.LINK: _("links"),
}

CONFIRMS = {
    Confirmation.NOBODY: _("It is live as soon as the carrier has taken it."),
    Confirmation.CARRIER: _("The carrier says a while later whether it is live."),
    Confirmation.EMPLOYEES: _("Each employee confirms it in the carrier's own app."),
    Confirmation.ADMINISTRATOR: _("An administrator confirms it at the carrier's console."),
    Confirmation.PERSON: _("A member of the team posts it by hand and shows proof."),
}


def line(condition: Condition) -> str:
    """The condition in one line: since when, by whom, why."""
    why = told(condition.why, condition.why_parts) if condition.why else ""
    at = moment(condition.at) if condition.at else ""
    who = condition.by.name if condition.by else gettext("the system")
    match condition.health:
        case Health.WORKING:
            return gettext("The last post went out %(at)s.", at=ago(condition.at))
        case Health.WAITING:
            return in_a_row((gettext("Until %(at)s.", at=at), why))
        case Health.PAUSED | Health.STOPPED if at:
            return in_a_row((gettext("By %(who)s, %(at)s.", who=who, at=at), why))
        case Health.REFUSED | Health.TROUBLED | Health.RETIRED if at:
            return in_a_row((gettext("Since %(at)s.", at=at), why))
    return why


def ago(instant: datetime | None) -> str:
    """How long ago, roughly; "" for never."""
    if instant is None:
        return ""
    passed = max(now() - instant, timedelta(seconds=1))
    return str(format_timedelta(-passed, add_direction=True))


def sentence(channel: Channel) -> str:
    """What the channel takes and who says that a post is live."""
    taken = [word for what, word in TAKES.items() if what in channel.takes]
    takes = gettext("Takes %(things)s.", things=listed(taken))
    return in_a_row((takes, CONFIRMS[channel.confirmation]))
