"""Carrying out wishes about what is live: claim, write the attempt, ask the carrier, record."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, exists, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError

from cms.accounts import audit
from cms.accounts.models import User
from cms.core import events
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.errors import SeedbedError
from cms.core.faults import declare, fault
from cms.core.i18n import N_
from cms.core.sentences import parts_of
from schedules import (
    addressing,
    attempts,
    confirmations,
    limits,
    publications,
    receipts,
    stops,
    wishes,
)
from schedules.channels import CHANNELS
from schedules.channels.base import Receipt
from schedules.content import content_hash, outgoing, reworded
from schedules.envelopes import Envelope
from schedules.events import PostChanged, PostPublished
from schedules.inbox import STUCK_TRIES
from schedules.models import Approval, Attempt, Publication
from schedules.progress import say, shortfall
from schedules.publications import shift
from schedules.reminders import AT_REST
from schedules.states import Act, Outcome, ReviewState
from schedules.states import PublicationState as State
from schedules.wishes import LIVE, MOST_TRIES

log = structlog.get_logger(__name__)

declare("wish.after_attempt", "wish.after_call")

WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 3600, 10800))
STOPPED_WAIT = timedelta(seconds=30)
REMINDER_TRIES = 2
NOT_AMENDED = N_("The carrier would not change it.")
NOT_REMINDED = N_("Nobody knows whether they were reminded.")
NOT_WITHDRAWN = N_("The carrier would not take it back.")
BROKEN = N_("It could not be prepared for the carrier. The log says why.")
TAKEN_BACK = N_("It has been taken back.")


@dataclass(frozen=True)
class _Errand:
    """One try at one wish, by whoever holds this fence."""

    act: Act
    envelope: Envelope
    by_id: int | None


def carry(publication_id: int, *, worker: str) -> bool:
    """Try the publication's wish once; whether this caller was the one to try.

    Both acts do no harm when they are done twice, so that an unknown outcome is simply tried again.
    """
    errand = _errand(publication_id, worker)
    if errand is None:
        return False
    fault("wish.after_attempt")
    receipt = _spoken(errand)
    fault("wish.after_call")
    with transaction():
        is_ours = _record(errand, receipt)
    if not is_ours:
        log.warning("late_answer", publication=publication_id, fence=errand.envelope.fence)
    return True


def _spoken(errand: _Errand) -> Receipt:
    channel = CHANNELS.get(errand.envelope.outgoing.channel)
    match errand.act:
        case Act.AMEND:
            return channel.carry_amendment(errand.envelope)
        case Act.REMIND:
            return channel.carry_reminder(errand.envelope)
    return channel.carry_withdrawal(errand.envelope)


def _errand(publication_id: int, worker: str) -> _Errand | None:
    try:
        with transaction():
            return _taken(publication_id, worker)
    except DBAPIError:
        raise
    except Exception:  # the door of one row: tried anew at once, it would stand in others' way
        log.exception("wish_broken", publication=publication_id)
        with transaction():
            publication = _locked(publication_id)
            if publication is not None and publication.wish is not None:
                publication.wish_tries += 1
                _not_done(publication, publication.wish, Receipt(Outcome.NOT_SENT, reason=BROKEN))
    return None


def _taken(publication_id: int, worker: str) -> _Errand | None:
    """Claim it and write the attempt, before the first byte leaves."""
    publication = _locked(publication_id)
    if publication is None or publication.wish is None or not _is_due(publication):
        return None
    if publication.wish is not Act.WITHDRAW and _must_wait(publication):
        return None
    fence, lease = publication.fence, timedelta(seconds=current().lease_seconds)
    claimed = session.execute(
        update(Publication)
        .where(Publication.id == publication_id, Publication.fence == fence, *_carriable(lease))
        .values(fence=fence + 1, wish_at=now() + lease, wish_tries=Publication.wish_tries + 1)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(claimed, CursorResult) or claimed.rowcount != 1:
        return None
    attempts.lose(publication_id, fence)
    session.refresh(publication)
    act = publication.wish
    try:
        envelope = addressing.envelope_of(publication)
    except SeedbedError as error:  # its secrets cannot be opened: nothing was tried
        _not_done(publication, act, Receipt(Outcome.NOT_SENT, reason=str(error)))
        return None
    if act is Act.AMEND:
        envelope = replace(envelope, outgoing=reworded(envelope.outgoing, publication.wish_text))
    attempts.begin(envelope, act, worker=worker)
    return _Errand(act, envelope, publication.wish_by_id)


def _locked(publication_id: int) -> Publication | None:
    """As it is now, and as it stays: a wish that somebody utters meanwhile waits for ours to end."""
    return session.get(
        Publication, publication_id, populate_existing=True, with_for_update={"of": Publication}
    )


def _is_due(publication: Publication) -> bool:
    return publication.wish_at is not None and publication.wish_at <= now()


def _carriable(lease: timedelta) -> tuple[ColumnElement[bool], ...]:
    """Due, live, and nobody else's call still on its way: two at once could arrive crosswise."""
    under_way = exists().where(
        Attempt.publication_id == Publication.id,
        Attempt.outcome.is_(None),
        Attempt.act != Act.SEND,
        Attempt.started_at > now() - lease,
    )
    return (
        Publication.wish.is_not(None),
        Publication.wish_at <= now(),
        Publication.wish_tries < MOST_TRIES,
        Publication.state.in_(LIVE),
        ~under_way,
    )


