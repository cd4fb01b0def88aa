"""What a post's page shows, gathered from the pinned version and the wording of the post."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from cms.core.db import session
from content_library.models import Asset, AssetVersion, Media, VersionMedia
from feedback import outward
from feedback.models import ReaderComment
from feedback.reactions import Standing
from schedules import links
from schedules.models import ChannelAccount, Post, Publication

OWN_MEDIA = 'src="/media/'


@dataclass(frozen=True)
class Picture:
    """One picture of the page with the address under which readers get it."""

    sha: str
    url: str
    full_url: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class ReaderPage:
    """Everything the page's template prints."""

    public_id: str
    kind: str
    lang: str
    title: str
    summary: str
    text: str
    html: str
    speaker: str
    published_at: datetime
    minutes: int
    pictures: tuple[Picture, ...]
    watch_url: str
    watch_host: str
    duration: str
    share_image: str
    canonical: str


def live(public_id: str) -> Publication | None:
    """The publication of that page with all the page needs, only while readers may see it."""
    return session.scalar(
        select(Publication)
        .where(Publication.public_id == public_id, links.is_open())
        .options(
            joinedload(Publication.account).joinedload(ChannelAccount.persona),
            joinedload(Publication.pool),
            selectinload(Publication.links),
            joinedload(Publication.post).joinedload(Post.asset).load_only(Asset.kind),
            joinedload(Publication.post)
            .joinedload(Post.version)
            .selectinload(AssetVersion.media_links)
            .joinedload(VersionMedia.media),
        )
    )


def media_of(publication: Publication) -> dict[str, Media]:
    """The pictures that belong to the post, by their hash: its version's and its own."""
    found = {link.media.sha256: link.media for link in publication.post.version.media_links}
    own = [int(one) for one in publication.post.media_ids]
    if own:
        rows = session.scalars(select(Media).where(Media.id.in_(own)))
        found |= {media.sha256: media for media in rows}
    return found


def page_of(publication: Publication) -> ReaderPage:
    """Gather the page."""
    post, version = publication.post, publication.post.version
    pictures = _pictures(publication)
    share = f"{_prefix(publication)}{pictures[0].sha}/share" if pictures else ""
    outgoing = outward.link_of(publication)
    target = outward.target_of(publication)
    base = links.reader_page_url(publication).rsplit("/p/", 1)[0]
    return ReaderPage(
        public_id=publication.public_id,
        kind=post.asset.kind,
        lang="zh-CN" if version.lang.startswith("zh") else version.lang,
        title=version.title,
        summary=version.summary,
        text=post.text,
        html=version.html.replace(OWN_MEDIA, f'src="{_prefix(publication)}'),
        speaker=speaker_of(publication),
        published_at=publication.published_at or publication.due_at,
        minutes=int(version.content.get("reading_minutes") or 0),
        pictures=pictures,
        watch_url=links.url_of(outgoing) if outgoing else target,
        watch_host=str(version.content.get("host_name", "")),
        duration=str(version.content.get("duration", "")),
        share_image=f"{base}{share}" if share else "",
        canonical=links.reader_page_url(publication),
    )


def speaker_of(publication: Publication) -> str:
    """Who speaks: the persona, else the account."""
    persona = publication.account.persona
    return persona.name if persona else publication.account.name


def comment_shown(comment: ReaderComment) -> dict[str, Any]:
    """A comment as others see it."""
    return {"name": comment.name, "text": comment.text, "at": comment.at}


def reaction(kind: str, standing: Standing) -> dict[str, Any]:
    """A reaction's figures for a script."""
    return {"kind": kind, "count": standing.count, "pressed": standing.is_on}


def _prefix(publication: Publication) -> str:
    return f"/m/{publication.public_id}/"


def _pictures(publication: Publication) -> tuple[Picture, ...]:
    """Covers and posters of the version first, then the pictures that went along with the post."""
    version = publication.post.version
    chosen = [(one.media, one.alt) for one in version.media_links if one.role != "inline"]
    shown = {media.id for media, _alt in chosen} | {
        one.media_id for one in version.media_links if one.role == "inline"
    }
    extra = [int(one) for one in publication.post.media_ids if int(one) not in shown]
    if extra:
        rows = {row.id: row for row in session.scalars(select(Media).where(Media.id.in_(extra)))}
        chosen += [(rows[one], "") for one in extra if one in rows]
    return tuple(_picture(publication, media, alt) for media, alt in chosen)


def _picture(publication: Publication, media: Media, alt: str) -> Picture:
    drawn = media.renditions.get("card") or {}
    place = f"{_prefix(publication)}{media.sha256}"
    return Picture(
        sha=media.sha256,
        url=f"{place}/{'card' if drawn else 'full'}",
        full_url=f"{place}/full",
        width=int(drawn.get("width", media.width)),
        height=int(drawn.get("height", media.height)),
        alt=alt,
    )
