"""The late policy: what was not sent within its calendar's patience is missed, and shown."""

from datetime import datetime

from sqlalchemy import select

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.i18n import N_
from schedules import attempts, rules, stops
from schedules.models import Publication
from schedules.publications import shift
from schedules.receipts import NOBODY_KNOWS, PARTLY_OUT
from schedules.states import PublicationState

BATCH = 200
TOO_LATE = N_("It could not go out in time. Publish it now, or drop it.")


def miss_overdue() -> int:
    """Mark what waited past its patience, each in a transaction of its own; how many.

    While sending is stopped nothing is missed: whoever lifts the stop sees what waited for it.
    """
    if not rules.is_on("late"):
        return 0
    moment = now()
    overdue = (
        select(Publication.id)
        .where(Publication.state == PublicationState.SCHEDULED, Publication.due_at <= moment)
        .where(Publication.late_after < moment, stops.clear_of(Publication.account_id))
        .limit(BATCH)
    )
    return sum(miss(publication_id) for publication_id in session.scalars(overdue).all())


def is_too_late(late_after: datetime) -> bool:
    """Whether what may wait until then has waited too long."""
    return late_after < now() and rules.is_on("late")


def miss(publication_id: int) -> bool:
    """Mark one as missed, unless it is not late or somebody has just claimed it.

    What an earlier try may have shown to readers is not missed: nobody knows.
    """
    with transaction():
        doubt = _doubt(publication_id)
        return shift(
            publication_id,
            PublicationState.SCHEDULED,
            PublicationState.UNCERTAIN if doubt else PublicationState.MISSED,
            reason=doubt or TOO_LATE,
            where=(Publication.late_after < now(), stops.clear_of(Publication.account_id)),
        )


def _doubt(publication_id: int) -> str:
    if attempts.is_part_out(publication_id):
        return PARTLY_OUT
    return NOBODY_KNOWS if attempts.unresolved(publication_id) else ""
