"""What waits for a person: publications in trouble, gathered by the cause that they share."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import joinedload, selectinload

from cms.core.clock import now
from cms.core.db import session
from schedules.models import HandOver, Post, Publication
from schedules.publications import EXPIRING
from schedules.states import HandOverState
from schedules.states import PublicationState as State

SOON = timedelta(minutes=30)  # before a pack's time is over, for there is little of it
STUCK_TRIES = 3
STUCK_AFTER = timedelta(minutes=15)
LONG = timedelta(days=366)
MOST_CAUSES = 1_000
_NUMBERS = re.compile(r"\d+")


class Trouble(StrEnum):
    """Why a publication needs somebody, the most urgent first."""

    UNCERTAIN = "uncertain"
    EXPIRED = "expired"  # nobody confirmed in time
    FAILED = "failed"
    HELD = "held"
    MISSED = "missed"
    EXPIRING = "expiring"  # little time is left to confirm
    WISH = "wish"  # a change or withdrawal does not get through


ENDED_BADLY = (State.UNCERTAIN, State.FAILED, State.HELD, State.MISSED)
_RANK = {trouble: place for place, trouble in enumerate(Trouble)}


@dataclass(frozen=True)
class Wanted:
    """What of the inbox is asked for; nothing said means everything."""

    trouble: Trouble | None = None
    account_id: int | None = None
    pool_id: int | None = None
    since: datetime | None = None  # of the post's own time
    until: datetime | None = None
    key: str = ""  # of one cause


@dataclass(frozen=True)
class Cause:
    """One thing that went wrong for so many posts: an account, a trouble, a reason."""

    key: str
    trouble: Trouble
    account_id: int
    patterns: tuple[str, ...]  # reasons that differ only in their figures
    count: int
    newest_at: datetime
    example_id: int


@dataclass
class Gathered:
    """A cause with the first of its posts, for showing."""

    cause: Cause
    rows: list[Publication] = field(default_factory=list)


def key_of(trouble: str, account_id: int, pattern: str) -> str:
    """The name of a cause in addresses and alerts; figures in the reason do not matter."""
    digest = hashlib.sha256(_NUMBERS.sub("#", pattern).encode()).hexdigest()[:10]
    return f"{trouble}-{account_id}-{digest}"


def causes(wanted: Wanted = Wanted()) -> list[Cause]:
    """Every cause, the most urgent trouble first, the newest first in each. One query."""
    found = _troubled(wanted)
    rows = session.execute(
        select(
            found.c.trouble,
            found.c.account_id,
            found.c.pattern,
            func.count().label("count"),
            func.max(found.c.updated_at).label("newest_at"),
            func.max(found.c.id).label("example_id"),
        )
        .group_by(found.c.trouble, found.c.account_id, found.c.pattern)
        .order_by(func.max(found.c.updated_at).desc())
        .limit(MOST_CAUSES)
    )
    merged: dict[str, Cause] = {}
    for row in rows:
        one = _cause(row)
        known = merged.get(one.key)
        merged[one.key] = _together(known, one) if known else one
    chosen = [one for one in merged.values() if wanted.key in ("", one.key)]
    return sorted(chosen, key=lambda one: (_RANK[one.trouble], -one.newest_at.timestamp()))


def by_trouble(found: Sequence[Cause]) -> dict[Trouble, int]:
    """How many posts are in each trouble; every trouble is named."""
    counted = dict.fromkeys(Trouble, 0)
    for cause in found:
        counted[cause.trouble] += cause.count
    return counted


def count() -> int:
    """How many publications wait for a person: for the badge on every page, so it is cheap."""
    found = _troubled(Wanted())
    return session.scalar(select(func.count()).select_from(found)) or 0


def by_account(account_ids: Sequence[int]) -> dict[int, int]:
    """How many wait for a person through each of those accounts; every one is named. One query."""
    found = _troubled(Wanted())
    rows = session.execute(
        select(found.c.account_id, func.count())
        .where(found.c.account_id.in_(account_ids))
        .group_by(found.c.account_id)
    )
    return dict.fromkeys(account_ids, 0) | {account_id: number for account_id, number in rows}


def gathered(found: Sequence[Cause], wanted: Wanted, *, each: int) -> list[Gathered]:
    """The causes with at most so many posts each, in one query however many causes there are."""
    groups = {cause.key: Gathered(cause) for cause in found}
    if not groups:
        return []
    rows = _troubled(wanted)
    place = func.row_number().over(
        partition_by=(rows.c.trouble, rows.c.account_id, rows.c.pattern),
        order_by=(rows.c.updated_at.desc(), rows.c.id.desc()),
    )
    ranked = select(
        rows.c.id, rows.c.trouble, rows.c.account_id, rows.c.pattern, place.label("place")
    )
    ranked_rows = ranked.where(or_(*(_of_cause(rows, one) for one in found))).subquery()
    chosen = (
        select(Publication, ranked_rows.c.trouble, ranked_rows.c.pattern)
        .join(ranked_rows, ranked_rows.c.id == Publication.id)
        .where(ranked_rows.c.place <= each)
        .order_by(Publication.updated_at.desc(), Publication.id.desc())
        .options(*_drawn())
    )
    for publication, trouble, pattern in session.execute(chosen).unique():
        group = groups.get(key_of(trouble, publication.account_id, pattern))
        if group and len(group.rows) < each:
            group.rows.append(publication)
    return list(groups.values())


def of_cause(cause: Cause, wanted: Wanted) -> Select[Any]:
    """The posts of one cause, the newest trouble first, for the caller to page."""
    rows = _troubled(wanted)
    ids = select(rows.c.id).where(_of_cause(rows, cause))
    return (
        select(Publication)
        .where(Publication.id.in_(ids))
        .order_by(Publication.updated_at.desc(), Publication.id.desc())
        .options(*_drawn())
    )


def by_ids(ids: Sequence[int]) -> Select[Any]:
    """Those publications, with what a row shows."""
    return select(Publication).where(Publication.id.in_(ids)).options(*_drawn())


def examples(found: Sequence[Cause]) -> Mapping[int, Publication]:
    """One publication of each cause, by id: its reason stands for all."""
    ids = [cause.example_id for cause in found]
    rows = session.scalars(
        select(Publication).where(Publication.id.in_(ids)).options(joinedload(Publication.account))
    )
    return {row.id: row for row in rows.unique()}


def trouble_of(publication: Publication) -> Trouble | None:
    """The trouble that one publication is in."""
    found = select(_trouble(now())).where(Publication.id == publication.id)
    text = session.scalar(found)
    return Trouble(text) if text else None


def _cause(row: Any) -> Cause:
    return Cause(
        key=key_of(row.trouble, row.account_id, row.pattern),
        trouble=Trouble(row.trouble),
        account_id=row.account_id,
        patterns=(row.pattern,),
        count=row.count,
        newest_at=row.newest_at,
        example_id=row.example_id,
    )


def _together(one: Cause, other: Cause) -> Cause:
    return Cause(
        key=one.key,
        trouble=one.trouble,
        account_id=one.account_id,
        patterns=(*one.patterns, *other.patterns),
        count=one.count + other.count,
        newest_at=max(one.newest_at, other.newest_at),
        example_id=max(one.example_id, other.example_id),
    )


def _of_cause(rows: Subquery, cause: Cause) -> ColumnElement[bool]:
    return and_(
        rows.c.trouble == cause.trouble.value,
        rows.c.account_id == cause.account_id,
        rows.c.pattern.in_(cause.patterns),
    )


def _troubled(wanted: Wanted) -> Subquery:
    """Each publication in trouble once: id, account, trouble, pattern of its reason, when it moved.

    Three searches that cannot meet, each along an index: what is over is never looked at.
    """
    moment = now()
    badly = Publication.state.in_(ENDED_BADLY)
    open_ended = and_(Publication.state == State.HANDED_OVER, _trouble(moment).is_not(None))
    # Said by what it is not: nearly every row is published, so that index would find them all.
    wishing = and_(Publication.state.not_in((*ENDED_BADLY, State.HANDED_OVER)), _is_stuck(moment))
    parts = [
        _columns(moment).where(one, *_narrowed(wanted)) for one in (badly, open_ended, wishing)
    ]
    return union_all(*parts).subquery()


def _columns(moment: datetime) -> Select[Any]:
    template = Publication.reason_parts["message"].as_string()
    pattern = func.coalesce(template, Publication.reason)
    has_none = _trouble(moment).in_([Trouble.EXPIRING.value, Trouble.WISH.value])
    return select(
        Publication.id,
        Publication.account_id,
        _trouble(moment).label("trouble"),
        cast(case((has_none, literal("")), else_=pattern), String).label("pattern"),
        Publication.updated_at,
    )


def _trouble(moment: datetime) -> ColumnElement[Any]:
    """The one trouble a publication is in, or null."""
    handed_over = Publication.state == State.HANDED_OVER
    pack = _pack_deadline()
    over = or_(Publication.confirm_by < moment, pack < moment)
    nearly = or_(Publication.confirm_by < moment + EXPIRING, pack < moment + SOON)
    return case(
        *((Publication.state == state, literal(state.value)) for state in ENDED_BADLY),
        (and_(handed_over, over), literal(Trouble.EXPIRED.value)),
        (and_(handed_over, nearly), literal(Trouble.EXPIRING.value)),
        (_is_stuck(moment), literal(Trouble.WISH.value)),
    )


def _pack_deadline() -> ColumnElement[Any]:
    open_pack = HandOver.state.in_([HandOverState.WAITING, HandOverState.EXPIRED])
    return (
        select(func.min(HandOver.expires_at))
        .where(HandOver.publication_id == Publication.id, open_pack)
        .correlate(Publication)
        .scalar_subquery()
    )


def _is_stuck(moment: datetime) -> ColumnElement[bool]:
    """A wish whose moment is long over, or that was tried and tried."""
    overdue = Publication.wish_at < moment - STUCK_AFTER
    is_wished = Publication.wish_at < moment + LONG  # bounded, so that its index is used
    return and_(is_wished, or_(overdue, Publication.wish_tries >= STUCK_TRIES))


def _narrowed(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.trouble:
        found.append(_trouble(now()) == wanted.trouble.value)
    if wanted.account_id is not None:
        found.append(Publication.account_id == wanted.account_id)
    if wanted.pool_id is not None:
        found.append(Publication.pool_id == wanted.pool_id)
    if wanted.since and wanted.until:
        of_day = select(Post.id).where(
            Post.publish_at >= wanted.since, Post.publish_at < wanted.until
        )
        found.append(Publication.post_id.in_(of_day))
    return found


def _drawn() -> tuple[Any, ...]:
    """What a row on the page shows."""
    return (
        joinedload(Publication.account),
        joinedload(Publication.pool),
        joinedload(Publication.post).joinedload(Post.version),
        selectinload(Publication.hand_overs),
    )
