"""Feedback events: storing each fact once, on its right day, and marking what must be counted anew."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite

from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session
from feedback.facts import Fact
from feedback.kinds import KINDS, TOGGLES
from feedback.models import DirtyDay, Event, Flag
from feedback.verdicts import CONFIRMED_WITHIN, FROM_THE_FUTURE, first_verdict
from schedules.models import Publication

log = structlog.get_logger(__name__)

CLOCK_ERROR = timedelta(minutes=5)
LATE_UNSIGNED = timedelta(hours=24)
TOO_LATE = timedelta(days=7)
BATCH = 400

_BODY = ("kind", "publication_id", "link_code", "visitor_key", "occurred_at", "props")

Key = tuple[str, str]


def store(facts: Sequence[Fact]) -> int:
    """Store what is new, inside the caller's transaction; how many events that were.

    The same fact twice changes nothing. The same id with another content is kept under an id of
    ours, with a warning.
    """
    stored = 0
    for start in range(0, len(facts), BATCH):
        stored += _store_batch(facts[start : start + BATCH])
    return stored


def effective(fact: Fact) -> datetime:
    """When it happened on our clock. Only a real clock error is mended, never the time of travel."""
    moment = fact.occurred_at
    if fact.sent_at is not None and abs(fact.received_at - fact.sent_at) > CLOCK_ERROR:
        moment += fact.received_at - fact.sent_at
    if moment > fact.received_at + CLOCK_ERROR:
        return fact.received_at
    return moment


def mark(publication_id: int, days: Iterable[date]) -> None:
    """Have these days of the publication counted anew."""
    rows = [
        {"publication_id": publication_id, "day": day, "marked_at": now()} for day in sorted(days)
    ]
    if rows:
        insert = _insert(DirtyDay).values(rows)
        session.execute(
            insert.on_conflict_do_update(
                index_elements=["publication_id", "day"],
                set_={"marked_at": insert.excluded.marked_at},
            )
        )


def day_of(moment: datetime) -> date:
    """The day in the workspace's zone."""
    return moment.astimezone(current().zone).date()


def corrections() -> Select[Any]:
    """Events that came after their day was closed, the newest first, for the caller to page."""
    return select(Event).where(Event.flag == Flag.TOO_LATE).order_by(Event.received_at.desc())


def orphans() -> Select[Any]:
    """Events for posts or codes that we do not know, the newest first."""
    return select(Event).where(Event.flag == Flag.UNKNOWN_POST).order_by(Event.received_at.desc())


def _store_batch(facts: Sequence[Fact]) -> int:
    known = _known_publications(facts)
    rows = _without_repeats([_row(fact, known) for fact in facts if fact.kind in KINDS])
    if not rows:
        return 0
    new = session.execute(
        _insert(Event).on_conflict_do_nothing().returning(Event.source, Event.event_id), rows
    ).all()
    fresh = {(source, event_id) for source, event_id in new}
    _mark_all([row for row in rows if (row["source"], row["event_id"]) in fresh])
    return len(fresh)


def _insert(model: Any) -> Any:
    """An insert that can meet what is already there; each database spells it in its own dialect."""
    dialect = session.get_bind().dialect.name
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(model)


def _known_publications(facts: Sequence[Fact]) -> set[int]:
    asked = {fact.publication_id for fact in facts if fact.publication_id is not None}
    return set(session.scalars(select(Publication.id).where(Publication.id.in_(asked))))


def _row(fact: Fact, known: set[int]) -> dict[str, Any]:
    moment = effective(fact)
    publication_id = fact.publication_id if fact.publication_id in known else None
    reasons = list(fact.reasons)
    if moment == fact.received_at < fact.occurred_at:
        reasons.append(FROM_THE_FUTURE)
    return {
        "source": fact.source,
        "event_id": fact.event_id,
        "kind": fact.kind,
        "publication_id": publication_id,
        "link_code": fact.link_code,
        "visitor_key": fact.visitor_key,
        "key_strength": fact.key_strength,
        "occurred_at": fact.occurred_at,
        "received_at": fact.received_at,
        "effective_at": moment,
        "day": day_of(moment),
        "verdict": first_verdict(fact.reasons),
        "reasons": reasons,
        "is_counted": False,
        "is_confirmed": False,
        "flag": _flag(fact, moment, is_known=publication_id is not None),
        "props": fact.props,
    }


