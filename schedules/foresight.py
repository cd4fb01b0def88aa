"""What a planner would be warned of if a post of an asset stood somewhere."""

from datetime import timedelta

from sqlalchemy import select

from audience.models import Pool, Stage
from cms.core.db import session
from content_library.models import Asset, AssetTag, Tag, TagGroup
from content_library.vocabulary import STAGE_GROUP
from schedules import preflight, standings, wall_time, warnings
from schedules.models import Calendar, ChannelAccount, Post
from schedules.preflight import Asked, Concern, Subject
from schedules.slots import THEMES, Place
from schedules.warnings import Caution, Standing

NOBODY = 0


def cautions_at(
    calendar: Calendar, asset: Asset, place: Place, moving: Post | None = None
) -> list[Caution]:
    """The warnings the post would carry there; `moving` is the post when it exists already."""
    monday = wall_time.monday_of(place.on)
    week = standings.within(calendar, monday, monday + timedelta(days=6))
    pools = {pool.id: pool for pool in session.scalars(select(Pool))}
    stages = {stage.id: stage.slug for stage in session.scalars(select(Stage))}
    tags = standings.tags_of(week)
    before = monday - warnings.REPEAT_WITHIN
    near = standings.within(calendar, before, monday - timedelta(days=1))
    own_id = moving.id if moving else NOBODY
    others = [
        standings.standing(one, pools, tags) for one in standings.records(week) if one.id != own_id
    ]
    earlier = [one for one in standings.lasting(near, [asset.id], pools) if one.post_id != own_id]
    wished = _wished(calendar, asset, place, stage_id=pools[place.pool_id].stage_id, post_id=own_id)
    return warnings.of_posts([*others, wished], earlier, stages).get(own_id, [])


def concerns_at(calendar: Calendar, place: Place, moving: Post | None = None) -> list[Concern]:
    """What would keep a post from leaving there: dark and quiet times, the pool's fill, the account."""
    instant = wall_time.settle(place.on, place.at, calendar.timezone, fold=0).instant
    wished = Subject(
        post_id=NOBODY,
        publication_id=moving.publication.id if moving else NOBODY,
        calendar=calendar,
        pool=session.get_one(Pool, place.pool_id),
        account=session.get_one(ChannelAccount, place.account_id),
        at=instant,
        due_at=instant,
        late_after=instant + timedelta(minutes=calendar.late_group_minutes),
    )
    return preflight.ask([wished], Asked.PLANNED).get(NOBODY, [])


def cautions_of(post: Post) -> list[Caution]:
    """The warnings the post carries where it stands."""
    place = Place(post.wall_date, post.wall_time, post.pool_id, post.account_id)
    found = cautions_at(post.calendar, post.asset, place, post)
    if post.version.number < post.asset.latest_number:
        found.append(warnings.OUTDATED)
    return found


def _wished(
    calendar: Calendar, asset: Asset, place: Place, *, stage_id: int, post_id: int
) -> Standing:
    rows = session.execute(
        select(Tag.slug, TagGroup.slug)
        .join(TagGroup, TagGroup.id == Tag.group_id)
        .join(AssetTag, AssetTag.tag_id == Tag.id)
        .where(AssetTag.asset_id == asset.id, TagGroup.slug.in_((THEMES, STAGE_GROUP)))
    ).all()
    return Standing(
        post_id=post_id,
        asset_id=asset.id,
        pool_id=place.pool_id,
        stage_id=stage_id,
        on=place.on,
        at=place.at,
        instant=wall_time.settle(place.on, place.at, calendar.timezone, fold=0).instant,
        themes=frozenset(slug for slug, group in rows if group == THEMES),
        stages=frozenset(slug for slug, group in rows if group == STAGE_GROUP),
        status=asset.status,
        valid_until=asset.valid_until,
    )
