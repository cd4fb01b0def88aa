"""Carrying one publication out: claim it, write the attempt, send, record. Nothing else sends."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.faults import declare, fault
from cms.core.i18n import N_
from schedules import addressing, attempts, keys, late, pace, preflight, receipts, rules, stops
from schedules.channels import CHANNELS, Channel
from schedules.channels.base import Receipt
from schedules.content import content_hash, outgoing
from schedules.envelopes import Envelope, Outgoing
from schedules.models import Publication
from schedules.publications import shift
from schedules.states import Outcome, ReviewState
from schedules.states import PublicationState as State

log = structlog.get_logger(__name__)

CHANGED = N_("It is not what was approved any more. Have it approved again.")
NOT_APPROVED = N_("It is not approved. Have it approved first.")
BROKEN = N_("It could not be prepared for sending. The log says why.")

JUST_AFTER = timedelta(seconds=1)
FIRST_DOUBT = timedelta(minutes=2)

Answer = TypeVar("Answer")
Speak = Callable[[Envelope], Receipt]

declare(
    "publish.before_claim",
    "publish.after_claim",
    "publish.after_attempt",
    "publish.before_send",
    "publish.after_send",
    "publish.after_record",
)


def publish(publication_id: int, *, worker: str, speak: Speak | None = None) -> None:
    """Do the whole step for one publication, or find that there is nothing to do.

    `speak` answers in the carrier's stead where a past is told; otherwise the carrier is called.
    """
    fault("publish.before_claim")
    started = time.monotonic()
    fence = claim(publication_id, worker=worker)
    if fence is None:
        return
    fault("publish.after_claim")
    deadline = started + current().lease_seconds
    envelope = _prepared(publication_id, fence, deadline)
    if envelope is None:
        return
    fault("publish.after_attempt")
    receipt = speak(envelope) if speak else _spoken(envelope, deadline)
    fault("publish.after_send")
    _persistently(lambda: receipts.record(envelope, receipt), deadline)
    fault("publish.after_record")


class _Stopped(Exception):
    """An emergency stop is in force; undoes the claim, and the publication stays where it was."""


class _Wait(Exception):
    """The account may not send yet; undoes the claim."""

    def __init__(self, after: timedelta) -> None:
        super().__init__()
        self.after = after


def claim(publication_id: int, *, worker: str) -> int | None:
    """Take it in one statement, or None: not due, not scheduled, too late, stopped, or its account
    must wait.

    The returned fence names this claim; whoever holds an older one has nothing to say any more.
    """
    row = _claimable(publication_id)
    if row is None:
        return None
    account_id, fence, late_after = row
    if late.is_too_late(late_after):
        return None  # the guarded clock misses it: this host's own time may have leapt
    try:
        with transaction():
            return _claim(publication_id, account_id, fence, worker=worker)
    except _Stopped:
        return None
    except _Wait as wait:
        _put_off(publication_id, fence, min(now() + wait.after, late_after + JUST_AFTER))
        return None


def _claimable(publication_id: int) -> tuple[int, int, datetime] | None:
    """A read first: a hint that came twice costs no write lock."""
    found = session.execute(
        select(Publication.account_id, Publication.fence, Publication.late_after).where(
            Publication.id == publication_id,
            Publication.state == State.SCHEDULED,
            Publication.due_at <= now(),
        )
    ).first()
    return (found[0], found[1], found[2]) if found else None


def _claim(publication_id: int, account_id: int, fence: int, *, worker: str) -> int | None:
    moment = now()
    claimed = shift(
        publication_id,
        State.SCHEDULED,
        State.CLAIMED,
        where=(Publication.due_at <= moment, Publication.fence == fence),
        values={
            "fence": fence + 1,
            "lease_until": moment + timedelta(seconds=current().lease_seconds),
            "claimed_by": worker,
        },
        detail={"fence": fence + 1, "worker": worker},
    )
    if not claimed:
        return None
    wait = pace.take(account_id)
    if stops.is_stopped(account_id):
        raise _Stopped
    if wait:
        raise _Wait(wait)
    return fence + 1


def _put_off(publication_id: int, fence: int, until: datetime) -> None:
    """Not a move: it goes on waiting for its account's sake, though never past its patience."""
    with transaction():
        session.execute(
            update(Publication)
            .where(Publication.id == publication_id, Publication.fence == fence)
            .where(Publication.state == State.SCHEDULED, Publication.due_at <= now())
            .values(due_at=until)
            .execution_options(synchronize_session=False)
        )