def _flag(fact: Fact, moment: datetime, *, is_known: bool) -> Flag:
    age = fact.received_at - moment
    if not is_known:
        return Flag.UNKNOWN_POST
    if age > TOO_LATE:
        return Flag.TOO_LATE
    if age > LATE_UNSIGNED and not fact.is_trusted:
        return Flag.UNSIGNED_LATE
    return Flag.NONE


def _without_repeats(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drop what is stored or said already; what shares an id but not its content gets one of ours."""
    bodies = _stored_bodies(rows)
    kept = []
    for row in rows:
        key, body = (row["source"], row["event_id"]), _body(row)
        if key in bodies and bodies[key] != body:
            log.warning("event_id_collision", source=key[0], event_id=key[1])
            key = (key[0], f"dup-{_digest(key, body)}")
            row["event_id"] = key[1]
        if key not in bodies:
            kept.append(row)
        bodies[key] = body
    return kept


def _stored_bodies(rows: list[dict[str, Any]]) -> dict[Key, str]:
    keys = [(row["source"], row["event_id"]) for row in rows]
    wanted = keys + [
        (row["source"], f"dup-{_digest(key, _body(row))}")
        for key, row in zip(keys, rows, strict=True)
    ]
    columns = [getattr(Event, name) for name in _BODY]
    found = session.execute(
        # Two lists, not one of pairs: SQLite would read the whole table for pairs.
        select(Event.source, Event.event_id, *columns).where(
            Event.source.in_({source for source, _event_id in wanted}),
            Event.event_id.in_({event_id for _source, event_id in wanted}),
        )
    )
    return {(row.source, row.event_id): _body(row._asdict()) for row in found}


def _body(row: dict[str, Any]) -> str:
    content = [row[name] for name in _BODY]
    return json.dumps(content, sort_keys=True, default=lambda moment: moment.isoformat())


def _digest(key: Key, body: str) -> str:
    return hashlib.sha256(f"{key}{body}".encode()).hexdigest()[:32]


def _mark_all(rows: list[dict[str, Any]]) -> None:
    """The event's day, and a neighbour that it may confirm or whose reaction it takes back."""
    days: dict[int, set[date]] = {}
    toggles: set[tuple[int, str, str]] = set()
    for row in rows:
        if row["flag"] is not Flag.NONE:
            continue
        moment = row["effective_at"]
        touched = days.setdefault(row["publication_id"], set())
        touched |= {
            day_of(moment + shift) for shift in (-CONFIRMED_WITHIN, timedelta(0), CONFIRMED_WITHIN)
        }
        if row["kind"] in TOGGLES:
            toggles.add((row["publication_id"], row["kind"], row["visitor_key"]))
    for publication_id, day in _days_of_toggles(toggles):
        days.setdefault(publication_id, set()).add(day)
    for publication_id, touched in sorted(days.items()):  # one order for all writers: no deadlock
        mark(publication_id, touched)


def _days_of_toggles(toggles: set[tuple[int, str, str]]) -> list[tuple[int, date]]:
    if not toggles:
        return []
    found = session.execute(
        # Lists beside each other, as above; what matches by chance is left out afterwards.
        select(Event.publication_id, Event.kind, Event.visitor_key, Event.day)
        .where(
            Event.publication_id.in_({toggle[0] for toggle in toggles}),
            Event.kind.in_({toggle[1] for toggle in toggles}),
            Event.visitor_key.in_({toggle[2] for toggle in toggles}),
        )
        .distinct()
    )
    return [
        (publication_id, day)
        for publication_id, kind, visitor, day in found
        if publication_id is not None and (publication_id, kind, visitor) in toggles
    ]
