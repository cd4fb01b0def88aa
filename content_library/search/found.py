"""What a list shows of the assets found: picture, tags, figure, last use, and what matched."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cms.core.db import session
from content_library import rankings, versions, where_used
from content_library.models import Asset, AssetTag, AssetVersion, Media, Tag
from content_library.rankings import RankedValue, Ranking
from content_library.search.highlight import Fragment, highlight
from content_library.search.query import Query


@dataclass(frozen=True)
class FoundAsset:
    """One asset as a list shows it."""

    asset: Asset
    version: AssetVersion
    tags: list[AssetTag]
    picture: Media | None
    title: Fragment
    summary: Fragment
    figure: RankedValue | None
    last_used: datetime | None


def show(assets: Sequence[Asset], query: Query, ranking: Ranking | None) -> list[FoundAsset]:
    """The assets in their order, each with what stands around it; a handful of queries for all."""
    ids = [asset.id for asset in assets]
    if not ids:
        return []
    current = versions.current_of(ids)
    tags = _tags_of(ids)
    shown_by = ranking or next(iter(rankings.RANKINGS), None)
    figures = shown_by.values(ids) if shown_by else {}
    used = where_used.last_used(ids)
    return [
        FoundAsset(
            asset=asset,
            version=current[asset.id],
            tags=tags[asset.id],
            picture=_picture(current[asset.id]),
            title=_marked(current[asset.id].title, query, 0),
            summary=_marked(current[asset.id].summary, query, 110),
            figure=figures.get(asset.id),
            last_used=used.get(asset.id),
        )
        for asset in assets
    ]


def _tags_of(ids: list[int]) -> dict[int, list[AssetTag]]:
    links: dict[int, list[AssetTag]] = defaultdict(list)
    for link in session.scalars(
        select(AssetTag)
        .where(AssetTag.asset_id.in_(ids))
        .options(joinedload(AssetTag.tag).joinedload(Tag.group))
    ):
        links[link.asset_id].append(link)
    for one in links.values():
        one.sort(key=lambda link: (link.tag.group.position, link.tag.position, link.tag_id))
    return links


def _picture(version: AssetVersion) -> Media | None:
    """The cover or poster, else the first picture of the text."""
    order = {"cover": 0, "poster": 0}
    links = sorted(version.media_links, key=lambda link: (order.get(link.role, 1), link.position))
    return links[0].media if links else None


def _marked(text: str, query: Query, width: int) -> Fragment:
    if query.is_empty:
        return ((text, False),) if text else ()
    fragments = highlight(text, query, width=width, fragments=1)
    return fragments[0] if fragments else ()
