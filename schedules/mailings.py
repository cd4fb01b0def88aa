"""Who on a list has been written to: each recipient at most once, whatever dies in between.

Every recipient of a letter has a row. It is committed as `sending` before the letter is handed over
and settled afterwards, together with the beginning of the next one. Whoever finds a row that has
begun leaves it alone: that nobody gets a letter twice matters more than that everybody gets one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, String, cast, func, insert, literal, select, update
from sqlalchemy.engine import CursorResult

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import TryAgain
from cms.core.faults import declare, fault
from cms.core.i18n import N_
from schedules import letters, steps
from schedules.envelopes import Envelope
from schedules.models import Delivery, Publication, Subscriber
from schedules.obstacles import NOT_OURS, STOPPED, obstacle
from schedules.states import DeliveryState

PREFIX = "subscriber-"
# Facts of a publication: whom the list had, what else the letter lists, rounds done, the place in
# the round, and that it ended without everybody.
LISTED, ALSO, LATER, AT, OVER = "listed", "also", "later", "at", "over"
BROKE_OFF = N_("The worker died while it was sent; it may have arrived.")
LEFT = N_("Left the list before it was sent.")

declare("letter.after_begun", "letter.after_sent")

_S = DeliveryState
COUNTED = {
    _S.SENT: "sent",
    _S.FAILED: "failed",
    _S.NOT_A_CONTACT: "failed",
    _S.UNCERTAIN: "uncertain",
}


class Halted(Exception):
    """Somebody stopped the account: what has not begun waits."""


@dataclass(frozen=True)
class Addressee:
    """One recipient whose row says `sending`."""

    delivery_id: int
    subscriber_id: int
    address: str
    token: str


@dataclass(frozen=True)
class Done:
    """What became of one: a WAITING one was provably not written to and may be tried again."""

    delivery_id: int
    state: DeliveryState
    reason: str = ""


@dataclass(frozen=True)
class Tally:
    """How far a letter is."""

    waiting: int = 0
    sent: int = 0
    failed: int = 0
    uncertain: int = 0

    def told(self) -> dict[str, int]:
        return {"sent": self.sent, "failed": self.failed, "uncertain": self.uncertain}


def begin(envelope: Envelope) -> Envelope:
    """Write down everybody on the list, once; what a dead worker had begun is uncertain from now on."""
    with transaction():
        facts = _own(envelope)
        if LISTED not in facts:
            also = [one.publication_id for one in letters.earlier(envelope.outgoing)]
            facts |= {LISTED: _list(envelope), ALSO: also}
        if facts.get(OVER):
            _move(envelope, _S.FAILED, _S.WAITING)  # a person had it tried again
            facts |= {OVER: False, LATER: 0, AT: 0}
        _move(envelope, _S.SENDING, _S.UNCERTAIN, BROKE_OFF)
        return steps.note(replace(envelope, facts=facts))


def turn(envelope: Envelope, done: Done | None, after: int) -> Addressee | None:
    """Settle one and begin the next whose row comes after `after`, in one commit.

    None: nobody is left. Raises Halted when sending was stopped, TryAgain when it is not ours any more.
    """
    with transaction():
        if done:
            _settle(done)
        reason = obstacle(envelope)
        begun = None if reason else _begin_next(envelope, after)
    if reason:
        raise Halted if reason == STOPPED else TryAgain(reason)
    fault("letter.after_begun")
    return begun


def settle(done: Done) -> None:
    with transaction():
        _settle(done)


def give_up(envelope: Envelope) -> None:
    """Those who were put off again and again will not be written to any more."""
    with transaction():
        _move(envelope, _S.WAITING, _S.FAILED)


def is_anybody_after(publication_id: int, place: int) -> bool:
    """Whether somebody still waits for their turn in a round that has come to that place."""
    waiting = select(Delivery.id).where(
        Delivery.publication_id == publication_id,
        Delivery.state == _S.WAITING,
        Delivery.id > place,
    )
    return session.scalar(waiting.limit(1)) is not None


def tally(publication_id: int) -> Tally:
    """How far the publication's letters are."""
    by_state = (
        select(Delivery.state, func.count())
        .where(Delivery.publication_id == publication_id)
        .group_by(Delivery.state)
    )
    counted: Counter[str] = Counter()
    for state, count in session.execute(by_state):
        counted[COUNTED.get(state, "waiting")] += count
    return Tally(**counted)


