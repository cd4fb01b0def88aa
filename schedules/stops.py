"""The emergency stop: raising one, lifting it, and the question everybody asks before sending."""

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import joinedload

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, invalid
from cms.core.i18n import N_
from cms.core.text import check_length, clean_line, is_blank
from schedules import rules
from schedules.channels import CHANNELS
from schedules.models import ChannelAccount, Publication, Stop
from schedules.states import PublicationState, StopScope

LONGEST_REASON = 300
NO_REASON = N_("Say why, so that everybody who meets the stop knows.")
NO_CHOICE = N_("Choose what to stop: everything, a channel or an account.")


@dataclass(frozen=True)
class StopFields:
    """What shall stop, and why. `channel` and `account_id` count for their own scope only."""

    scope: StopScope
    reason: str
    channel: str = ""
    account_id: int | None = None


# --- finders


def get(stop_id: int) -> Stop:
    """The stop of that number; raises NotFound."""
    found = session.get(Stop, stop_id)
    if found is None:
        raise NotFound("stop")
    return found


def in_force() -> list[Stop]:
    """What is stopped now, the longest first."""
    found = select(Stop).where(Stop.lifted_at.is_(None)).order_by(Stop.at, Stop.id)
    return list(session.scalars(found.options(joinedload(Stop.account), joinedload(Stop.by))))


def lifted() -> Select[Stop]:
    """What was stopped once, the latest first, for the caller to page."""
    return (
        select(Stop)
        .where(Stop.lifted_at.is_not(None))
        .order_by(Stop.lifted_at.desc(), Stop.id.desc())
        .options(joinedload(Stop.account), joinedload(Stop.by), joinedload(Stop.lifted_by))
    )


def clear_of(account_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """The condition that no stop in force covers the account; for use inside other questions."""
    if not rules.is_on("stop"):
        return true()
    covering = (
        select(Stop.id)
        .join(ChannelAccount, ChannelAccount.id == account_id)
        .where(
            Stop.lifted_at.is_(None),
            or_(
                Stop.scope == StopScope.ALL,
                Stop.account_id == ChannelAccount.id,
                Stop.channel == ChannelAccount.channel,
            ),
        )
    )
    return ~covering.exists()


def is_stopped(account_id: int) -> bool:
    """Whether nothing may leave through the account."""
    return not session.scalar(select(clear_of(literal(account_id))))


def holds_back(account_id: int) -> bool:
    """The same, for whoever is about to write that it sends: a stop raised now waits for this
    transaction to end, so it knows every call that is on the wire when it is in force."""
    lock = select(ChannelAccount.id).where(ChannelAccount.id == account_id)
    session.execute(lock.with_for_update(read=True))
    return is_stopped(account_id)


def covering(stops: list[Stop], account: ChannelAccount) -> Stop | None:
    """The one among those stops that covers the account."""
    return next((stop for stop in stops if covers(stop, account)), None)


def covers(stop: Stop, account: ChannelAccount) -> bool:
    match stop.scope:
        case StopScope.ALL:
            return True
        case StopScope.CHANNEL:
            return stop.channel == account.channel
        case StopScope.ACCOUNT:
            return stop.account_id == account.id


def on_the_wire(stop: Stop) -> int:
    """How many calls in its scope have begun and have not been answered: no stop reaches those."""
    return _sending(_reached(stop))


# --- operations


def raise_stop(fields: StopFields, *, by: User | None) -> Stop:
    """From the commit on nothing in its scope leaves, except calls already on the wire.

    Stopping what is stopped already answers the stop in force. Raises Invalid.
    """
    fields = _checked(fields)
    made = Stop(
        scope=fields.scope,
        channel=fields.channel,
        account_id=fields.account_id,
        reason=fields.reason,
        by_id=by.id if by else None,
        at=now(),
    )
    # Whoever is writing an attempt holds a share of its account's row: it ends before we go on.
    lock = select(ChannelAccount.id).where(*_reached(made)).order_by(ChannelAccount.id)
    session.execute(lock.with_for_update())
    if standing := _same(fields):
        return standing
    session.add(made)
    session.flush()  # the audit trail needs the id
    said = {"channel": made.channel} if made.channel else {}
    said |= {"account": str(made.account_id)} if made.account_id else {}
    wire = _sending(_reached(made))
    audit.record(
        "stop.raised", made, by=by, scope=made.scope.value, reason=made.reason, wire=wire, **said
    )
    return made


def lift(stop: Stop, *, by: User | None) -> None:
    """What waited goes out again, as fast as its accounts allow; the late policy decides what may.

    Lifting twice changes nothing.
    """
    session.refresh(stop, with_for_update={"of": Stop})
    if stop.lifted_at is not None:
        return
    stop.lifted_at, stop.lifted_by_id = now(), by.id if by else None
    audit.record("stop.lifted", stop, by=by, scope=stop.scope.value)


def _checked(fields: StopFields) -> StopFields:
    reason = clean_line(fields.reason)
    if is_blank(reason):
        raise invalid("reason", "stop_without_reason", NO_REASON)
    check_length("reason", reason, LONGEST_REASON)
    match fields.scope:
        case StopScope.ALL:
            return StopFields(fields.scope, reason)
        case StopScope.CHANNEL:
            if fields.channel not in CHANNELS:
                raise invalid("what", "bad_choice", NO_CHOICE)
            return StopFields(fields.scope, reason, channel=fields.channel)
        case StopScope.ACCOUNT:
            if session.get(ChannelAccount, fields.account_id or 0) is None:
                raise invalid("what", "bad_choice", NO_CHOICE)
            return StopFields(fields.scope, reason, account_id=fields.account_id)


def _same(fields: StopFields) -> Stop | None:
    return session.scalar(
        select(Stop).where(
            Stop.lifted_at.is_(None),
            Stop.scope == fields.scope,
            Stop.channel == fields.channel,
            Stop.account_id.is_not_distinct_from(fields.account_id),
        )
    )


def _reached(stop: Stop) -> tuple[ColumnElement[bool], ...]:
    match stop.scope:
        case StopScope.ALL:
            return ()
        case StopScope.CHANNEL:
            return (ChannelAccount.channel == stop.channel,)
        case StopScope.ACCOUNT:
            return (ChannelAccount.id == stop.account_id,)


def _sending(reached: tuple[ColumnElement[bool], ...]) -> int:
    found = (
        select(func.count())
        .select_from(Publication)
        .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
        .where(Publication.state == PublicationState.SENDING, *reached)
    )
    return session.scalar(found) or 0
