"""The posts of one day, in time order, with everything needed to read and decide them."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from audience.models import Pool
from cms.core.db import session
from content_library.models import AssetVersion, VersionMedia
from schedules.models import Approval, ChannelAccount, Post, Publication
from schedules.states import LIVE_TO_READERS, WAITING_FOR_A_PERSON, PublicationState, ReviewState


class View(StrEnum):
    """Parts of a day that an operator looks at alone."""

    ALL = "all"
    TO_APPROVE = "to_approve"
    QUEUED = "queued"
    OUT = "out"
    TROUBLE = "trouble"


_CONDITIONS: dict[View, tuple[ColumnElement[bool], ...]] = {
    View.ALL: (),
    View.TO_APPROVE: (Post.review == ReviewState.SUBMITTED,),
    View.QUEUED: (
        Publication.state.in_(
            [PublicationState.SCHEDULED, PublicationState.CLAIMED, PublicationState.SENDING]
        ),
    ),
    View.OUT: (Publication.state.in_(LIVE_TO_READERS),),
    View.TROUBLE: (Publication.state.in_(WAITING_FOR_A_PERSON - {PublicationState.HANDED_OVER}),),
}


def of_day(day: date, zone: ZoneInfo, view: View = View.ALL) -> Select[Any]:
    """Posts meant for that day in the zone, dropped ones left out."""
    return (
        _on(select(Post), day, zone)
        .where(*_CONDITIONS[view])
        .order_by(Post.publish_at, Post.id)
        .options(
            contains_eager(Post.publication).selectinload(Publication.links),
            joinedload(Post.pool).joinedload(Pool.stage),
            joinedload(Post.account).options(
                joinedload(ChannelAccount.persona), selectinload(ChannelAccount.pools)
            ),
            joinedload(Post.asset),
            joinedload(Post.calendar),
            joinedload(Post.version)
            .selectinload(AssetVersion.media_links)
            .joinedload(VersionMedia.media),
            selectinload(Post.approvals).joinedload(Approval.by),
        )
    )


def counts(day: date, zone: ZoneInfo) -> dict[View, int]:
    """How many posts each part of the day has, in one query."""
    # One pass over the day: a sum for each condition instead of a query for each.
    sums = [
        func.count().filter(*conditions) if conditions else func.count()
        for conditions in _CONDITIONS.values()
    ]
    row = session.execute(_on(select(*sums).select_from(Post), day, zone)).one()
    return dict(zip(_CONDITIONS, row, strict=True))


def next_to_approve(post: Post, day: date, zone: ZoneInfo) -> int | None:
    """The post that an operator reads after this one."""
    found = (
        _on(select(Post.id), day, zone)
        .where(Post.review == ReviewState.SUBMITTED, Post.id != post.id)
        .order_by(Post.publish_at < post.publish_at, Post.publish_at, Post.id)
    )
    return session.scalar(found.limit(1))


def _on(found: Any, day: date, zone: ZoneInfo) -> Any:
    start = datetime.combine(day, time(), zone)
    end = datetime.combine(day + timedelta(days=1), time(), zone)
    return found.join(Publication, Publication.post_id == Post.id).where(
        Post.publish_at >= start,
        Post.publish_at < end,
        Publication.state != PublicationState.CANCELLED,
    )
