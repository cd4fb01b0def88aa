"""The outbox of the search index: which assets changed, written in the transaction of the change."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, event, insert, select
from sqlalchemy.orm import Session

from cms.core.clock import now
from cms.core.db import session
from cms.core.events import emit
from content_library.events import AssetsMarked
from content_library.models import Asset, AssetTag, AssetVersion, IndexTask

BATCH = 500


def mark(asset_ids: Iterable[int]) -> None:
    """Ask for these assets to be indexed again. A bulk change, which no session sees, must call it."""
    _write(session(), set(asset_ids))


def waiting() -> list[IndexTask]:
    """The oldest tasks, at most one batch of them."""
    return list(session.scalars(select(IndexTask).order_by(IndexTask.id).limit(BATCH)))


def is_empty() -> bool:
    return session.scalar(select(IndexTask.id).limit(1)) is None


def clear(task_ids: list[int]) -> None:
    """These tasks are done. Later ones about the same assets stay, since they tell of later changes."""
    session.execute(delete(IndexTask).where(IndexTask.id.in_(task_ids)))


def _write(within: Session, asset_ids: set[int]) -> None:
    if not asset_ids:
        return
    moment = now()
    within.execute(
        insert(IndexTask), [{"asset_id": number, "at": moment} for number in sorted(asset_ids)]
    )
    transaction_now = within.info.get("effects")
    if within.info.get("marked_in") is not transaction_now:
        within.info["marked_in"] = transaction_now  # one hint a transaction is enough
        emit(AssetsMarked())


@event.listens_for(Session, "after_flush")
def _gather(within: Session, _context: Any) -> None:
    """After the flush, as new rows have their ids and nothing already flushed is missed."""
    touched = {*within.new, *within.dirty, *within.deleted}
    _write(within, {number for row in touched if (number := _asset_id(row)) is not None})


def _asset_id(row: object) -> int | None:
    if isinstance(row, Asset):
        return row.id
    if isinstance(row, AssetVersion | AssetTag):
        return row.asset_id
    return None
