"""The feed of a pool: as a page, and as RSS for feed readers."""

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from audience import pools
from audience.models import Pool
from cms.core.db import session
from cms.core.errors import NotFound
from cms.core.paging import page_number, paginate
from cms.web.guard import public
from cms.web.reader import rss
from cms.web.reader.area import bp
from cms.web.reader.pages import media_of, speaker_of
from cms.web.reader.rss import Item
from cms.web.reader.views import gone
from content_library.models import AssetVersion, Media, VersionMedia
from schedules import links
from schedules.models import ChannelAccount, Post, Publication, ReaderEntry
from schedules.states import LIVE_TO_READERS

PER_PAGE = 20
IN_RSS = 50
NOINDEX = {"X-Robots-Tag": "noindex"}


@bp.get("/f/<feed_token>")
@public
def show_feed(feed_token: str) -> ResponseReturnValue:
    pool = _pool(feed_token)
    if pool is None:
        return gone()
    number = page_number(request.args.get("page"))
    page = paginate(_entries(pool), number=number, per_page=PER_PAGE)
    answer = make_response(
        render_template(
            "reader/feed.html",
            pool=pool,
            page=page,
            items=[_item(entry) for entry in page.rows],
            rss_url=links.feed_url(pool, rss=True),
            canonical=links.feed_url(pool),
        )
    )
    answer.headers.update(NOINDEX)
    return answer


@bp.get("/f/<feed_token>.xml")
@public
def show_rss(feed_token: str) -> ResponseReturnValue:
    """RSS 2.0, with an entity tag so that readers who ask again get almost nothing."""
    pool = _pool(feed_token)
    if pool is None:
        return gone()
    entries = session.scalars(_entries(pool).limit(IN_RSS)).all()
    items = [_item(entry) for entry in entries]
    answer = make_response(rss.written(pool, items))
    answer.headers.update(NOINDEX)
    answer.headers["Content-Type"] = "application/rss+xml; charset=utf-8"
    answer.headers["Cache-Control"] = "private, max-age=300"
    answer.add_etag()
    if items:
        answer.last_modified = items[0].at
    return answer.make_conditional(request)


def _pool(feed_token: str) -> Pool | None:
    try:
        return pools.by_feed_token(feed_token)
    except NotFound:
        return None


def _entries(pool: Pool) -> Select[ReaderEntry]:
    """What the pool's readers got, the newest first; what is no longer live is gone from here too."""
    with_post = joinedload(ReaderEntry.publication)
    return (
        select(ReaderEntry)
        .join(ReaderEntry.publication)
        .where(ReaderEntry.pool_id == pool.id, Publication.state.in_(LIVE_TO_READERS))
        .where(Publication.withdrawn_at.is_(None))
        .order_by(ReaderEntry.published_at.desc(), ReaderEntry.id.desc())
        .options(
            with_post.joinedload(Publication.account).joinedload(ChannelAccount.persona),
            with_post.selectinload(Publication.links),
            with_post.joinedload(Publication.post)
            .joinedload(Post.version)
            .selectinload(AssetVersion.media_links)
            .joinedload(VersionMedia.media),
        )
    )


def _item(entry: ReaderEntry) -> Item:
    publication = entry.publication
    version = publication.post.version
    link = links.own_link(publication)
    return Item(
        public_id=publication.public_id,
        title=entry.title,
        text=entry.text or version.summary,
        lang="zh-CN" if version.lang.startswith("zh") else version.lang,
        speaker=speaker_of(publication),
        at=entry.published_at,
        url=links.url_of(link) if link else links.reader_page_url(publication),
        cover=_cover(publication),
    )


def _cover(publication: Publication) -> Media | None:
    known = media_of(publication) if publication.post.media_ids else {}
    roles = {one.role: one.media for one in publication.post.version.media_links}
    return roles.get("cover") or roles.get("poster") or next(iter(known.values()), None)
