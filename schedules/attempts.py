"""The attempt log: what was tried, by whom, when, and what came of it, within bounds."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from cms.core.clock import now
from cms.core.db import session
from cms.core.sentences import parts_of
from schedules.channels.base import Receipt
from schedules.envelopes import Envelope
from schedules.models import Attempt
from schedules.states import Act, Outcome

MOST_BYTES = 7_000  # of one attempt, so that a log of many tries stays readable and small
_LENGTHS = (400, 200, 100, 40)  # of a text inside; the longest that fits is kept
_CALLS = (20, 8, 4, 0)
_WORDS_SENT = 120
GOES_ON = "goes_on"
LOOKED_UP = "looked_up"  # it asked the carrier about an earlier one, and sent nothing itself
VOUCHED = "vouched"  # a person looked and said: send it again


def begin(envelope: Envelope, act: Act = Act.SEND, *, worker: str = "") -> None:
    """Write down that this is tried now; nothing has left yet."""
    content = envelope.outgoing
    said: dict[str, Any] = {"worker": worker} if worker else {}
    if act in (Act.SEND, Act.AMEND):
        said |= {"text": content.text[:_WORDS_SENT], "pictures": len(content.pictures)}
    session.add(
        Attempt(
            publication_id=envelope.publication_id,
            fence=envelope.fence,
            act=act,
            started_at=now(),
            detail=said,
        )
    )


def close(
    envelope: Envelope, receipt: Receipt, *, is_ours: bool, next_try_at: datetime | None = None
) -> None:
    """Finish the attempt's row; an answer that came too late is kept beside what was decided."""
    attempt = session.scalar(
        select(Attempt).where(
            Attempt.publication_id == envelope.publication_id, Attempt.fence == envelope.fence
        )
    )
    if attempt is None:
        return
    said = _told(receipt)
    if not is_ours or attempt.outcome is not None:
        late = {"outcome": receipt.outcome.value, **said}
        attempt.detail = bounded({**attempt.detail, "late_answer": late})
        return
    if next_try_at:
        said["next_try_at"] = next_try_at.isoformat()
    attempt.detail = bounded({**attempt.detail, **said})
    attempt.finished_at, attempt.outcome = now(), receipt.outcome


def _told(receipt: Receipt) -> dict[str, Any]:
    said: dict[str, Any] = dict(receipt.detail)
    said |= {"reason": receipt.reason} if receipt.reason else {}
    said |= {"reason_parts": parts} if (parts := parts_of(receipt.reason)) else {}
    said |= {"external_id": receipt.external_id} if receipt.external_id else {}
    said |= {GOES_ON: True} if receipt.goes_on else {}
    return said | ({"url": receipt.url} if receipt.url else {})


def lose(publication_id: int, fence: int) -> None:
    """Whoever made this attempt fell silent: nobody knows what came of it."""
    attempt = session.scalar(
        select(Attempt).where(
            Attempt.publication_id == publication_id,
            Attempt.fence == fence,
            Attempt.outcome.is_(None),
        )
    )
    if attempt is not None:
        attempt.finished_at, attempt.outcome = now(), Outcome.UNCERTAIN
        attempt.detail = {**attempt.detail, "lost": True}


def reminders(publication_id: int, *, since: datetime) -> list[datetime]:
    """When employees were reminded since then, or may have been; the earliest first."""
    found = select(Attempt.started_at).where(
        Attempt.publication_id == publication_id,
        Attempt.act == Act.REMIND,
        Attempt.started_at > since,
        or_(Attempt.outcome.is_(None), Attempt.outcome.in_([Outcome.ACCEPTED, Outcome.UNCERTAIN])),
    )
    return list(session.scalars(found.order_by(Attempt.started_at)))


def unresolved(publication_id: int, *, before: int | None = None) -> list[datetime]:
    """When the sends began whose outcome nobody knows, up to the fence `before`.

    An accepted send closes all that came before it: what was sent anew is another story.
    """
    return [row.started_at for row in _unresolved(_sends(publication_id), before)]


