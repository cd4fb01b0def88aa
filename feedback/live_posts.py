"""Marks a post's first day to be counted as soon as it is live, so that it shows with its reach."""

from cms.core.clock import now
from cms.core.db import session
from feedback import events
from schedules.events import PostHandedOver, PostPublished
from schedules.models import Publication


def note(event: PostPublished | PostHandedOver) -> None:
    """A listener: assets' totals must know the new publication, even before anybody reacts."""
    publication = session.get(Publication, event.publication_id)
    if publication is not None:
        events.mark(publication.id, [events.day_of(publication.published_at or now())])
