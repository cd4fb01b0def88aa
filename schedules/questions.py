"""What the log keeps of the questions put to a carrier: how many, the last answer, the last changes."""

from typing import Any

from sqlalchemy import select

from cms.core.clock import now
from cms.core.db import session
from cms.core.sentences import parts_of
from schedules.attempts import bounded
from schedules.channels.answers import Progress, Standing
from schedules.models import Attempt, Publication
from schedules.states import Act

KEPT = "asked"  # in the detail of the send that is asked about
CHANGES_KEPT = 12
CALLS_KEPT = 4


def note(publication: Publication, progress: Progress, *, was_asked: bool) -> None:
    """Write the answer beside the send it is about; a month of questions takes no more room than
    a dozen. `was_asked` is false where something kept us from asking."""
    attempt = _sent(publication.id)
    if attempt is None:
        return
    known = attempt.detail.get(KEPT) or {}
    said = {
        "count": int(known.get("count") or 0) + was_asked,
        "at": now().isoformat(),
        "standing": progress.standing.value,
        "reason": progress.reason[:300],
        "reason_parts": parts_of(progress.reason),
        "calls": list(progress.detail.get("calls", ()))[-CALLS_KEPT:],
        "changes": _changes(known.get("changes") or [], publication, progress),
    }
    attempt.detail = bounded({**attempt.detail, KEPT: said})


def _sent(publication_id: int) -> Attempt | None:
    found = select(Attempt).where(Attempt.publication_id == publication_id, Attempt.act == Act.SEND)
    return session.scalar(found.order_by(Attempt.fence.desc()).limit(1))


def _changes(
    known: list[dict[str, Any]], publication: Publication, progress: Progress
) -> list[dict[str, Any]]:
    """The moments at which an answer said something else than the one before."""
    if progress.standing is Standing.UNKNOWN:
        return known
    fresh = {
        "standing": progress.standing.value,
        "confirmed": publication.confirmed,
        "expected": publication.expected,
    }
    last = {key: value for key, value in known[-1].items() if key != "at"} if known else None
    if fresh == last:
        return known
    return [*known, {"at": now().isoformat(), **fresh}][-CHANGES_KEPT:]
