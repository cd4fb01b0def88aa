"""Settling what dead workers left behind: expired claims return, expired sends follow their class."""

from typing import Any

import structlog
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.exc import SQLAlchemyError

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.faults import declare, fault
from cms.core.i18n import N_
from schedules import attempts, receipts, rules
from schedules.channels import CHANNELS
from schedules.channels.base import Repeat
from schedules.models import Publication
from schedules.publications import shift
from schedules.states import PublicationState as State

log = structlog.get_logger(__name__)

BATCH = 200
MOST_CRASHES = 3
CRASHED = N_("Workers died three times while sending it. It may be live: look, then decide.")
BROKEN = N_(
    "What became of it could not be judged; the log says why. Look whether it is live, then decide."
)

declare("reconcile.before", "reconcile.after")


def settle_expired() -> int:
    """Settle every claim whose lease is over, each alone; how many were moved."""
    if not rules.is_on("reconcile"):
        return 0
    expired = select(Publication.id, Publication.fence).where(
        Publication.state.in_([State.CLAIMED, State.SENDING]), *_expired()
    )
    found = session.execute(expired.order_by(Publication.lease_until).limit(BATCH)).all()
    return sum(_settled(publication_id, fence) for publication_id, fence in found)


def _expired() -> tuple[ColumnElement[bool], ...]:
    if not rules.is_on("lease"):
        return ()
    return (or_(Publication.lease_until.is_(None), Publication.lease_until < now()),)


def _settled(publication_id: int, fence: int) -> bool:
    try:
        return _settle(publication_id, fence)
    except SQLAlchemyError:
        raise
    except Exception:  # the door of one row: a poisonous one must not keep the others waiting
        log.exception("publication_not_settled", publication=publication_id)
        if not rules.is_on("alone"):
            raise
        return _given_up(publication_id, fence)


def _settle(publication_id: int, fence: int) -> bool:
    fault("reconcile.before")
    with transaction():
        publication = session.get(Publication, publication_id, populate_existing=True)
        if publication is None or publication.fence != fence:
            return False
        if publication.state is State.CLAIMED:
            moved = _shift(publication, receipts.Verdict(State.SCHEDULED))
        elif publication.state is State.SENDING:
            moved = _shift(publication, _lost(publication))
            if moved:
                attempts.lose(publication_id, fence)
        else:
            return False
    fault("reconcile.after")
    log.warning("lease_ran_out", publication=publication_id, fence=fence, moved=moved)
    return moved


def _given_up(publication_id: int, fence: int) -> bool:
    """What cannot be judged goes to a person, with nothing asked of what broke the judging."""
    ends = {State.SENDING: State.UNCERTAIN, State.CLAIMED: State.HELD}
    with transaction():
        moved = [
            shift(
                publication_id,
                state,
                end,
                reason=BROKEN,
                where=(Publication.fence == fence, *_expired()),
                detail={"fence": fence, "lease": "expired"},
            )
            for state, end in ends.items()
        ]
        if any(moved):
            attempts.lose(publication_id, fence)
    return any(moved)


def _shift(publication: Publication, verdict: receipts.Verdict) -> bool:
    """The database says again that the lease is over: its worker may be recording right now."""
    return shift(
        publication.id,
        publication.state,
        verdict.to,
        reason=verdict.reason,
        where=(Publication.fence == publication.fence, *_expired()),
        values=verdict.values,
        detail={"fence": publication.fence, "lease": "expired", "worker": publication.claimed_by},
    )


def _lost(publication: Publication) -> receipts.Verdict:
    """The worker fell silent while sending: nobody knows whether it arrived."""
    crashes = publication.crashes + 1
    account = publication.account
    repeat = CHANNELS.get(account.channel).repeat_for(account.settings)
    counted: dict[str, Any] = {"crashes": crashes}
    is_deadly = crashes >= MOST_CRASHES and rules.is_on("crashes")
    if repeat is not Repeat.NEVER and is_deadly:
        return receipts.Verdict(State.HELD, CRASHED, counted)
    verdict = receipts.unknown(publication, repeat)
    # The lease was wait enough: a channel that knows the key is tried again at once.
    at_once = {"due_at": now()} if verdict.to is State.SCHEDULED else {}
    return receipts.Verdict(verdict.to, verdict.reason, {**verdict.values, **counted, **at_once})