def _must_wait(publication: Publication) -> bool:
    """New words wait while their account is stopped or paused, before somebody's eyes when that
    lasts; reminders come too late then. Taking back waits for nothing."""
    account = publication.account
    if not account.is_paused and not stops.holds_back(account.id):
        return False
    if publication.wish is Act.REMIND:
        _not_reminded(publication, AT_REST)
        return True
    publication.wish_at = now() + STOPPED_WAIT
    if publication.wish_tries < STUCK_TRIES:
        publication.wish_tries += 1
    return True


def _record(errand: _Errand, receipt: Receipt) -> bool:
    """Write what came of it; False when somebody else has claimed the wish meanwhile."""
    fence = errand.envelope.fence
    # An amendment changes the post too: locked in the order in which people's decisions lock.
    publications.lock(session.get_one(Publication, errand.envelope.publication_id))
    ours = session.execute(
        update(Publication)
        .where(Publication.id == errand.envelope.publication_id, Publication.fence == fence)
        .where(Publication.state.in_(LIVE))
        .values(updated_at=now())
        .execution_options(synchronize_session=False)
    )
    is_ours = isinstance(ours, CursorResult) and ours.rowcount == 1
    next_try_at: datetime | None = None
    if is_ours:
        publication = session.get_one(
            Publication, errand.envelope.publication_id, populate_existing=True
        )
        if errand.act is not Act.REMIND or receipt.outcome is not Outcome.REJECTED:
            receipts.note_health(publication, errand.envelope, receipt)
        next_try_at = _settle(publication, errand, receipt)
    attempts.close(errand.envelope, receipt, is_ours=is_ours, next_try_at=next_try_at)
    if not is_ours:
        attempts.lose(errand.envelope.publication_id, fence)
    return is_ours


def _settle(publication: Publication, errand: _Errand, receipt: Receipt) -> datetime | None:
    """When it will be tried again, if it has to be."""
    if receipt.outcome is Outcome.ACCEPTED:
        by = session.get(User, errand.by_id) if errand.by_id else None
        if _is_still_wished(publication, errand):
            wishes.forget(publication)
        _done(publication, errand, by)
        return None
    if not _is_still_wished(publication, errand):
        return publication.wish_at
    return _not_done(publication, errand.act, receipt)


