"""What readers did, per post, asset, tag, stage, hour and channel; from rollups, in a bounded period."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, case, func, select
from sqlalchemy.orm import joinedload

from audience.models import Pool, Stage
from cms.core.db import session
from content_library.models import Asset, AssetTag, Tag
from feedback.models import Rollup
from feedback.periods import Period
from feedback.rates import Rate
from schedules.models import ChannelAccount, Post, Publication
from schedules.states import LIVE_TO_READERS

FIGURES = ("click", "view", "open", "like", "collect", "comment", "share")
SORTS = ("published", "clicks", "rate", "collects", "comments", "reach")


@dataclass(frozen=True)
class Figures:
    """Counted responses to some publications, with raw and confirmed clicks beside the counted ones."""

    posts: int
    reach: int
    counts: dict[str, int]
    raw_clicks: int
    confirmed_clicks: int
    people: int = 0
    weak: int = 0

    @property
    def click_rate(self) -> Rate:
        return Rate(self.counts["click"], self.reach)

    def rate(self, kind: str) -> Rate:
        """The share of those reached who did it."""
        return Rate(self.counts[kind], self.reach)


@dataclass(frozen=True)
class Line:
    """One row of a breakdown: what it is about, and its figures."""

    key: Any
    figures: Figures


def totals(period: Period) -> Figures:
    """Everything of the posts that went live in the period."""
    return _figures(session.execute(_summed(period)).one())


def by_day(period: Period, kind: str) -> list[int]:
    """What was counted on each day of the period, whenever its post went live."""
    rows = session.execute(
        select(Rollup.day, func.sum(Rollup.counted))
        .where(Rollup.kind == kind, Rollup.day >= period.first, Rollup.day <= period.last)
        .group_by(Rollup.day)
    )
    found: dict[date, int] = {day: int(total) for day, total in rows}
    return [found.get(day, 0) for day in period.days]


def posts(period: Period, *, sort: str = "published", stage_id: int | None = None) -> Select[Any]:
    """Publications of the period with their figures beside them, for the caller to page."""
    per_post = _per_publication(period)
    rows = (
        select(Publication, per_post)
        .join(per_post, per_post.c.publication_id == Publication.id)
        .options(
            joinedload(Publication.post).joinedload(Post.version),
            joinedload(Publication.pool).joinedload(Pool.stage),
            joinedload(Publication.account),
        )
    )
    if stage_id is not None:
        rows = rows.where(Publication.pool_id.in_(select(Pool.id).where(Pool.stage_id == stage_id)))
    order: dict[str, ColumnElement[Any]] = {
        "published": per_post.c.live_at,
        "clicks": per_post.c.click,
        "rate": per_post.c.click * 1.0 / func.nullif(per_post.c.reach, 0),
        "collects": per_post.c.collect,
        "comments": per_post.c.comment,
        "reach": per_post.c.reach,
    }
    return rows.order_by(order[sort].desc().nulls_last(), Publication.id.desc())


def figures_of(row: Any, posts: int = 1) -> Figures:
    """The figures of one row that `posts` or `by_asset` gave."""
    return _figures(row, posts=posts)


def of_publication(publication_id: int) -> Figures:
    """Figures of one publication, whenever it went live."""
    per_post = _per_publication(None, Publication.id == publication_id)
    row = session.execute(select(per_post)).one_or_none()
    return _figures(row, posts=1) if row else _nothing()


def course(publication_id: int, kind: str = "click", most: int = 28) -> list[tuple[date, int]]:
    """What was counted on each of the publication's first days."""
    rows = session.execute(
        select(Rollup.day, Rollup.counted)
        .where(Rollup.publication_id == publication_id, Rollup.kind == kind)
        .order_by(Rollup.day)
        .limit(most)
    )
    return [(day, counted) for day, counted in rows]


def by_asset(period: Period) -> Select[Any]:
    """Assets of the period with their figures, the surest click rate not yet known: sorted by clicks."""
    summed = _grouped(period, Post.asset_id).subquery()
    return (
        select(Asset, summed)
        .join(summed, summed.c.key == Asset.id)
        .order_by(summed.c.click.desc(), Asset.id)
    )


def by_stage(period: Period) -> list[Line]:
    return _named(period, Pool.stage_id, Stage, lambda stage: stage.position)


def by_tag(period: Period) -> list[Line]:
    """Raw figures by tag: what happened, not what the tag did; effects come from the model."""
    rows = _grouped(period, AssetTag.tag_id).join(AssetTag, AssetTag.asset_id == Post.asset_id)
    return _with_rows(rows, Tag, lambda tag: (tag.group_id, tag.position))


