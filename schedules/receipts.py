"""Writing attempts and what became of them into the ledger, so that no stale answer wins."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement

from cms.accounts import audit
from cms.core import events
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.i18n import N_
from cms.core.sentences import parts_of
from schedules import attempts, handover, limits, polling, rules
from schedules.channels import CHANNELS, calling
from schedules.channels.base import Channel, Confirmation, Receipt, Repeat
from schedules.envelopes import Envelope
from schedules.events import PostHandedOver, PostPublished
from schedules.models import ChannelAccount, Publication
from schedules.publications import shift
from schedules.states import Outcome
from schedules.states import PublicationState as State

log = structlog.get_logger(__name__)

MOST_TRIES = 8
SILENCE = Receipt(Outcome.UNCERTAIN)
SETTLE_WITHIN = timedelta(days=1)  # what may be live is not late any more, it is to be settled
STILL_UNKNOWN = N_("The carrier could not say whether it has the post. It will be asked again.")
TOO_SLOW = N_("Too much time had passed since it was claimed; nothing was sent.")
NOBODY_KNOWS = N_("Nobody knows whether it arrived. Look, then say so here.")
CREDENTIALS = N_("The carrier refuses the account. It has been paused; check its credentials.")
PARTLY_OUT = N_("Some have got it and the rest could not be reached. Send the rest, or drop it.")
REFUSED = N_("The carrier refused the post.")
REFUSED_LATER = N_(
    "The carrier refused this try, but an earlier one may have arrived. Look, then say so here."
)
KEY_FORGOTTEN = N_(
    "An earlier try may have arrived, and it is too long ago to be repeated safely. Look, then say "
    "so here."
)
NOT_REACHED = N_("The carrier could not be reached.")


@dataclass(frozen=True)
class Verdict:
    """Where a receipt leads, and the columns that change along."""

    to: State
    reason: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def begin(envelope: Envelope, *, worker: str = "") -> bool:
    """Write the attempt and `sending`; whether this claim was still in force."""
    begun = shift(
        envelope.publication_id,
        State.CLAIMED,
        State.SENDING,
        where=(Publication.fence == envelope.fence,),
        detail={"fence": envelope.fence},
    )
    if begun:
        attempts.begin(envelope, worker=worker)
    return begun


def record(envelope: Envelope, receipt: Receipt) -> bool:
    """Write what is known; False when the claim was no longer ours and the ledger stays as it is."""
    with transaction():
        if not rules.is_on("attempt_first"):
            begin(envelope)
        publication = session.get(Publication, envelope.publication_id, populate_existing=True)
        if publication is None:
            return False
        verdict = _verdict(publication, envelope, receipt)
        is_ours = shift(
            publication.id,
            State.SENDING,
            verdict.to,
            reason=verdict.reason,
            where=_fenced(envelope),
            values=verdict.values,
            detail={"fence": envelope.fence, "outcome": receipt.outcome.value},
        )
        next_try = verdict.values["due_at"] if verdict.to is State.SCHEDULED else None
        attempts.close(envelope, receipt, is_ours=is_ours, next_try_at=next_try)
        if is_ours:
            session.refresh(publication)
            note_health(publication, envelope, receipt)
            _tell(publication)
    if not is_ours:
        log.warning("late_answer", publication=envelope.publication_id, fence=envelope.fence)
    return is_ours


def _fenced(envelope: Envelope) -> tuple[ColumnElement[bool], ...]:
    return (Publication.fence == envelope.fence,) if rules.is_on("fence") else ()


def _verdict(publication: Publication, envelope: Envelope, receipt: Receipt) -> Verdict:
    channel = CHANNELS.get(envelope.outgoing.channel)
    match _outcome(receipt):
        case Outcome.ACCEPTED if receipt.goes_on:
            return _goes_on(publication, receipt)
        case Outcome.ACCEPTED:
            said = receipt.confirmation or channel.confirmation_for(envelope.settings)
            return _accepted(publication, receipt, said)
        case Outcome.REJECTED if receipt.pauses_account:
            return Verdict(State.HELD, CREDENTIALS)
        case Outcome.REJECTED if receipt.goes_on or attempts.is_part_out(publication.id):
            return Verdict(State.UNCERTAIN, PARTLY_OUT)
        case Outcome.REJECTED if _may_be_live(publication, envelope, channel):
            return Verdict(State.UNCERTAIN, REFUSED_LATER)
        case Outcome.REJECTED:
            return Verdict(State.FAILED, receipt.reason or REFUSED)
        case Outcome.NOT_SENT:
            return _again(publication, receipt)
        case _:
            return unknown(publication, channel.repeat_for(envelope.settings), receipt)


def _outcome(receipt: Receipt) -> Outcome:
    if receipt.outcome is Outcome.UNCERTAIN and not rules.is_on("outcomes"):
        return Outcome.NOT_SENT
    return receipt.outcome


def _may_be_live(publication: Publication, envelope: Envelope, channel: Channel) -> bool:
    """A no speaks of this try alone; whoever can be asked has said before it about the others."""
    if channel.repeat_for(envelope.settings) is Repeat.QUERY:
        return False
    return bool(attempts.doubtful(publication.id, before=envelope.fence))


def _accepted(publication: Publication, receipt: Receipt, confirmation: Confirmation) -> Verdict:
    values: dict[str, Any] = {
        "external_id": receipt.external_id[:200],
        "external_url": receipt.url[:500],
        "reach": publication.pool.size,
        "crashes": 0,
    }
    if not rules.is_on("confirm"):
        confirmation = Confirmation.NOBODY
    if confirmation is Confirmation.PERSON:
        values |= {"poll_at": None, "confirm_by": None}
        return Verdict(State.HANDED_OVER, receipt.reason, values)
    if confirmation is not Confirmation.NOBODY:
        channel = CHANNELS.get(publication.account.channel)
        values |= polling.begin(publication, channel, confirmation)
        return Verdict(State.HANDED_OVER, values=values)
    return Verdict(State.PUBLISHED, values=values | {"published_at": now()})


def _goes_on(publication: Publication, receipt: Receipt) -> Verdict:
    """A part is done and the rest waits for its turn: no failure, and not late any more."""
    moment = now()
    values = {
        "tries": 0,
        "crashes": 0,
        "due_at": moment + (limits.clamped(receipt.after) if receipt.after else timedelta(0)),
        "late_after": max(publication.late_after, moment + SETTLE_WITHIN),
    }
    return Verdict(State.SCHEDULED, receipt.reason, values)


def _again(publication: Publication, receipt: Receipt) -> Verdict:
    """Nothing left the house this time: try later, though not for ever.

    Who is asked to wait has not failed: the late policy alone ends that, with ever longer waits.
    """
    tries = publication.tries + (0 if receipt.after else 1)
    if tries >= MOST_TRIES:
        if attempts.is_part_out(publication.id):
            return Verdict(State.UNCERTAIN, PARTLY_OUT, {"tries": tries})
        # An earlier attempt may have arrived even though the later ones surely did not.
        if attempts.unresolved(publication.id, before=publication.fence):
            return Verdict(State.UNCERTAIN, NOBODY_KNOWS, {"tries": tries})
        return Verdict(State.FAILED, receipt.reason or NOT_REACHED, {"tries": tries})
    wait = limits.clamped(receipt.after) if receipt.after else limits.back_off(tries)
    if publication.fence >= MOST_TRIES:  # so often has it been taken up
        wait = max(wait, limits.back_off(publication.fence))
    due_at = now() + wait
    if publication.late_after > now():
        due_at = min(due_at, publication.late_after + timedelta(seconds=1))
    return Verdict(State.SCHEDULED, receipt.reason, {"tries": tries, "due_at": due_at})


def unknown(publication: Publication, repeat: Repeat, receipt: Receipt = SILENCE) -> Verdict:
    """What an unknown outcome leads to: the channel's class decides."""
    tries = publication.tries + 1
    if receipt.asks_person:
        return Verdict(State.UNCERTAIN, receipt.reason or NOBODY_KNOWS, {"tries": tries})
    may_repeat = repeat is not Repeat.NEVER or not rules.is_on("class")
    # A look-up that proves nothing has an end of its own, and words of its own for it.
    if not may_repeat or (tries >= MOST_TRIES and not receipt.is_unproven):
        return Verdict(State.UNCERTAIN, NOBODY_KNOWS, {"tries": tries})
    moment = now()
    wait = limits.clamped(receipt.after) if receipt.after else limits.back_off(tries)
    return Verdict(
        State.SCHEDULED,
        receipt.reason,
        {
            "tries": tries,
            "due_at": moment + wait,
            "late_after": max(publication.late_after, moment + SETTLE_WITHIN),
        },
    )


