"""Whom a carrier asked and whom it reached: merged so that neither order nor repetition matters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import structlog
from sqlalchemy import func, insert, select, update

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.i18n import N_
from schedules.channels.answers import EmployeeAnswer, Reached
from schedules.models import Delivery, EmployeeTask, Publication
from schedules.states import DeliveryState, HandOverState

log = structlog.get_logger(__name__)

SEVERAL_TIMES = N_("Several employees have sent it to them: they got it more than once.")
MOST_PEOPLE = 20_000  # in one answer; whoever asks more people asks them in several posts
AT_ONCE = 500

OPEN = (HandOverState.WAITING, HandOverState.EXPIRED)
_ANSWERS = (HandOverState.DECLINED, HandOverState.CONFIRMED)
Item = TypeVar("Item")


@dataclass(frozen=True)
class _Said:
    """What is known of one of them."""

    name: str
    state: Any
    at: datetime | None
    more: dict[str, Any] = field(default_factory=dict)  # the further columns


@dataclass(frozen=True)
class _Rows:
    """One of the two tables. What stands later in `ranks` is never taken back by what stands earlier."""

    model: Any
    name: str
    at: str
    ranks: tuple[Any, ...]
    done: Any
    more: tuple[str, ...] = ()  # further columns that follow the state

    def further(self, before: _Said | None, said: _Said) -> _Said:
        """Of two the one that says more; of the same state the earlier moment."""
        if before is None:
            return said
        if before.state is not said.state:
            return max(before, said, key=lambda one: self.ranks.index(one.state))
        moments = [at for at in (before.at, said.at) if at is not None]
        return replace(before, at=min(moments, default=None), more=self._more(before, said))

    def _more(self, before: _Said, said: _Said) -> dict[str, Any]:
        """One row a recipient: when two employees have reached the same one, it says so."""
        who, other = before.more.get("employee"), said.more.get("employee")
        if self.done is DeliveryState.SENT is said.state and who and other and who != other:
            return before.more | {"reason": SEVERAL_TIMES}
        return before.more

    def stamp(self, said: _Said, moment: datetime) -> datetime | None:
        """Done, though nobody says when: then now is the best that is known."""
        return moment if said.state is self.done else None


_TASKS = _Rows(
    EmployeeTask,
    "employee",
    "confirmed_at",
    (
        HandOverState.WAITING,
        HandOverState.EXPIRED,
        HandOverState.DECLINED,
        HandOverState.CONFIRMED,
    ),
    HandOverState.CONFIRMED,
)
_DELIVERIES = _Rows(
    Delivery,
    "recipient",
    "sent_at",
    (
        DeliveryState.WAITING,
        DeliveryState.SENDING,
        DeliveryState.UNCERTAIN,
        DeliveryState.FAILED,
        DeliveryState.NOT_A_CONTACT,
        DeliveryState.QUOTA_USED,
        DeliveryState.SENT,
    ),
    DeliveryState.SENT,
    ("employee", "reason"),
)


@dataclass(frozen=True)
class Tally:
    """How many employees were asked, and what they did."""

    expected: int = 0
    confirmed: int = 0
    declined: int = 0
    by_hand: int = 0  # of the answers, those that a person entered here

    @property
    def is_answered(self) -> bool:
        """Whether nobody is left to wait for."""
        return self.expected > 0 and self.confirmed + self.declined == self.expected


def tally(publication_id: int) -> Tally:
    """Counted from the rows, so that no answer is counted twice."""
    tasks = select(EmployeeTask).where(EmployeeTask.publication_id == publication_id).subquery()
    row = session.execute(
        select(
            func.count(),
            func.count().filter(tasks.c.state == HandOverState.CONFIRMED),
            func.count().filter(tasks.c.state == HandOverState.DECLINED),
            func.count().filter(tasks.c.decided_by_id.is_not(None)),
        ).select_from(tasks)
    ).one()
    return Tally(*row)


def note_employees(publication_id: int, answers: Sequence[EmployeeAnswer]) -> bool:
    """Merge what the carrier says of each employee; whether anything was new."""
    said = [
        _Said(one.employee[:64], one.state, one.at if one.state in _ANSWERS else None)
        for one in _bounded(answers, publication_id)
    ]
    return _merged(_TASKS, publication_id, said)


def note_reached(publication_id: int, reached: Sequence[Reached]) -> bool:
    """Merge what the carrier says of each recipient; whether anything was new."""
    said = [
        _Said(
            one.recipient[:160],
            one.state,
            one.at,
            {"employee": one.employee[:64], "reason": one.reason[:300]},
        )
        for one in _bounded(reached, publication_id)
    ]
    return _merged(_DELIVERIES, publication_id, said)


def expire(publication_id: int) -> None:
    """Nobody waits for them any more; whoever confirms late still counts."""
    session.execute(
        update(EmployeeTask)
        .where(EmployeeTask.publication_id == publication_id)
        .where(EmployeeTask.state == HandOverState.WAITING)
        .values(state=HandOverState.EXPIRED, updated_at=now())
        .execution_options(synchronize_session=False)
    )


def raises(state: HandOverState, task: EmployeeTask) -> bool:
    """Whether the state says more than what is known of the task."""
    return _TASKS.ranks.index(state) > _TASKS.ranks.index(task.state)


def _merged(rows: _Rows, publication_id: int, said: Sequence[_Said]) -> bool:
    """Written in portions, each in a transaction of its own: others want to write too."""
    rest, is_new = iter(said), False
    while some := list(islice(rest, AT_ONCE)):
        with transaction():
            is_new |= _merge(rows, publication_id, some)
    return is_new


def _merge(rows: _Rows, publication_id: int, said: Iterable[_Said]) -> bool:
    furthest: dict[str, _Said] = {}
    for one in said:
        furthest[one.name] = rows.further(furthest.get(one.name), one)
    _lock(publication_id)
    known = _known(rows, publication_id, list(furthest))
    moment = now()
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for name, one in furthest.items():
        number, before = known.get(name, (0, None))
        after = rows.further(before, one)
        if before is not None and _is_known(before, after):
            continue
        values = {"state": after.state, rows.at: after.at or rows.stamp(after, moment)}
        values |= after.more | {"updated_at": moment}
        if before is None:
            fresh.append({"publication_id": publication_id, rows.name: name, **values})
        else:
            changed.append({"id": number, **values})
    if fresh:
        session.execute(insert(rows.model), fresh)
    if changed:
        session.execute(update(rows.model), changed)
    return bool(fresh or changed)


def _is_known(before: _Said, after: _Said) -> bool:
    return (after.state, after.at, after.more) == (before.state, before.at, before.more)


def _known(
    rows: _Rows, publication_id: int, names: list[str]
) -> dict[str, tuple[int, _Said | None]]:
    model = rows.model
    name, at = getattr(model, rows.name), getattr(model, rows.at)
    found = session.execute(
        select(model.id, name, model.state, at, *(getattr(model, one) for one in rows.more)).where(
            model.publication_id == publication_id, name.in_(names)
        )
    )
    return {
        row[1]: (row[0], _Said(row[1], row[2], row[3], dict(zip(rows.more, row[4:], strict=True))))
        for row in found
    }


def _lock(publication_id: int) -> None:
    """Two answers about one publication are merged one after the other."""
    session.execute(
        select(Publication.id).where(Publication.id == publication_id).with_for_update()
    )


def _bounded(said: Sequence[Item], publication_id: int) -> Sequence[Item]:
    if len(said) > MOST_PEOPLE:
        log.warning("answer_too_long", publication=publication_id, people=len(said))
    return said[:MOST_PEOPLE]
