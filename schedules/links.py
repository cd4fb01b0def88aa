"""Tracked links and public addresses: how they are made, written and found again."""

import secrets

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import joinedload

from audience.models import Pool
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session
from cms.core.errors import NotFound
from schedules.models import Delivery, Publication, TrackedLink
from schedules.states import OPEN_TO_READERS, DeliveryState, PublicationState
from schedules.steps import MADE_FOR

CODE_BYTES = 16
REACHED = (DeliveryState.SENT, DeliveryState.UNCERTAIN)  # who has it, or may have it
# Nobody has approved what these say: their words follow the link's name.
UNDECIDED = frozenset({PublicationState.PLANNED, PublicationState.CANCELLED})


def make(publication: Publication, target: str = "") -> TrackedLink:
    """A new code for the publication's own reader page, or for an outside address."""
    code = secrets.token_urlsafe(CODE_BYTES)
    link = TrackedLink(code=code, target=target, written="", created_at=now())
    publication.links.append(link)
    return link


def get(link_id: int) -> TrackedLink:
    """The link of that number; raises NotFound."""
    found = session.get(TrackedLink, link_id)
    if found is None:
        raise NotFound("link")
    return found


# --- addresses


def url_of(link: TrackedLink) -> str:
    """The address people tap."""
    return _address(written_as(link))


def written_as(link: TrackedLink) -> str:
    """The end of the address as the post's words carry it: the name of the link, else its code.

    An approval pins it. A name given later leads there too, and changes no word that was approved.
    """
    is_open = link.publication.state in UNDECIDED
    return (link.alias if is_open else link.written) or link.code


def lasting_url(link: TrackedLink) -> str:
    """The address that works as long as the link does, whatever becomes of its name: for print."""
    return _address(link.code)


def sample_url() -> str:
    """An address as long as a real one, for posts that have none yet."""
    return _address("x" * len(secrets.token_urlsafe(CODE_BYTES)))


def pin(publication: Publication) -> None:
    """The words are approved: from now on they carry the names the links have at this moment."""
    for link in publication.links:
        link.written = link.alias or ""


def reader_page_url(publication: Publication) -> str:
    return f"{current().base_url}/p/{publication.public_id}"


def feed_url(pool: Pool, *, rss: bool = False) -> str:
    return f"{current().base_url}/f/{pool.feed_token}{'.xml' if rss else ''}"


def picture_url(public_id: str, sha256: str) -> str:
    """Where carriers and readers get a picture of the post, as long as readers may see it."""
    return f"{current().base_url}/m/{public_id}/{sha256}/full"


def _address(name: str) -> str:
    return f"{current().link_base_url}/l/{name}"


# --- finders


def by_code(code: str) -> TrackedLink | None:
    """The link of that code or name with its publication, or None for one we never gave out."""
    # People type names from paper, where capitals mean nothing; codes are never typed.
    found = (
        select(TrackedLink)
        .where(or_(TrackedLink.code == code, TrackedLink.alias == code.lower()))
        .options(joinedload(TrackedLink.publication))
    )
    return session.scalar(found)


def has_ended(link: TrackedLink) -> bool:
    """Whether its time is over; its code and its name lead nowhere then."""
    return link.expires_at is not None and link.expires_at <= now()


def live_publication(public_id: str) -> Publication | None:
    """The publication of that reader page, only while readers may see it."""
    found = select(Publication).where(Publication.public_id == public_id, is_open())
    return session.scalar(found)


def is_open() -> ColumnElement[bool]:
    """Whether readers may see a publication: it is live or leaving, or some of those it went to have
    it while it waits, rests or was dropped; and it has not been taken back."""
    is_part_out = and_(
        Publication.state != PublicationState.PLANNED,
        Publication.carrier_facts[MADE_FOR].as_string() == Publication.content_hash,
        exists().where(Delivery.publication_id == Publication.id, Delivery.state.in_(REACHED)),
    )
    is_shown = or_(Publication.state.in_(OPEN_TO_READERS), is_part_out)
    return and_(is_shown, Publication.withdrawn_at.is_(None))


def is_open_now(publication: Publication) -> bool:
    """The same of one that has been read already; it asks no more where the row itself says so."""
    if publication.withdrawn_at is not None:
        return False
    return publication.state in OPEN_TO_READERS or _is_part_out(publication)


def _is_part_out(publication: Publication) -> bool:
    """Whether somebody has got exactly what is approved now; other words are open to nobody yet."""
    sent = publication.carrier_facts.get(MADE_FOR)
    is_it = sent is not None and sent == publication.content_hash
    if publication.state is PublicationState.PLANNED or not is_it:
        return False
    reached = select(Delivery.id).where(
        Delivery.publication_id == publication.id, Delivery.state.in_(REACHED)
    )
    return session.scalar(reached.limit(1)) is not None


def was_taken_back(public_id: str) -> bool:
    """Whether readers could see it once and it has been taken back."""
    found = select(Publication.id).where(
        Publication.public_id == public_id, Publication.withdrawn_at.is_not(None)
    )
    return session.scalar(found) is not None


def own_link(publication: Publication) -> TrackedLink | None:
    """The publication's link to its own reader page."""
    return next((link for link in publication.links if not link.target), None)
