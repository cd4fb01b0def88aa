"""Tracked links and public addresses: how they are made, written and found again."""

import secrets

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import joinedload

from audience.models import Pool
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session
from schedules.models import Publication, TrackedLink
from schedules.states import OPEN_TO_READERS


def make(publication: Publication, target: str = "") -> TrackedLink:
    """A new code for the publication's own reader page, or for an outside address."""
    link = TrackedLink(code=secrets.token_urlsafe(16), target=target, created_at=now())
    publication.links.append(link)
    return link


def url_of(link: TrackedLink) -> str:
    """The address people tap."""
    return f"{current().base_url}/l/{link.code}"


def reader_page_url(publication: Publication) -> str:
    return f"{current().base_url}/p/{publication.public_id}"


def feed_url(pool: Pool, *, rss: bool = False) -> str:
    return f"{current().base_url}/f/{pool.feed_token}{'.xml' if rss else ''}"


def by_code(code: str) -> TrackedLink | None:
    """The link of that code with its publication, or None for a code we never gave out."""
    found = (
        select(TrackedLink)
        .where(TrackedLink.code == code)
        .options(joinedload(TrackedLink.publication))
    )
    return session.scalar(found)


def live_publication(public_id: str) -> Publication | None:
    """The publication of that reader page, only while readers may see it."""
    found = select(Publication).where(Publication.public_id == public_id, is_open())
    return session.scalar(found)


def is_open() -> ColumnElement[bool]:
    """Whether readers may see a publication: it is live or leaving, and has not been taken back."""
    return and_(Publication.state.in_(OPEN_TO_READERS), Publication.withdrawn_at.is_(None))


def is_open_now(publication: Publication) -> bool:
    """The same of one that has been read already."""
    return publication.state in OPEN_TO_READERS and publication.withdrawn_at is None


def was_taken_back(public_id: str) -> bool:
    """Whether readers could see it once and it has been taken back."""
    found = select(Publication.id).where(
        Publication.public_id == public_id, Publication.withdrawn_at.is_not(None)
    )
    return session.scalar(found) is not None


def own_link(publication: Publication) -> TrackedLink | None:
    """The publication's link to its own reader page."""
    return next((link for link in publication.links if not link.target), None)


def picture_url(public_id: str, sha256: str) -> str:
    """Where carriers and readers get a picture of the post, as long as readers may see it."""
    return f"{current().base_url}/m/{public_id}/{sha256}/full"
