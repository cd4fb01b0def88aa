"""The log of one publication for people: every try and every decision once, the newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from cms.accounts import audit
from cms.accounts.models import AuditEntry
from cms.core.db import session
from schedules import questions
from schedules.channels.answers import Standing
from schedules.models import Attempt, Publication
from schedules.states import Act, Outcome

ENTRIES_SHOWN = 100
# The attempt itself tells of these better.
_TOLD_BY_ATTEMPTS = frozenset({"publication.claimed", "publication.sending"})

ACTS = {
    Act.SEND: _("Sent"),
    Act.AMEND: _("Changed what is live"),
    Act.WITHDRAW: _("Taken back"),
    Act.REMIND: _("Reminded employees"),
}
OUTCOMES = {
    Outcome.ACCEPTED: _("Accepted"),
    Outcome.REJECTED: _("Refused"),
    Outcome.NOT_SENT: _("Nothing was sent"),
    Outcome.UNCERTAIN: _("Nobody knows"),
}
TONES = {
    Outcome.ACCEPTED: "leaf",
    Outcome.REJECTED: "brick",
    Outcome.NOT_SENT: "sky",
    Outcome.UNCERTAIN: "sun",
}

STANDINGS = {
    Standing.UNKNOWN: _("It could not say."),
    Standing.WAITING: _("Not yet live."),
    Standing.LIVE: _("It is live."),
    Standing.REFUSED: _("It was turned down."),
    Standing.WITHDRAWN: _("It was taken back."),
}


@dataclass(frozen=True)
class Call:
    """One request to the carrier as the attempt kept it, its secrets masked by whoever made it."""

    method: str
    address: str
    sent: str
    status: int | None
    said: str
    ms: int | None


@dataclass(frozen=True)
class Change:
    """A moment at which the carrier's answer changed."""

    at: datetime | None
    said: Any
    confirmed: int
    expected: int


@dataclass(frozen=True)
class Asked:
    """How often the carrier was asked about a send since, and what it said last."""

    count: int
    at: datetime | None
    said: Any
    reason: str
    reason_parts: Mapping[str, Any]
    calls: Sequence[Call]
    changes: Sequence[Change]
    next_at: datetime | None


@dataclass(frozen=True)
class Try:
    """One attempt. `look_up` are the calls that asked about an earlier try before this one sent."""

    number: int
    attempt: Attempt
    act: Any
    outcome: Any
    tone: str
    worker: str
    calls: Sequence[Call]
    look_up: Sequence[Call]
    next_at: datetime | None
    ms: int | None
    asked: Asked | None = None

    @property
    def detail(self) -> Mapping[str, Any]:
        return self.attempt.detail

    @property
    def at(self) -> datetime:
        return self.attempt.started_at


@dataclass(frozen=True)
class Move:
    """One change of state, or one decision, that no attempt tells."""

    entry: AuditEntry
    name: str

    @property
    def at(self) -> datetime:
        return self.entry.at


@dataclass(frozen=True)
class Log:
    entries: list[Try | Move] = field(default_factory=list)
    is_cut: bool = False


def of(publication: Publication) -> Log:
    """Everything that happened to the publication, the newest first."""
    trail = audit.entries(object_type=Publication.__tablename__, object_id=publication.id)
    moves = list(session.scalars(trail.limit(ENTRIES_SHOWN * 3)))
    newest = select(Attempt).where(Attempt.publication_id == publication.id)
    tries = list(session.scalars(newest.order_by(Attempt.id.desc()).limit(ENTRIES_SHOWN)))
    workers = _workers(moves)
    fences = {attempt.fence for attempt in tries}
    poll_at = publication.poll_at
    first = len(publication.attempts) if len(tries) == ENTRIES_SHOWN else len(tries)
    entries: list[Try | Move] = [
        _try(attempt, first - place, workers.get(attempt.fence, ""), poll_at)
        for place, attempt in enumerate(tries)
    ]
    entries += [
        Move(entry, entry.action.split(".", 1)[-1])
        for entry in moves
        if not _is_told(entry, fences)
    ]
    entries.sort(key=lambda one: (one.at, isinstance(one, Move)), reverse=True)
    return Log(entries[:ENTRIES_SHOWN], len(entries) > ENTRIES_SHOWN)


def _workers(moves: Sequence[AuditEntry]) -> dict[int, str]:
    """Which worker held which claim."""
    return {
        int(entry.detail["fence"]): str(entry.detail["worker"])
        for entry in moves
        if entry.action == "publication.claimed" and "worker" in entry.detail
    }


def _is_told(entry: AuditEntry, fences: set[int]) -> bool:
    """Whether an attempt in the log says the same: that it began, or what came of it."""
    if entry.action in _TOLD_BY_ATTEMPTS:
        return True
    return "outcome" in entry.detail and entry.detail.get("fence") in fences


def _try(attempt: Attempt, number: int, worker: str, poll_at: datetime | None) -> Try:
    detail, outcome = attempt.detail, attempt.outcome
    return Try(
        number=number,
        attempt=attempt,
        act=ACTS[attempt.act],
        outcome=OUTCOMES[outcome] if outcome else _("under way"),
        tone=TONES[outcome] if outcome else "soft",
        worker=worker or str(detail.get("worker", "")),
        calls=_calls(detail),
        look_up=_calls(detail.get("look_up") or {}),
        next_at=_instant(detail.get("next_try_at")),
        ms=_spent(attempt),
        asked=_asked(detail[questions.KEPT], poll_at) if questions.KEPT in detail else None,
    )


def _asked(told: Mapping[str, Any], poll_at: datetime | None) -> Asked:
    return Asked(
        count=int(told.get("count") or 0),
        at=_instant(told.get("at")),
        said=_standing(told),
        reason=str(told.get("reason") or ""),
        reason_parts=told.get("reason_parts") or {},
        calls=_calls(told),
        changes=[
            Change(_instant(one.get("at")), _standing(one), one["confirmed"], one["expected"])
            for one in told.get("changes") or ()
        ],
        next_at=poll_at,
    )


def _standing(told: Mapping[str, Any]) -> Any:
    return STANDINGS[Standing(told.get("standing") or Standing.UNKNOWN)]


def _calls(detail: Mapping[str, Any]) -> list[Call]:
    return [_call(one) for one in detail.get("calls") or () if isinstance(one, dict)]


def _call(told: Mapping[str, Any]) -> Call:
    status, spent = told.get("status"), told.get("ms")
    return Call(
        method=str(told.get("method", "")),
        address=str(told.get("address", "")),
        sent=str(told.get("sent", "")),
        status=status if isinstance(status, int) else None,
        said=str(told.get("said", "")),
        ms=spent if isinstance(spent, int) else None,
    )


def _instant(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _spent(attempt: Attempt) -> int | None:
    told = attempt.detail.get("ms")
    if isinstance(told, int | float):
        return round(told)
    if attempt.finished_at is None:
        return None
    return round((attempt.finished_at - attempt.started_at).total_seconds() * 1000)
