"""Doors of the work with carriers beside sending: asking how far, changing what is live, preparing."""

import os
import socket
import time
from functools import partial

from cms.core.jobs import QueueName, job
from cms.core.threads import begin_aside, each_in_a_thread
from cms.core.ticks import tick
from schedules import ahead, carrying, polling, wishes
from schedules.hints import Hinted, chunks, is_broker_there

THREADS = 10
ASKED_AT_ONCE = 20  # publications in one batch of questions
LOST_AFTER = 60  # seconds after which a batch that died with its worker is not waited for
AGAIN_AHEAD = 300.0  # seconds until what was prepared is looked at once more

_wished = Hinted()
_warmed, _prepared = Hinted(remind=AGAIN_AHEAD), Hinted(remind=AGAIN_AHEAD)


@job(queue=QueueName.PUBLISH, timeout=180)
def ask_batch(*publication_ids: int) -> None:
    """Ask about these side by side; each takes its turn for itself, so a hint too many asks nobody."""
    each_in_a_thread(polling.ask, publication_ids, threads=THREADS)


@job(queue=QueueName.PUBLISH, timeout=180)
def wish_batch(*publication_ids: int) -> None:
    """Change or take back what is live; each is claimed for itself.

    However many wishes there are and however long their carriers take, the sending threads stay
    free; what no thread was free for is hinted again.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}"
    begin_aside(partial(carrying.carry, worker=worker), publication_ids, threads=THREADS)


@job(queue=QueueName.MEDIA)
def warm_up(account_id: int) -> None:
    """Renew an account's token before the minute that needs it."""
    ahead.warm_up(account_id)


@job(queue=QueueName.MEDIA, timeout=180)
def prepare(publication_id: int) -> None:
    """Upload a post's pictures before its minute."""
    ahead.prepare(publication_id)


@tick(every=2, guarded=True)
def ask_due() -> None:
    """Tell the workers whom to ask. When to ask stands in the ledger; this only wakes them.

    One batch at a time: however many carriers hang while they are asked, one worker waits for
    them at most, and the others send.
    """
    ids = [publication_id for publication_id, *_rest in polling.due()[:ASKED_AT_ONCE]]
    if ids and is_broker_there():
        ask_batch.enqueue(*ids, key=f"ask-{int(time.time() // LOST_AFTER)}")


@tick(every=2, guarded=True)
def hint_wishes() -> None:
    """Tell the workers what people want changed or taken back."""
    fresh = _wished.news(wishes.due())
    if not fresh or not is_broker_there():
        return
    for key, ids in chunks(fresh, "wish", THREADS):
        wish_batch.enqueue(*ids, key=key)
    _wished.note(fresh)


@tick(every=30, guarded=True)
def make_ready() -> None:
    """Have tokens and uploads ready for what is due within minutes."""
    accounts, publications = ahead.accounts_soon(), ahead.publications_soon()
    warm, fresh = _warmed.news(accounts), _prepared.news(publications)
    if not (warm or fresh) or not is_broker_there():
        return
    for account_id, *_rest in warm:
        warm_up.enqueue(account_id, key=f"warm-{account_id}")
    for publication_id, *_rest in fresh:
        prepare.enqueue(publication_id, key=f"prepare-{publication_id}")
    _warmed.note(warm)
    _prepared.note(fresh)
