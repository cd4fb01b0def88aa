"""Where posts stand, read in columns: what the board and the warnings ask the database."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy import Row as Record

from audience.models import Pool
from cms.core.db import session
from content_library.models import Asset, AssetTag, AssetVersion, Tag, TagGroup
from content_library.vocabulary import STAGE_GROUP
from schedules import warnings
from schedules.models import Calendar, Post, Publication
from schedules.publications import GOING_OUT
from schedules.slots import THEMES
from schedules.states import PublicationState
from schedules.warnings import Standing


def within(calendar: Calendar, first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    """The calendar's posts between two days; the instant lets the index narrow the search."""
    start = datetime.combine(first - timedelta(days=2), time(), tzinfo=UTC)
    end = datetime.combine(last + timedelta(days=2), time(), tzinfo=UTC)
    return (
        Post.calendar_id == calendar.id,
        Post.publish_at.between(start, end),
        Post.wall_date.between(first, last),
        Publication.state != PublicationState.CANCELLED,
    )


def records(inside: tuple[ColumnElement[bool], ...]) -> list[Record[Any]]:
    """Columns instead of rows: a thousand posts are read in milliseconds."""
    found = (
        select(
            *(Post.id, Post.asset_id, Post.pool_id, Post.account_id, Post.media_ids, Post.review),
            *(Post.publish_at, Post.wall_date, Post.wall_time),
            *(AssetVersion.title, AssetVersion.lang, AssetVersion.number),
            *(Asset.kind, Asset.status, Asset.valid_until, Asset.latest_number),
            *(Publication.id.label("publication_id"), Publication.state),
            *(Publication.due_at, Publication.late_after),
        )
        .join(Publication, Publication.post_id == Post.id)
        .join(AssetVersion, AssetVersion.id == Post.version_id)
        .join(Asset, Asset.id == Post.asset_id)
        .where(*inside)
        .order_by(Post.publish_at, Post.id)
    )
    return list(session.execute(found))


def tags_of(inside: tuple[ColumnElement[bool], ...]) -> dict[int, list[Any]]:
    """Themes and stages of the assets in the week, the surest first."""
    used = select(Post.asset_id).join(Publication, Publication.post_id == Post.id).where(*inside)
    rows = session.execute(
        select(AssetTag.asset_id, Tag.slug, Tag.hue, TagGroup.slug.label("group"))
        .join(Tag, Tag.id == AssetTag.tag_id)
        .join(TagGroup, TagGroup.id == Tag.group_id)
        .where(AssetTag.asset_id.in_(used), TagGroup.slug.in_((THEMES, STAGE_GROUP)))
        .order_by(AssetTag.confidence.desc(), Tag.position, Tag.id)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.asset_id].append(row)
    return found


def standing(one: Record[Any], pools: dict[int, Pool], tags: dict[int, list[Any]]) -> Standing:
    groups: dict[str, set[str]] = defaultdict(set)
    for tag in tags[one.asset_id]:
        groups[tag.group].add(tag.slug)
    return Standing(
        post_id=one.id,
        asset_id=one.asset_id,
        pool_id=one.pool_id,
        stage_id=pools[one.pool_id].stage_id,
        on=one.wall_date,
        at=one.wall_time,
        instant=one.publish_at,
        themes=frozenset(groups[THEMES]),
        stages=frozenset(groups[STAGE_GROUP]),
        status=one.status,
        valid_until=one.valid_until,
        is_outdated=one.number < one.latest_number,
        is_settled=one.state in GOING_OUT,
    )


def earlier(
    calendar: Calendar,
    monday: date,
    pools: dict[int, Pool],
    inside: tuple[ColumnElement[bool], ...],
) -> list[Standing]:
    """Where the week's assets stood in the days before that a repeat looks back to."""
    used = select(Post.asset_id).join(Publication, Publication.post_id == Post.id).where(*inside)
    before = within(calendar, monday - warnings.REPEAT_WITHIN, monday - timedelta(days=1))
    return lasting(before, used, pools)


def lasting(
    inside: tuple[ColumnElement[bool], ...],
    asset_ids: Select[Any] | list[int],
    pools: dict[int, Pool],
) -> list[Standing]:
    """Where posts of those assets stood; no more of them than a repeat needs to be seen."""
    rows = session.execute(
        select(
            *(Post.id, Post.asset_id, Post.pool_id),
            *(Post.publish_at, Post.wall_date, Post.wall_time),
        )
        .join(Publication, Publication.post_id == Post.id)
        .where(*inside, Post.asset_id.in_(asset_ids))
    )
    return [
        Standing(
            post_id=row.id,
            asset_id=row.asset_id,
            pool_id=row.pool_id,
            stage_id=pools[row.pool_id].stage_id,
            on=row.wall_date,
            at=row.wall_time,
            instant=row.publish_at,
        )
        for row in rows
    ]
