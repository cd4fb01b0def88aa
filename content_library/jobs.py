"""Background work of the library: bringing the search index up to date, and drawing renditions."""

from collections.abc import Callable

import structlog

from cms.core.db import session, transaction
from cms.core.jobs import QueueName, job
from cms.core.ticks import tick
from content_library.search import outbox, projection
from content_library.search.engine import Index
from content_library.search.generations import IndexBusy, IndexMissing

log = structlog.get_logger(__name__)

REBUILD_SECONDS = 3600


@job(queue=QueueName.INDEX)
def index_assets() -> int:
    """Bring the index up to the outbox, batch by batch; how many assets were written.

    Killed anywhere, it leaves the tasks of the unfinished batch, and writing twice changes nothing.
    """
    written = 0
    while True:
        session.rollback()  # a fresh snapshot: tasks and rows must be of one moment
        tasks = [(task.id, task.asset_id) for task in outbox.waiting()]
        if not tasks:
            return written
        asset_ids = {asset_id for _task_id, asset_id in tasks}
        found = {document.id: document for document in projection.documents(asset_ids)}
        try:
            projection.index().apply({number: found.get(number) for number in asset_ids})
        except IndexMissing as missing:
            log.warning("index_missing", reason=missing.reason)
            rebuild_index.enqueue(key="rebuild-index")
            return written
        except IndexBusy:
            return written  # another writer is at work; the tick asks again
        with transaction():
            outbox.clear([task_id for task_id, _asset_id in tasks])
        written += len(asset_ids)


@job(queue=QueueName.INDEX, timeout=REBUILD_SECONDS)
def rebuild_index() -> int:
    """Make the index anew beside the old one; how many assets it holds. Busy: someone else does."""
    try:
        return rebuild()
    except IndexBusy:
        return 0


def rebuild(progress: Callable[[int], None] = lambda count: None) -> int:
    """Build beside, swap, and write what changed meanwhile; raises IndexBusy when one is running."""
    index: Index = projection.index()
    session.rollback()
    return index.rebuild(projection.everything(), refresh=_refresh, progress=progress)


def _refresh(asset_ids: object) -> list[projection.SearchDocument]:
    session.rollback()  # what changed while we were reading is in a newer snapshot
    return projection.documents(list(asset_ids))  # type: ignore[call-overload]


@tick(every=2)
def hint_index() -> None:
    """Ask for the outbox to be emptied, in case a hint was lost, and for an index if there is none."""
    if projection.index().status().state != "ready":
        rebuild_index.enqueue(key="rebuild-index")
    elif not outbox.is_empty():
        index_assets.enqueue(key="index-assets")


def hint(_event: object = None) -> None:
    """Ask for the outbox to be emptied once the transaction has committed."""
    index_assets.enqueue(key="index-assets")
