"""Reminding employees who have a post in hand and have not posted it: when it may be asked for."""

from datetime import timedelta

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session
from cms.core.errors import Conflict, Problem
from cms.core.i18n import N_
from schedules import attempts, stops, wishes
from schedules.channels import CHANNELS
from schedules.channels.base import CANNOT_REMIND
from schedules.confirmations import OPEN
from schedules.models import Publication
from schedules.states import Act

DAY = timedelta(hours=24)
NOBODY_WAITS = N_("Nobody has it in hand who could be reminded.")
OTHER_FIRST = N_("Something else is wished of the carrier. That comes first.")
AT_REST = N_("The account is paused or stopped, so nobody is reminded to post.")
OFTEN = N_(
    "They have been reminded %(count)s times within a day; the carrier allows no more before %(at)s."
)


def problem(publication: Publication) -> Problem | None:
    """Why nobody can be reminded now; None when they can."""
    channel = CHANNELS.get(publication.account.channel)
    if not channel.reminders_a_day:
        return Problem("cannot_remind", CANNOT_REMIND, {"carrier": channel.name})
    is_live = publication.state in wishes.LIVE and publication.withdrawn_at is None
    if not is_live or not any(task.state in OPEN for task in publication.employee_tasks):
        return Problem("nobody_waits", NOBODY_WAITS)
    if publication.wish is not None:
        return Problem("other_first", OTHER_FIRST)
    if publication.account.is_paused or stops.is_stopped(publication.account_id):
        return Problem("at_rest", AT_REST)
    return _too_often(publication, channel.reminders_a_day)


def _too_often(publication: Publication, most: int) -> Problem | None:
    told = attempts.reminders(publication.id, since=now() - DAY)
    if len(told) < most:
        return None
    opens = (told[-most] + DAY).astimezone(current().zone)
    return Problem("reminded_often", OFTEN, {"count": len(told), "at": f"{opens:%m-%d %H:%M}"})


def ask(publication: Publication, *, by: User) -> None:
    """Have the carrier remind them within seconds; asking twice at once reminds once.

    Raises Conflict in the words of `problem`.
    """
    session.refresh(publication, with_for_update={"of": Publication})
    if publication.wish is Act.REMIND:
        return
    found = problem(publication)
    if found is not None:
        raise Conflict(found)
    wishes.keep(publication, Act.REMIND, by=by)
    audit.record("publication.reminder_asked", publication, by=by)
