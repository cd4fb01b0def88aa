"""Publications a carrier has taken but not shown yet: when to ask, and what its answer leads to."""

from datetime import timedelta
from typing import Any

from cms.core.clock import now
from schedules.channels.base import Channel, Confirmation
from schedules.models import Publication

FIRST_WAIT = timedelta(minutes=1)
CONFIRM_WITHIN = {
    Confirmation.CARRIER: timedelta(hours=24),
    Confirmation.EMPLOYEES: timedelta(hours=24),
    Confirmation.ADMINISTRATOR: timedelta(minutes=30),
}


def begin(publication: Publication, channel: Channel, confirmation: Confirmation) -> dict[str, Any]:
    """The columns that change when a carrier has taken a publication that is not live yet."""
    moment = now()
    hours = publication.account.settings.get("confirm_hours")
    within = timedelta(hours=float(hours)) if hours else CONFIRM_WITHIN[confirmation]
    first = channel.polls[0] if channel.polls else FIRST_WAIT
    return {"poll_at": moment + first, "polls": 0, "confirm_by": moment + within}
