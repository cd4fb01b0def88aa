"""Doors of looking at links: one job for one address, and the clock that asks for it in time."""

from cms.core.jobs import QueueName, job
from cms.core.ticks import tick
from schedules import link_checks
from schedules.hints import Hinted, is_broker_there

_asked = Hinted(remind=300.0)  # seconds until an address that gave no answer yet is asked for again


@job(queue=QueueName.MEDIA, timeout=120)
def check_link(link_id: int) -> None:
    """Look whether what the link leads to is still there."""
    link_checks.check(link_id)


@tick(every=30, guarded=True)
def hint_links() -> None:
    """Have looked at what was made lately, once more what goes out within a day, and a last time
    shortly before it does."""
    fresh = _asked.news([(link_id, 0, 0.0) for link_id in link_checks.due()])
    if not fresh or not is_broker_there():
        return
    for link_id, *_rest in fresh:
        check_link.enqueue(link_id, key=f"link-{link_id}")
    _asked.note(fresh)
