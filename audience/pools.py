"""Pools: the groups and Moments audiences a post can reach."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from audience.models import Pool, PoolKind, Stage
from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, invalid
from cms.core.i18n import N_
from cms.core.slugs import free_slug
from cms.core.text import clean_line, is_blank

LARGEST = 10_000_000
MOST_CONTACTS = 999


@dataclass(frozen=True)
class PoolFields:
    """What a person says about a pool. `size` counts people; a Moments audience is an estimate.

    No more than `most_per_day` and `most_per_week` posts reach it; none: no limit.
    """

    name: str
    kind: PoolKind
    stage_id: int
    size: int
    is_active: bool = True
    most_per_day: int | None = None
    most_per_week: int | None = None


def get(pool_id: int) -> Pool:
    """The pool of that id; raises NotFound."""
    pool = session.get(Pool, pool_id)
    if pool is None:
        raise NotFound("pool")
    return pool


def by_slug(slug: str) -> Pool | None:
    """The pool of that slug."""
    return session.scalar(select(Pool).where(Pool.slug == slug))


def by_feed_token(token: str) -> Pool:
    """The pool whose readers hold that token; raises NotFound."""
    pool = session.scalar(select(Pool).where(Pool.feed_token == token, Pool.is_active))
    if pool is None:
        raise NotFound("page")
    return pool


def in_order() -> Select[Pool]:
    """All pools in the order of their stages, for the caller to page."""
    return (
        select(Pool)
        .join(Pool.stage)
        .options(joinedload(Pool.stage))
        .order_by(Stage.position, Pool.kind, Pool.name, Pool.id)
    )


def add(fields: PoolFields, *, by: User | None, slug: str | None = None) -> Pool:
    """Add a pool with a feed address of its own. Raises Invalid."""
    _check(fields)
    pool = Pool(
        slug=slug or free_slug(fields.name, "pool", by_slug), feed_token=secrets.token_urlsafe(18)
    )
    _fill(pool, fields)
    session.add(pool)
    session.flush()  # the audit trail needs the id
    audit.record("pool.added", pool, by=by, name=pool.name)
    return pool


def change(pool: Pool, fields: PoolFields, *, by: User | None) -> None:
    """Change what is said about the pool. Raises Invalid."""
    _check(fields)
    before = {"name": pool.name, "size": pool.size}
    _fill(pool, fields)
    audit.record("pool.changed", pool, by=by, before=before)


def renew_feed(pool: Pool, *, by: User | None) -> None:
    """Give the feed a new address; the old one stops working at once."""
    pool.feed_token = secrets.token_urlsafe(18)
    audit.record("pool.feed_renewed", pool, by=by)


def _fill(pool: Pool, fields: PoolFields) -> None:
    pool.name = clean_line(fields.name)
    pool.kind, pool.stage_id = fields.kind, fields.stage_id
    pool.size, pool.is_active = fields.size, fields.is_active
    pool.most_per_day, pool.most_per_week = fields.most_per_day, fields.most_per_week
    pool.updated_at = now()


def _check(fields: PoolFields) -> None:
    if is_blank(fields.name) or len(fields.name) > 120:
        raise invalid("name", "bad_name", N_("Give a name of 1 to 120 characters."))
    if not 0 <= fields.size <= LARGEST:
        raise invalid(
            "size", "bad_size", N_("Size is a whole number from 0 to %(largest)s."), largest=LARGEST
        )
    if session.get(Stage, fields.stage_id) is None:
        raise invalid("stage_id", "bad_stage", N_("Choose one of the stages offered."))
    _check_contacts(fields)


def _check_contacts(fields: PoolFields) -> None:
    for name in ("most_per_day", "most_per_week"):
        most = getattr(fields, name)
        if most is not None and not 1 <= most <= MOST_CONTACTS:
            raise invalid(
                name,
                "bad_contacts",
                N_("Give a whole number from 1 to %(largest)s, or leave it empty for no limit."),
                largest=MOST_CONTACTS,
            )
    day, week = fields.most_per_day, fields.most_per_week
    if day is not None and week is not None and week < day:
        raise invalid(
            "most_per_week", "bad_contacts", N_("A week cannot hold fewer posts than a day.")
        )
