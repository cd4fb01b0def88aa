"""When carriers are asked about publications they have taken, by whom, and how often."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import case, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.errors import SeedbedError
from cms.core.i18n import N_
from cms.core.sentences import parts_of
from schedules import addressing, questions
from schedules.channels import CHANNELS
from schedules.channels.base import Channel, Confirmation, Progress, Standing
from schedules.channels.plans import CARRIER_POLLS, STAFF_POLLS
from schedules.envelopes import Envelope
from schedules.models import ChannelAccount, Publication
from schedules.progress import apply, is_overdue
from schedules.states import PublicationState as State

__all__ = ["CARRIER_POLLS", "STAFF_POLLS", "apply", "ask", "begin", "due", "hurry", "is_overdue"]

log = structlog.get_logger(__name__)

CONFIRM_WITHIN = {
    Confirmation.CARRIER: timedelta(hours=24),
    Confirmation.EMPLOYEES: timedelta(hours=24),
    Confirmation.ADMINISTRATOR: timedelta(minutes=30),
}
COUNTED_FOR = timedelta(days=30)  # late confirmations count that long
SOONEST, LATEST = timedelta(seconds=1), timedelta(days=2)  # what a channel may wish
MOST_DUE = 100
MOST_LOOKED_AT = 2_000
MOST_EACH = 5  # of one account in a round, so that its many or slow ones leave others their turn
ASKED = (State.HANDED_OVER, State.PUBLISHED)
SLOW_SECONDS = 3.0
REST = timedelta(minutes=1)  # for an account whose carrier lets questions hang
PAUSED = N_("The account is paused; its carrier is not asked.")
BROKEN = N_("The question to the carrier could not be prepared. The log says why.")
UNREADABLE = N_("The carrier's answer could not be written down. The log says why.")

Sign = tuple[int, int, float]  # id, questions so far, when it is due


def begin(publication: Publication, channel: Channel, confirmation: Confirmation) -> dict[str, Any]:
    """The columns that change when a carrier has taken a publication that is not live yet."""
    moment = now()
    first = _plan(channel, confirmation)[0]
    within = _patience(publication, confirmation)
    return {"poll_at": moment + first, "polls": 0, "confirm_by": moment + within}


def _patience(publication: Publication, confirmation: Confirmation) -> timedelta:
    """The carrier has taken it: whatever was typed into the account, this must not fail now."""
    hours = publication.account.settings.get("confirm_hours")
    if not hours:
        return CONFIRM_WITHIN[confirmation]
    return timedelta(hours=min(float(hours), COUNTED_FOR / timedelta(hours=1)))


def due() -> list[Sign]:
    """What is to be asked about now: of each account the longest waiting first, accounts in turn.

    Whatever is not with its carrier has no such moment, so that the state need not be asked for:
    a database that went by it would read the whole history.
    """
    head = (
        select(Publication.id, Publication.account_id, Publication.polls, Publication.poll_at)
        .where(Publication.poll_at <= now())
        .order_by(Publication.poll_at, Publication.id)
        .limit(MOST_LOOKED_AT)
        .subquery()
    )
    place = func.row_number().over(
        partition_by=head.c.account_id, order_by=(head.c.poll_at, head.c.id)
    )
    waiting = select(head, place.label("place")).subquery()
    rows = session.execute(
        select(waiting)
        .where(waiting.c.place <= MOST_EACH)
        .order_by(waiting.c.place, waiting.c.poll_at, waiting.c.id)
        .limit(MOST_DUE)
    )
    return [(row.id, row.polls, row.poll_at.timestamp()) for row in rows]


def hurry(publication_id: int) -> None:
    """Ask within seconds: its carrier has hinted that something happened. Costs no turn of the plan."""
    with transaction():
        session.execute(
            update(Publication)
            .where(Publication.id == publication_id, Publication.state.in_(ASKED))
            .where(Publication.confirm_by.is_not(None))
            .values(
                poll_at=now(), polls=case((Publication.polls > 0, Publication.polls - 1), else_=0)
            )
            .execution_options(synchronize_session=False)
        )


def ask(publication_id: int) -> bool:
    """Ask the carrier once, whoever else was told to; whether this caller was the one to ask."""
    turn = _take_turn(publication_id)
    if turn is None:
        return False
    started = time.monotonic()
    progress = _answer(turn)
    slow = time.monotonic() - started >= SLOW_SECONDS
    progress = _applied(publication_id, progress)
    with transaction():
        _plan_next(publication_id, turn, progress)
    if turn.envelope and progress.standing is Standing.UNKNOWN and progress.reason:
        _note_fault(turn.envelope.account_id, progress.reason, is_slow=slow)
    return True


@dataclass(frozen=True)
class _Turn:
    """One question that this caller may ask; past `until` somebody else does."""

    until: datetime
    envelope: Envelope | None = None
    hindrance: str = ""


def _take_turn(publication_id: int) -> _Turn | None:
    until = now() + timedelta(seconds=current().lease_seconds)
    with transaction():
        done = session.execute(
            update(Publication)
            .where(Publication.id == publication_id, Publication.state.in_(ASKED))
            .where(Publication.poll_at <= now())
            .values(poll_at=until, polls=Publication.polls + 1)
            .execution_options(synchronize_session=False)
        )
        if not isinstance(done, CursorResult) or done.rowcount != 1:
            return None
        publication = session.get_one(Publication, publication_id, populate_existing=True)
        if publication.account.is_paused:
            # Wrong secrets asked with again and again would shut out the whole house.
            return _Turn(until, hindrance=PAUSED)
        try:
            return _Turn(until, addressing.envelope_of(publication))
        except SeedbedError as error:
            return _Turn(until, hindrance=str(error))
        except DBAPIError:
            raise
        except Exception:  # the door of one row: asked for anew at once, it would stand in the way
            log.exception("question_broken", publication=publication_id)
            return _Turn(until, hindrance=BROKEN)


def _answer(turn: _Turn) -> Progress:
    """No transaction is open here, and no connection is held."""
    if turn.envelope is None:
        return Progress(Standing.UNKNOWN, reason=turn.hindrance)
    channel = CHANNELS.get(turn.envelope.outgoing.channel)
    progress = channel.ask_progress(turn.envelope)
    log.info(
        "channel_told",
        channel=channel.slug,
        publication=turn.envelope.publication_id,
        standing=progress.standing.value,
    )
    return progress


def _applied(publication_id: int, progress: Progress) -> Progress:
    """The answer as far as it could be written down: one that cannot be must not come at once again."""
    try:
        apply(publication_id, progress)
    except (OperationalError, InterfaceError):  # the database is away, and the answer is sound
        raise
    except Exception:  # the door of one answer
        log.exception("answer_not_applied", publication=publication_id)
        return Progress(Standing.UNKNOWN, reason=UNREADABLE)
    return progress


def _plan_next(publication_id: int, turn: _Turn, progress: Progress) -> None:
    """Only where nobody has hurried it meanwhile."""
    publication = session.get(Publication, publication_id, populate_existing=True)
    if publication is None:
        return
    session.execute(
        update(Publication)
        .where(Publication.id == publication_id, Publication.poll_at == turn.until)
        .values(poll_at=_next(publication, progress))
        .execution_options(synchronize_session=False)
    )
    questions.note(publication, progress, was_asked=turn.envelope is not None)


def _next(publication: Publication, progress: Progress) -> datetime | None:
    if _is_settled(publication, progress):
        return None
    moment = now()
    account = publication.account
    channel = CHANNELS.get(account.channel)
    plan = _plan(channel, channel.confirmation_for(account.settings))
    planned = plan[min(publication.polls, len(plan) - 1)]
    at = moment + (min(max(progress.after, SOONEST), LATEST) if progress.after else planned)
    if publication.confirm_by and moment < publication.confirm_by:
        at = min(at, publication.confirm_by)
    return at if at <= publication.due_at + COUNTED_FOR else None


def _is_settled(publication: Publication, progress: Progress) -> bool:
    """A live post is asked about only while confirmations are missing, or its channel wants it."""
    if publication.state not in ASKED or publication.withdrawn_at is not None:
        return True
    is_whole = publication.confirmed >= publication.expected
    is_live = publication.state is State.PUBLISHED and progress.standing is Standing.LIVE
    return is_live and is_whole and progress.after is None


def _plan(channel: Channel, confirmation: Confirmation) -> tuple[timedelta, ...]:
    by_people = confirmation is Confirmation.EMPLOYEES
    return channel.polls or (STAFF_POLLS if by_people else CARRIER_POLLS)


def _note_fault(account_id: int, reason: str, *, is_slow: bool) -> None:
    """The account's page shows it; a carrier that lets questions hang is given a rest from them.

    Each in a transaction of its own: others hold a publication's row while they wait for its
    account's, and whoever took them the other way round could wait for them for ever.
    """
    with transaction():
        session.execute(
            update(ChannelAccount)
            .where(ChannelAccount.id == account_id)
            .values(last_fault=reason[:300], last_fault_at=now(), fault_parts=parts_of(reason))
            .execution_options(synchronize_session=False)
        )
    if is_slow:
        with transaction():
            _rest(account_id)


def _rest(account_id: int) -> None:
    """Its other questions come later. What somebody else has in hand just now is left to them."""
    rested = now() + REST
    soon = (
        select(Publication.id)
        .where(Publication.account_id == account_id, Publication.state.in_(ASKED))
        .where(Publication.poll_at < rested)
        .order_by(Publication.id)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(Publication)
        .where(Publication.id.in_(session.scalars(soon).all()))
        .values(poll_at=rested)
        .execution_options(synchronize_session=False)
    )
