"""Doors of publishing for workers and the clock: hints, claims, leases, lateness."""

import os
import socket
from functools import partial

from cms.core.faults import declare, fault
from cms.core.jobs import QueueName, job
from cms.core.threads import begin_each
from cms.core.ticks import tick
from schedules import handover, late, reconciling
from schedules.hints import Hinted, chunks, due_by_account, is_broker_there
from schedules.publishing import publish

THREADS = 28  # more than one account may keep busy, see hints

declare("sweep.before_hint", "sweep.after_hint")

_hinted = Hinted()


@job(queue=QueueName.PUBLISH, timeout=180)
def publish_batch(*publication_ids: int) -> None:
    """Carry these out side by side; each claims for itself, so a hint too many does nothing.

    A worker goes on to the next hint as soon as all of them have begun: a carrier that keeps one
    waiting must not keep the posts of others waiting behind it.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}"
    begin_each(partial(publish, worker=worker), publication_ids, threads=THREADS)


@tick(every=1, guarded=True)
def hint_due() -> None:
    """Tell the workers what is due. The ledger is the queue; this only wakes them."""
    due = due_by_account()
    if not due or not is_broker_there():
        return
    for signs in due.values():
        fresh = _hinted.news(signs)
        for key, ids in chunks(fresh):
            fault("sweep.before_hint")
            publish_batch.enqueue(*ids, key=key)
            fault("sweep.after_hint")
        _hinted.note(fresh)


@tick(every=5, guarded=True)
def reconcile() -> None:
    """Return what dead workers held, miss what is too late, remind of packs nobody answered for."""
    reconciling.settle_expired()
    late.miss_overdue()
    handover.expire_overdue()