def note_health(publication: Publication, envelope: Envelope, receipt: Receipt) -> None:
    """What this answer says about the account itself."""
    account = publication.account
    if receipt.outcome is Outcome.ACCEPTED:
        account.last_success_at, account.last_fault = now(), ""
        return
    session.refresh(account, with_for_update={"of": ChannelAccount})  # others' answers come now too
    account.last_fault = (receipt.reason or receipt.outcome.value)[:300]
    account.last_fault_at, account.fault_parts = now(), parts_of(receipt.reason)
    if receipt.outcome is Outcome.NOT_SENT and receipt.after and not receipt.is_own_wait:
        _block(account, limits.clamped(receipt.after))
    elif receipt.outcome is Outcome.UNCERTAIN and _hung(envelope, receipt):
        # A carrier that lets calls hang would fill every thread, and delay everybody else's posts.
        _block(account, timedelta(seconds=envelope.call_seconds))
    if receipt.pauses_account and not account.is_paused:
        account.is_paused = True
        audit.record("channel_account.paused", account, by=None, reason=account.last_fault)


def _block(account: ChannelAccount, wait: timedelta) -> None:
    """Of several answers at once the longest wait counts."""
    until = now() + wait
    account.blocked_until = max(account.blocked_until or until, until)


def _hung(envelope: Envelope, receipt: Receipt) -> bool:
    longest = min(envelope.call_seconds, calling.DEFAULT_SECONDS)  # a line gives up no later
    return float(receipt.detail.get("ms", 0)) >= longest * 900


def _tell(publication: Publication) -> None:
    if publication.state is State.HANDED_OVER:
        if publication.poll_at is None:
            handover.give(publication)
        events.emit(PostHandedOver(publication.id))
    elif publication.state is State.PUBLISHED:
        events.emit(PostPublished(publication.id))