def _prepared(publication_id: int, fence: int, deadline: float | None = None) -> Envelope | None:
    try:
        with transaction():
            return _prepare(publication_id, fence, deadline)
    except DBAPIError:
        log.warning("claim_left_to_its_lease", publication=publication_id, exc_info=True)
    except Exception:  # the door of one row: a poisonous one is put aside, and says so
        log.exception("publication_broken", publication=publication_id)
        if not rules.is_on("alone"):
            raise
        with transaction():
            shift(publication_id, State.CLAIMED, State.HELD, reason=BROKEN, where=_mine(fence))
    return None


def _prepare(publication_id: int, fence: int, deadline: float | None) -> Envelope | None:
    """Judge once more, then write the attempt and `sending`, before the first byte leaves."""
    publication = session.get(Publication, publication_id, populate_existing=True)
    if publication is None or publication.state is not State.CLAIMED or publication.fence != fence:
        return None
    if stops.holds_back(publication.account_id):
        back = {"fence": fence, "stopped": True}
        shift(publication_id, State.CLAIMED, State.SCHEDULED, where=_mine(fence), detail=back)
        return None
    content = outgoing(publication.post)
    reason = _objection(publication, content)
    if reason:
        shift(publication_id, State.CLAIMED, State.HELD, reason=reason, where=_mine(fence))
        return None
    if keys.is_forgotten(publication):
        unknown = receipts.KEY_FORGOTTEN
        shift(publication_id, State.CLAIMED, State.UNCERTAIN, reason=unknown, where=_mine(fence))
        return None
    envelope = addressing.envelope_of(publication, deadline=deadline, content=content)
    if rules.is_on("attempt_first"):
        begun = receipts.begin(envelope, worker=publication.claimed_by)
        return envelope if begun else None
    return envelope


def _mine(fence: int) -> tuple[ColumnElement[bool], ...]:
    return (Publication.fence == fence,)


def _objection(publication: Publication, content: Outgoing) -> str | None:
    """Why it must not be sent although somebody once approved it."""
    post = publication.post
    if post.review is not ReviewState.APPROVED or publication.content_hash is None:
        return NOT_APPROVED
    if rules.is_on("hash") and content_hash(content) != publication.content_hash:
        return CHANGED
    return next((str(one) for one in preflight.objections(publication, content)), None)


def _spoken(envelope: Envelope, deadline: float) -> Receipt:
    """Speak to the carrier. No transaction is open here, and no connection is held."""
    channel = CHANNELS.get(envelope.outgoing.channel)
    asked: dict[str, Any] = {}
    if envelope.must_ask:
        found = _asked(channel, envelope)
        if found.outcome is not Outcome.NOT_SENT:
            return replace(found, detail={**found.detail, attempts.LOOKED_UP: True})
        asked = {"look_up": found.detail}
    receipt = _sent(channel, envelope, deadline)
    return replace(receipt, detail={**receipt.detail, **asked}) if asked else receipt


def _sent(channel: Channel, envelope: Envelope, deadline: float) -> Receipt:
    fault("publish.before_send")
    if time.monotonic() + envelope.call_seconds > deadline:
        # Frozen or starved until the lease is nearly over: a peer may soon send in our place.
        return Receipt(Outcome.NOT_SENT, reason=receipts.TOO_SLOW)
    return channel.send(envelope)


def _asked(channel: Channel, envelope: Envelope) -> Receipt:
    """What the carrier says about an earlier attempt; its "no" counts only when it had time to know."""
    found = channel.look_up(envelope)
    if found.is_unproven:
        return _unproven(channel, envelope, found)
    tried = envelope.tried_at
    is_too_soon = tried is not None and now() - tried < channel.settles_after
    if found.outcome is Outcome.ACCEPTED:
        return found
    if found.outcome is Outcome.NOT_SENT and not is_too_soon and not found.reason:
        return found  # a reason would say that the question itself did not get through
    after = channel.settles_after if is_too_soon else found.after
    return replace(found, outcome=Outcome.UNCERTAIN, reason=receipts.STILL_UNKNOWN, after=after)


def _unproven(channel: Channel, envelope: Envelope, found: Receipt) -> Receipt:
    """What is not there may still come: asked again, ever more rarely, then a person decides.

    Only their word makes an absence that proves nothing a "no".
    """
    since = envelope.doubted_since
    if since is None:
        return replace(found, outcome=Outcome.NOT_SENT, reason="")
    age = now() - since
    if age >= channel.doubt_lasts:
        return replace(found, asks_person=True)
    after = min(max(age, FIRST_DOUBT), channel.doubt_lasts - age)
    return replace(found, reason=receipts.STILL_UNKNOWN, after=after)


def _persistently(step: Callable[[], Answer], deadline: float) -> Answer | None:
    """Keep the result in memory while the database is away, as long as the claim is ours."""
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > deadline:
                log.error("result_left_to_reconciler", error=str(error.orig))
                return None
            log.warning("result_waits_for_database", error=str(error.orig))
            time.sleep(0.5)
