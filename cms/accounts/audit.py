"""The audit trail: one entry per change, written in the transaction of the change itself."""

from contextvars import ContextVar
from typing import Any, Protocol

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from cms.accounts.models import AuditEntry, User
from cms.core.clock import now
from cms.core.db import session

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class Auditable(Protocol):
    __tablename__: str
    id: Any


def record(action: str, on: Auditable, *, by: User | None, **detail: Any) -> AuditEntry:
    """Note that `by` (None: the system) did `action`, named noun.past_verb, on the row `on`.

    The row must have its id already. `detail` holds JSON values only.
    """
    entry = AuditEntry(
        at=now(),
        action=action,
        actor_id=by.id if by else None,
        object_type=on.__tablename__,
        object_id=on.id,
        detail=detail,
        request_id=request_id.get(),
    )
    session.add(entry)
    return entry


def entries(
    *, action: str | None = None, object_type: str | None = None, object_id: int | None = None
) -> Select[AuditEntry]:
    """Entries, newest first, for the caller to page."""
    found = select(AuditEntry).options(joinedload(AuditEntry.actor)).order_by(AuditEntry.id.desc())
    if action:
        found = found.where(AuditEntry.action == action)
    if object_type:
        found = found.where(AuditEntry.object_type == object_type)
    if object_id is not None:
        found = found.where(AuditEntry.object_id == object_id)
    return found