def _done(publication: Publication, errand: _Errand, by: User | None) -> None:
    match errand.act:
        case Act.AMEND:
            _amended(publication, errand, by)
        case Act.WITHDRAW:
            _withdrawn(publication, by)
        case _:
            audit.record("publication.reminded", publication, by=by)


def _not_done(publication: Publication, act: Act, receipt: Receipt) -> datetime | None:
    if act is Act.REMIND and (
        receipt.outcome is not Outcome.NOT_SENT or publication.wish_tries >= REMINDER_TRIES
    ):
        _not_reminded(publication, receipt.reason or NOT_REMINDED)
        return None
    if receipt.outcome is Outcome.REJECTED or publication.wish_tries >= MOST_TRIES:
        _give_up(publication, act, receipt)
        return None
    planned = WAITS[min(publication.wish_tries, len(WAITS)) - 1]
    publication.wish_at = now() + (limits.clamped(receipt.after) if receipt.after else planned)
    return publication.wish_at


def _not_reminded(publication: Publication, reason: str) -> None:
    """Whoever asked may ask again; a reminder that may have got through is not repeated by itself."""
    wishes.forget(publication)
    parts = parts_of(reason)
    said = {"reason": reason} | ({"reason_parts": parts} if parts else {})
    audit.record("publication.reminder_failed", publication, by=None, **said)


def _is_still_wished(publication: Publication, errand: _Errand) -> bool:
    """Somebody may have asked for something else while the carrier was spoken to."""
    if publication.wish is not errand.act:
        return False
    return errand.act is not Act.AMEND or publication.wish_text == errand.envelope.outgoing.body


def _amended(publication: Publication, errand: _Errand, by: User | None) -> None:
    """What is shown has changed, so the post says it, and whoever wished it answers for it."""
    post, text = publication.post, errand.envelope.outgoing.body
    before = post.text
    publication.amended_at = now()
    say(publication, shortfall(publication) if publication.state is State.PUBLISHED else "")
    if text == before:
        return
    post.text, post.revision, post.updated_at = text, post.revision + 1, now()
    publication.content_hash = content_hash(outgoing(post))
    if by is not None:
        session.add(
            Approval(
                post=post,
                revision=post.revision,
                decision=ReviewState.APPROVED,
                content_hash=publication.content_hash,
                note="",
                by=by,
                at=now(),
            )
        )
    audit.record("post.amended", post, by=by, before=before, after=text, revision=post.revision)
    audit.record("publication.amended", publication, by=by)
    events.emit(PostChanged(post.id))


def _withdrawn(publication: Publication, by: User | None) -> None:
    """Gone from its carrier; what some had posted before stays told as published."""
    publication.withdrawn_at, publication.poll_at = now(), None
    say(publication, TAKEN_BACK)
    confirmations.expire(publication.id)
    audit.record("publication.withdrawn", publication, by=by)
    if publication.state is not State.HANDED_OVER:
        return
    values: dict[str, Any] = {}
    to = State.PUBLISHED if publication.confirmed else State.CANCELLED
    if to is State.PUBLISHED:
        values["published_at"] = publication.published_at or now()
    shift(publication.id, State.HANDED_OVER, to, by=by, reason=TAKEN_BACK, values=values)
    session.refresh(publication)
    if to is State.PUBLISHED:
        events.emit(PostPublished(publication.id))


def _give_up(publication: Publication, act: Act, receipt: Receipt) -> None:
    """It stays as it is, and the wish with it, for somebody to see that it is not fulfilled."""
    is_amendment = act is Act.AMEND
    reason = receipt.reason or (NOT_AMENDED if is_amendment else NOT_WITHDRAWN)
    asked_by = publication.wish_by_id
    publication.wish_at, publication.wish_tries = now(), MOST_TRIES
    say(publication, reason)
    action = "amendment_failed" if is_amendment else "withdrawal_failed"
    audit.record(f"publication.{action}", publication, by=None, reason=reason, asked_by=asked_by)