def subscriber_id(delivery: Delivery) -> int:
    """Whose row it is."""
    return int(delivery.recipient.removeprefix(PREFIX))


def _own(envelope: Envelope) -> dict[str, Any]:
    """The publication's facts; raises TryAgain when a peer has claimed it since."""
    row = session.execute(
        select(Publication.fence, Publication.carrier_facts)
        .where(Publication.id == envelope.publication_id)
        .with_for_update()
    ).one()
    if row.fence != envelope.fence:
        raise TryAgain(NOT_OURS)
    return dict(row.carrier_facts)


def _list(envelope: Envelope) -> int:
    chosen = select(
        literal(envelope.publication_id),
        literal(PREFIX).op("||")(cast(Subscriber.id, String)),
        literal(""),
        literal(_S.WAITING.value),
        literal(""),
        literal(now(), Delivery.updated_at.type),
    ).where(Subscriber.account_id == envelope.account_id, Subscriber.left_at.is_(None))
    names = ["publication_id", "recipient", "employee", "state", "reason", "updated_at"]
    done = session.execute(insert(Delivery).from_select(names, chosen.order_by(Subscriber.id)))
    return done.rowcount if isinstance(done, CursorResult) else 0


def _begin_next(envelope: Envelope, after: int) -> Addressee | None:
    while True:
        delivery = session.scalar(
            select(Delivery)
            .where(Delivery.publication_id == envelope.publication_id, Delivery.id > after)
            .where(Delivery.state == _S.WAITING)
            .order_by(Delivery.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if delivery is None:
            return None
        subscriber = session.get(Subscriber, subscriber_id(delivery), populate_existing=True)
        delivery.updated_at = now()
        if subscriber is not None and subscriber.left_at is None:
            delivery.state, delivery.reason = _S.SENDING, ""
            return Addressee(delivery.id, subscriber.id, subscriber.address, subscriber.token)
        delivery.state, delivery.reason = _S.NOT_A_CONTACT, LEFT
        session.flush()  # the next question must not find it again


def _settle(done: Done) -> None:
    """The one who began knows best, even when a peer has called it uncertain meanwhile."""
    moment = now()
    session.execute(
        update(Delivery)
        .where(Delivery.id == done.delivery_id)
        .where(Delivery.state.in_([_S.SENDING, _S.UNCERTAIN]))
        .values(
            state=done.state,
            reason=done.reason[:300],
            updated_at=moment,
            sent_at=moment if done.state is _S.SENT else None,
        )
        .execution_options(synchronize_session=False)
    )


def _move(envelope: Envelope, old: DeliveryState, new: DeliveryState, reason: str = "") -> None:
    values: dict[str, Any] = {"state": new, "updated_at": now()}
    values |= {"reason": reason} if reason else {}
    session.execute(
        update(Delivery)
        .where(Delivery.publication_id == envelope.publication_id, Delivery.state == old)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def unreached(publication_id: int) -> Select[Delivery]:
    """Those whom the letter did not surely reach, for people to look at; the uncertain ones first."""
    return (
        select(Delivery)
        .where(Delivery.publication_id == publication_id, Delivery.state != _S.SENT)
        .order_by((Delivery.state != _S.UNCERTAIN), Delivery.state, Delivery.id)
    )


def addresses(deliveries: Sequence[Delivery]) -> dict[int, str]:
    """The address behind each delivery, by the delivery's id."""
    wanted = {subscriber_id(one): one.id for one in deliveries}
    rows = session.execute(
        select(Subscriber.id, Subscriber.address).where(Subscriber.id.in_(wanted))
    )
    return {wanted[row.id]: row.address for row in rows}
