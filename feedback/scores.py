"""An asset's totals over all its publications, kept for lists and for search to sort by."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select

from cms.core.db import session
from feedback.models import AssetScore, Rollup
from feedback.rates import Rate
from schedules.models import Post, Publication
from schedules.states import LIVE_TO_READERS

_FIELDS = {"click": "clicks", "like": "likes", "collect": "collects", "comment": "comments"}


def refresh(asset_ids: Iterable[int]) -> None:
    """Sum these assets' rollups anew."""
    wanted = sorted(set(asset_ids))
    if not wanted:
        return
    sums = _sums(wanted)
    for asset_id, publications, exposures, last in _reaches(wanted):
        score = session.get(AssetScore, asset_id) or AssetScore(asset_id=asset_id)
        score.publications, score.exposures, score.last_published_at = publications, exposures, last
        for kind, name in _FIELDS.items():
            setattr(score, name, sums.get((asset_id, kind), 0))
        rate = Rate(score.clicks, score.exposures)
        score.click_rate, score.click_rate_low = rate.value, rate.low
        score.click_rate_high = rate.high
        session.add(score)


def of(asset_id: int) -> AssetScore | None:
    """The asset's totals; None before its first publication."""
    return session.get(AssetScore, asset_id)


def _reaches(asset_ids: list[int]) -> list[tuple[int, int, int, datetime | None]]:
    rows = session.execute(
        select(
            Post.asset_id,
            func.count(Publication.id),
            func.coalesce(func.sum(Publication.reach), 0),
            func.max(Publication.published_at),
        )
        .join(Publication, Publication.post_id == Post.id)
        .where(Post.asset_id.in_(asset_ids), Publication.state.in_(LIVE_TO_READERS))
        .group_by(Post.asset_id)
    )
    return [(asset_id, number, int(reach), last) for asset_id, number, reach, last in rows]


def _sums(asset_ids: list[int]) -> dict[tuple[int, str], int]:
    rows = session.execute(
        select(Post.asset_id, Rollup.kind, func.sum(Rollup.counted))
        .join(Publication, Publication.id == Rollup.publication_id)
        .join(Post, Post.id == Publication.post_id)
        .where(Post.asset_id.in_(asset_ids))
        .group_by(Post.asset_id, Rollup.kind)
    )
    return {(asset_id, kind): int(total) for asset_id, kind, total in rows}