def _unresolved(rows: Sequence[Any], before: int | None = None) -> list[Any]:
    settled = max((row.fence for row in rows if _is_whole(row)), default=0)
    return [
        row
        for row in rows
        if row.fence > settled
        and row.outcome in (None, Outcome.UNCERTAIN)
        and not row.detail.get(LOOKED_UP)
        and (before is None or row.fence < before)
    ]


def doubtful(publication_id: int, *, before: int | None = None) -> list[datetime]:
    """The same, without those for which a person has said since that it shall be sent again."""
    rows = _unresolved(_sends(publication_id), before)
    return [row.started_at for row in rows if not _is_vouched(row)]


def vouch(publication_id: int) -> None:
    """A person answers for what is unknown so far: whatever it was, it shall be sent again."""
    wanted = {row.fence for row in _unresolved(_sends(publication_id))}
    found = select(Attempt).where(
        Attempt.publication_id == publication_id, Attempt.fence.in_(wanted)
    )
    for attempt in session.scalars(found):
        attempt.detail = {**attempt.detail, VOUCHED: True}


def may_be_out(publication_id: int) -> bool:
    """Whether the newest send may have reached somebody: its outcome is unknown, or a part is done."""
    return publication_id in maybe_out([publication_id])


def maybe_out(publication_ids: Sequence[int]) -> set[int]:
    """Those of which that is true, with one question for all."""
    if not publication_ids:
        return set()
    sends: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(_sends_of(Attempt.publication_id.in_(publication_ids))):
        sends[row.publication_id].append(row)
    return {one for one, rows in sends.items() if _is_part_out(rows) or _unresolved(rows)}


def is_part_out(publication_id: int) -> bool:
    """Whether some have got the newest send, and not yet all."""
    return _is_part_out(_sends(publication_id))


def _is_part_out(rows: Sequence[Any]) -> bool:
    settled = max((row.fence for row in rows if _is_whole(row)), default=0)
    return any(row.fence > settled and _has_reached_some(row) for row in rows)


def was_accepted(publication_id: int) -> bool:
    """Whether the carrier took the newest send: sending again under its key would be no send."""
    rows = _sends(publication_id)
    return bool(rows) and _is_whole(rows[-1])


def _sends(publication_id: int) -> Sequence[Any]:
    return session.execute(_sends_of(Attempt.publication_id == publication_id)).all()


def _sends_of(whose: ColumnElement[bool]) -> Select[Any]:
    columns = (Attempt.publication_id, Attempt.fence, Attempt.started_at, Attempt.outcome)
    found = select(*columns, Attempt.detail).where(whose, Attempt.act == Act.SEND)
    return found.order_by(Attempt.fence)


def _is_whole(row: Any) -> bool:
    """Whether this try ended the send, and did not only carry it a part of the way."""
    return row.outcome is Outcome.ACCEPTED and not row.detail.get(GOES_ON)


def _has_reached_some(row: Any) -> bool:
    """Whether this try reached readers, even when the rest was refused."""
    return row.outcome is Outcome.ACCEPTED or bool(row.detail.get(GOES_ON))


def _is_vouched(row: Any) -> bool:
    return bool(row.detail.get(VOUCHED))


def bounded(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with long texts cut and calls in the middle left out until it is small enough."""
    kept = dict(detail)
    for calls in _CALLS:
        for length in _LENGTHS:
            if len(json.dumps(kept)) <= MOST_BYTES:
                return kept
            kept = _cut(detail, length, calls)
    return kept


def _cut(value: Any, length: int, calls: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= length else value[:length] + "…"
    if isinstance(value, list):
        ends = (
            value if len(value) <= calls else value[: calls - calls // 2] + _last(value, calls // 2)
        )
        return [_cut(one, length, calls) for one in ends]
    if isinstance(value, Mapping):
        return {key: _cut(one, length, calls) for key, one in value.items()}
    return value


def _last(values: list[Any], number: int) -> list[Any]:
    return values[-number:] if number else []
