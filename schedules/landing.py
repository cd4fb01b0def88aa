"""Where a post lands when somebody names a slot, or only a day and a stage of the board."""

import re
from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import select

from audience.models import Pool
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Invalid, invalid
from cms.core.i18n import N_
from schedules import placing, slots, wall_time
from schedules.models import Calendar, Post, Publication
from schedules.placing import Wish
from schedules.slots import Place, Slot
from schedules.states import PublicationState

_CELL = re.compile(r"(\d{4})(\d\d)(\d\d)-s(\d{1,9})")


def cell_name(stage_id: int, on: date) -> str:
    """How the board calls a stage's day as a place to drop something."""
    return f"{on:%Y%m%d}-s{stage_id}"


def resolve(calendar: Calendar, name: str, *, moving: Post | None = None) -> Place:
    """The place a name stands for; a whole day gives the post's own time, else its first free slot.

    Raises Invalid `bad_slot` or `no_free_slot`.
    """
    match = _CELL.fullmatch(name) if name.isascii() else None
    if match is None:
        return slots.parse(name)
    year, month, day, stage_id = match.groups()
    on = wall_time.parse_date(f"{year}-{month}-{day}", "slot")
    if moving is not None and moving.pool.stage_id == int(stage_id) and _fits(moving, on):
        return Place(on, moving.wall_time, moving.pool_id, moving.account_id)
    free = [slot for slot in free_of_week(calendar, on) if slot.place.on == on]
    pools = set(session.scalars(select(Pool.id).where(Pool.stage_id == int(stage_id))))
    for slot in free:
        if slot.place.pool_id in pools:
            return slot.place
    raise invalid(
        "slot",
        "no_free_slot",
        N_("This day has no free slot for the stage. Choose another day, or plan a time by hand."),
    )


def free_of_week(
    calendar: Calendar, day: date, *, pool_ids: Collection[int] | None = None
) -> list[Slot]:
    """The slots of the day's week that lie ahead and are free; only those of `pool_ids` if given."""
    monday = wall_time.monday_of(day)
    taken: dict[int, list[datetime]] = defaultdict(list)
    standing = (
        select(Post.pool_id, Post.publish_at)
        .join(Publication, Publication.post_id == Post.id)
        .where(Post.wall_date.between(monday - timedelta(days=1), monday + timedelta(days=7)))
        .where(Publication.state != PublicationState.CANCELLED)
    )
    for pool_id, at in session.execute(standing):
        taken[pool_id].append(at)
    active = set(session.scalars(select(Pool.id).where(Pool.is_active)))
    wanted = active if pool_ids is None else active & set(pool_ids)
    ahead = [
        slot
        for slot in slots.of_week(calendar, monday)
        if slot.instant is not None and slot.instant > now() and slot.place.pool_id in wanted
    ]
    return slots.free(calendar, ahead, taken)


def _fits(post: Post, on: date) -> bool:
    wish = Wish(post.calendar, post.pool, post.account, on, post.wall_time)
    try:
        placing.settle(wish, post.asset, moving=post)
    except Invalid as error:
        return "asset" in error.fields  # the asset's own trouble is better told than hidden
    return True
