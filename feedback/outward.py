"""Tracked links that lead from a post's page to an outside address, such as a video."""

from sqlalchemy import select

from cms.core.db import session
from schedules import links
from schedules.events import PostHandedOver, PostPublished
from schedules.models import Publication, TrackedLink


def target_of(publication: Publication) -> str:
    """Where the post's content itself lies when it lies elsewhere; else empty."""
    version = publication.post.version
    return str(version.content.get("url", "")) if publication.post.asset.kind == "video" else ""


def link_of(publication: Publication) -> TrackedLink | None:
    """The tracked link to that address, once there is one."""
    target = target_of(publication)
    return next((link for link in publication.links if target and link.target == target), None)


def ensure(publication: Publication) -> None:
    """Make the link when the post goes live; doing so again changes nothing."""
    target = target_of(publication)
    if not target or len(target) > 1000:
        return
    known = select(TrackedLink.id).where(
        TrackedLink.publication_id == publication.id, TrackedLink.target == target
    )
    if session.scalar(known) is None:
        links.make(publication, target)
        session.flush()  # links say their code as soon as the page is open


def when_live(event: PostPublished | PostHandedOver) -> None:
    """A listener, in the transaction in which the post became visible."""
    publication = session.get(Publication, event.publication_id)
    if publication is not None:
        ensure(publication)
