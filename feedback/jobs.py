"""Doors of feedback for workers and the clock: taking journals in, counting, learning."""

import importlib
import time as timing
from datetime import time
from typing import Any

from cms.core.db import transaction
from cms.core.jobs import QueueName, job
from cms.core.ticks import nightly, tick
from feedback import figures, ingest, model_runs, rollups


@job(queue=QueueName.FEEDBACK, timeout=300)
def ingest_journal() -> None:
    """Take in what readers did and count the days it touched."""
    ingest.ingest()
    rollups.roll_up()


@nightly(at=time(3, 10))
@job(queue=QueueName.FEEDBACK, timeout=900)
def learn_nightly() -> None:
    """Fit the model anew on all that was counted."""
    with transaction():
        run = model_runs.request(by=None)
        run_id = run.id
    _refinement().carry_out(run_id)


@nightly(at=time(8, 40))
@job(queue=QueueName.FEEDBACK, timeout=900)
def fetch_figures() -> None:
    """Ask carriers what they counted: they know about yesterday only some hours after its end."""
    figures.fetch_all()


@job(queue=QueueName.FEEDBACK, timeout=900)
def learn(run_id: int) -> None:
    """Carry out a run that somebody asked for; a second call finds it taken."""
    _refinement().carry_out(run_id)


@tick(every=2)
def hint_feedback() -> None:
    """Have waiting journals, dirty days and asked-for runs looked after, in case a hint was lost."""
    if ingest.backlog() or rollups.oldest_dirty():
        hint()
    for run_id in model_runs.waiting():
        learn.enqueue(run_id, key=f"learn-{run_id}-{int(timing.time() // 60)}")


def hint() -> None:
    """Ask for the journals to be taken in; one such request waits at a time."""
    ingest_journal.enqueue(key=f"ingest-{int(timing.time() // 2)}")


def _refinement() -> Any:
    # Loaded when first needed: numpy and scipy would add a second to the start of every process.
    return importlib.import_module("feedback.refinement")