def by_channel(period: Period) -> list[Line]:
    rows = session.execute(
        _grouped(period, ChannelAccount.channel)
        .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
        .order_by(ChannelAccount.channel)
    )
    return [Line(row.key, _figures(row)) for row in rows]


def by_hour(period: Period) -> list[Line]:
    """By the wall-clock hour at which the post was planned."""
    hours: dict[int, list[Figures]] = {}
    for row in session.execute(_grouped(period, Post.wall_time)):
        hours.setdefault(row.key.hour, []).append(_figures(row))
    return [Line(hour, _added(found)) for hour, found in sorted(hours.items())]


def cells(period: Period) -> dict[tuple[int, int], Figures]:
    """Each stage × hour that was posted into."""
    found: dict[tuple[int, int], list[Figures]] = {}
    rows = _grouped(period, Pool.stage_id, Post.wall_time)
    for row in session.execute(rows):
        found.setdefault((row.key, row.key2.hour), []).append(_figures(row))
    return {cell: _added(parts) for cell, parts in found.items()}


def _live(period: Period | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Publication.state.in_(LIVE_TO_READERS)]
    if period is not None:
        at = func.coalesce(Publication.published_at, Publication.due_at)
        conditions += [at >= period.start, at < period.end]
    return conditions


def _per_publication(period: Period | None, *where: ColumnElement[bool]) -> CTE:
    """One row a publication: its reach and the sums of all its days.

    Worked out once and kept for the statement: PostgreSQL, when its statistics are old, takes it for
    a row or two and would work it out again for every row beside it.
    """
    sums = [_sum(kind).label(kind) for kind in FIGURES]
    return (
        select(
            Publication.id.label("publication_id"),
            Publication.reach.label("reach"),
            func.coalesce(Publication.published_at, Publication.due_at).label("live_at"),
            *sums,
            _sum("click", Rollup.raw).label("raw_clicks"),
            _sum("click", Rollup.confirmed).label("confirmed_clicks"),
            _sum("click", Rollup.people).label("people"),
            _sum("click", Rollup.weak).label("weak"),
        )
        .outerjoin(Rollup, Rollup.publication_id == Publication.id)
        .where(*_live(period), *where)
        .group_by(Publication.id)
        .cte("per_post")
        .prefix_with("MATERIALIZED")
    )


def _sum(kind: str, column: Any = Rollup.counted) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((Rollup.kind == kind, column), else_=0)), 0)


def _summed(period: Period, per_post: CTE | None = None) -> Select[Any]:
    per_post = per_post if per_post is not None else _per_publication(period)
    names = ("reach", *FIGURES, "raw_clicks", "confirmed_clicks", "people", "weak")
    return select(
        func.count().label("posts"),
        *(func.coalesce(func.sum(per_post.c[name]), 0).label(name) for name in names),
    )


def _grouped(period: Period, *keys: Any) -> Select[Any]:
    per_post = _per_publication(period)
    labels = [key.label("key" if n == 0 else f"key{n + 1}") for n, key in enumerate(keys)]
    return (
        _summed(period, per_post)
        .add_columns(*labels)
        .select_from(per_post)
        .join(Publication, Publication.id == per_post.c.publication_id)
        .join(Post, Post.id == Publication.post_id)
        .join(Pool, Pool.id == Publication.pool_id)
        .group_by(*keys)
    )


def _named(period: Period, key: Any, model: Any, order: Callable[[Any], Any]) -> list[Line]:
    return _with_rows(_grouped(period, key), model, order)


def _with_rows(grouped: Select[Any], model: Any, order: Callable[[Any], Any]) -> list[Line]:
    found = {row.key: _figures(row) for row in session.execute(grouped)}
    named = session.scalars(select(model).where(model.id.in_(found))).all()
    return [Line(row, found[row.id]) for row in sorted(named, key=order)]


def _figures(row: Any, posts: int | None = None) -> Figures:
    return Figures(
        posts=posts if posts is not None else row.posts,
        reach=int(row.reach),
        counts={kind: int(getattr(row, kind)) for kind in FIGURES},
        raw_clicks=int(row.raw_clicks),
        confirmed_clicks=int(row.confirmed_clicks),
        people=int(row.people),
        weak=int(row.weak),
    )


def _nothing() -> Figures:
    return Figures(0, 0, dict.fromkeys(FIGURES, 0), 0, 0)


def _added(parts: list[Figures]) -> Figures:
    return Figures(
        posts=sum(part.posts for part in parts),
        reach=sum(part.reach for part in parts),
        counts={kind: sum(part.counts[kind] for part in parts) for kind in FIGURES},
        raw_clicks=sum(part.raw_clicks for part in parts),
        confirmed_clicks=sum(part.confirmed_clicks for part in parts),
        people=sum(part.people for part in parts),
        weak=sum(part.weak for part in parts),
    )
