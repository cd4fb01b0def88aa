"""Doors of the alerts for the clock and the workers: looking for causes, telling them."""

import time
from datetime import time as time_of_day
from datetime import timedelta
from functools import partial

from cms.core.clock import now
from cms.core.jobs import QueueName, job
from cms.core.threads import in_background
from cms.core.ticks import nightly, tick
from schedules import alerts, telling

LATEST = timedelta(seconds=30)  # past it no worker seems to be listening


# On the queue of media: no job there lasts longer than a picture, while learning may keep the
# feedback worker for a quarter of an hour, and publishing must wait for nobody's mail server.
@job(queue=QueueName.MEDIA, timeout=180)
def tell_route(route_id: int) -> None:
    """Tell a route what waits for it; run twice, the second finds nothing."""
    telling.tell(route_id)


@nightly(at=time_of_day(4, 30))
@job(queue=QueueName.FEEDBACK)
def forget_alerts() -> None:
    """Remove alerts that were over long ago."""
    alerts.forget_old()


@tick(every=10)
def look_for_causes() -> None:
    """Open and settle alerts, and have them told. When no worker listens, the clock tells them:
    dead workers and a lost queue are just what people must hear of."""
    alerts.refresh()
    overdue = now() - LATEST
    for route_id, since in telling.due():
        if since < overdue:
            in_background(f"tell-{route_id}", partial(telling.tell, route_id))
        else:
            tell_route.enqueue(route_id, key=f"tell-{route_id}-{int(time.time() // 10)}")
