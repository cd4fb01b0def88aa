"""Whether a post may stand at a place: the moment, the way to the pool, its neighbours, its asset."""

from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from audience.models import Pool
from cms.core.db import session
from cms.core.errors import invalid
from cms.core.i18n import N_
from content_library.models import Asset, AssetStatus
from schedules import preflight, slots, wall_time
from schedules.models import AccountPool, Calendar, ChannelAccount, Post, Publication
from schedules.states import PublicationState
from schedules.wall_time import Moment


@dataclass(frozen=True)
class Wish:
    """Where somebody wants a post. `is_history` lets an import tell what has already been."""

    calendar: Calendar
    pool: Pool
    account: ChannelAccount
    wall_date: date
    wall_time: time
    fold: int | None = None
    is_history: bool = False


def settle(wish: Wish, asset: Asset, *, moving: Post | None = None) -> Moment:
    """The moment of the wish; raises Invalid when a post of the asset cannot stand there.

    `moving` is the post itself when it stands somewhere already: it is not its own neighbour.
    """
    moment = wall_time.settle(
        wish.wall_date, wish.wall_time, wish.calendar.timezone, fold=wish.fold
    )
    if not wish.is_history:
        wall_time.refuse_past(moment)
    check_asset(asset, wish.wall_date)
    _check_way(wish.pool, wish.account)
    _refuse_taken(wish, moment, moving)
    return moment


def lock(pool: Pool) -> None:
    """Two people filling one pool's day do it one after the other."""
    session.execute(select(Pool.id).where(Pool.id == pool.id).with_for_update())


def check_asset(asset: Asset, on: date) -> None:
    """Raise Invalid when the asset may not go out on that day; a draft may be planned."""
    if asset.status is AssetStatus.RETIRED:
        raise invalid("asset", "asset_retired", N_("The asset has been retired. Choose another."))
    if asset.valid_until and asset.valid_until < on:
        raise invalid(
            "asset",
            "asset_expired",
            N_("The asset may be used until %(day)s only. Choose another, or an earlier day."),
            day=asset.valid_until.isoformat(),
        )
    if asset.valid_from and asset.valid_from > on:
        raise invalid(
            "asset",
            "asset_too_early",
            N_("The asset may be used from %(day)s on. Choose another, or a later day."),
            day=asset.valid_from.isoformat(),
        )


def neighbour(wish: Wish, moment: Moment, moving: Post | None = None) -> Post | None:
    """The post that stands too near in the same pool; dropped ones take no room."""
    gap = slots.least_gap(wish.calendar)
    inside = timedelta(microseconds=1)
    found = (
        select(Post)
        .join(Publication, Publication.post_id == Post.id)
        .where(Post.pool_id == wish.pool.id)
        .where(
            Post.publish_at.between(moment.instant - gap + inside, moment.instant + gap - inside)
        )
        .where(Publication.state != PublicationState.CANCELLED)
        .order_by(Post.publish_at)
    )
    if moving is not None:
        found = found.where(Post.id != moving.id)
    return session.scalar(found.limit(1))


def speakers(pool: Pool) -> list[ChannelAccount]:
    """The accounts that can speak to the pool, those in service first."""
    return list(
        session.scalars(
            select(ChannelAccount)
            .join(AccountPool, AccountPool.account_id == ChannelAccount.id)
            .where(AccountPool.pool_id == pool.id, ChannelAccount.retired_at.is_(None))
            .options(joinedload(ChannelAccount.persona))
            .order_by(ChannelAccount.is_paused, ChannelAccount.id)
        )
    )


def _check_way(pool: Pool, account: ChannelAccount) -> None:
    if not pool.is_active:
        raise invalid("pool", "pool_inactive", N_("The pool is no longer in use."))
    if not preflight.reaches(account, pool.id):
        raise invalid("account", "pool_not_reached", N_("The account does not reach this pool."))


def _refuse_taken(wish: Wish, moment: Moment, moving: Post | None) -> None:
    other = neighbour(wish, moment, moving)
    if other is None:
        return
    raise invalid(
        "wall_time",
        "slot_taken",
        N_(
            "“%(title)s” goes to %(pool)s at %(at)s. Posts of one pool stand %(gap)s minutes "
            "apart; choose another time or move that one."
        ),
        title=other.version.title,
        pool=wish.pool.name,
        at=f"{other.wall_date:%Y-%m-%d} {other.wall_time:%H:%M}",
        gap=int(slots.least_gap(wish.calendar).total_seconds() // 60),
        post=other.id,
    )
