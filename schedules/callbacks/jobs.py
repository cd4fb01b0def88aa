"""Doors of callbacks for workers and the clock: one call at a time, and what nobody handled yet."""

from datetime import time

from cms.core.jobs import QueueName, job
from cms.core.ticks import nightly, tick
from schedules.callbacks import handling


@job(queue=QueueName.FEEDBACK)
def handle_call(call_id: int) -> None:
    """Do what the call says; a second run finds it done."""
    handling.handle(call_id)


@tick(every=10, guarded=True)
def hint_calls() -> None:
    """Have calls looked after whose hint was lost, or which came before what they speak of."""
    for call_id, key in handling.waiting():
        handle_call.enqueue(call_id, key=key)


@nightly(at=time(4, 20))
@job(queue=QueueName.FEEDBACK)
def forget_calls() -> None:
    """Remove what was handled long ago."""
    handling.forget_old()
