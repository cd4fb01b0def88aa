"""Many posts like one that was approved through the real doors, for runs that need thousands."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert, select

from cms.accounts.models import AuditEntry
from cms.core.db import session, transaction
from schedules import links
from schedules.content import content_hash, outgoing
from schedules.models import Approval, Post, Publication, TrackedLink
from schedules.publications import late_by

AT_ONCE = 500
Rows = list[dict[str, Any]]


def copy(pattern: Post, dues: Sequence[datetime]) -> None:
    """One copy for each moment: post, publication, link, approval and audit trail, as approving
    each of them would have left them."""
    for start in range(0, len(dues), AT_ONCE):
        with transaction():
            _copy(pattern, dues[start : start + AT_ONCE])


def _copy(pattern: Post, dues: Sequence[datetime]) -> None:
    publication, content, late = pattern.publication, outgoing(pattern), late_by(pattern)
    link = links.own_link(publication)
    codes = [secrets.token_urlsafe(9) for _ in dues]
    hashes = [
        content_hash(replace(content, window=due, link_code=code))
        for due, code in zip(dues, codes, strict=True)
    ]
    posts = _insert(Post, pattern.id, (_times(pattern.zone, due) for due in dues))
    told = [
        {
            "post_id": post,
            "due_at": due,
            "late_after": due + late,
            "content_hash": pinned,
            "idempotency_key": secrets.token_hex(16),
            "public_id": secrets.token_urlsafe(16),
        }
        for post, due, pinned in zip(posts, dues, hashes, strict=True)
    ]
    made = _insert(Publication, publication.id, told)
    linked = zip(made, codes, strict=True)
    _insert(TrackedLink, link.id, ({"publication_id": one, "code": code} for one, code in linked))
    decided = zip(posts, hashes, strict=True)
    known = {"post_id": pattern.id}
    approval = session.scalars(select(Approval.id).filter_by(**known)).one()
    _insert(Approval, approval, ({"post_id": one, "content_hash": pin} for one, pin in decided))
    trail = {"object_type": "publications", "object_id": publication.id}
    for entry in session.scalars(select(AuditEntry.id).filter_by(**trail).order_by(AuditEntry.id)):
        _insert(AuditEntry, entry, ({"object_id": one} for one in made))


def _times(zone: str, due: datetime) -> dict[str, Any]:
    local = due.astimezone(ZoneInfo(zone))
    return {"publish_at": due, "wall_date": local.date(), "wall_time": local.time()}


def _insert(model: Any, pattern_id: int, changes: Iterable[dict[str, Any]]) -> list[int]:
    """Rows like that one but for the changes; their ids, in that order."""
    table = model.__table__
    assert isinstance(table, Table)
    row = dict(session.execute(select(table).where(table.c.id == pattern_id)).one()._mapping)
    del row["id"]
    rows: Rows = [row | change for change in changes]
    if not rows:
        return []
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(session.execute(statement, rows).scalars())
