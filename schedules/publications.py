"""The publishing ledger: planning a publication, the one mover of its state, and its finders."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from audience.models import PoolKind
from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, conflict
from cms.core.i18n import N_
from cms.core.sentences import parts_of
from content_library.models import AssetVersion
from schedules import attempts, link_checks, link_jobs, links, rules, stops
from schedules.models import ChannelAccount, Delivery, EmployeeTask, Post, Publication
from schedules.states import PUBLICATION_MOVES
from schedules.states import PublicationState as State

GOING_OUT = frozenset(
    {State.CLAIMED, State.SENDING, State.PUBLISHED, State.HANDED_OVER, State.UNCERTAIN}
)
_LEASED = frozenset({State.CLAIMED, State.SENDING})
_INTERRUPTED = frozenset({State.SCHEDULED, State.HELD, State.MISSED})
_WITH_CARRIER = frozenset({State.PUBLISHED, State.HANDED_OVER})  # may be asked about, taken back
EXPIRING = timedelta(hours=2)  # how long before its end a missing confirmation is shown
_SHOWN = (
    joinedload(Publication.account),
    joinedload(Publication.pool),
    joinedload(Publication.post).joinedload(Post.version),
)
_ALREADY = N_("This post is already going out; it cannot be changed any more.")
_MAY_BE_OUT = N_(
    "This post may be out already, or a part of it. Let it be settled before you change it."
)


# --- finders


def get(publication_id: int) -> Publication:
    """The publication of that number; raises NotFound."""
    found = session.get(Publication, publication_id)
    if found is None:
        raise NotFound("publication")
    return found


def due(moment: datetime) -> Select[Any]:
    """What must go out now, the longest waiting first."""
    return (
        select(Publication)
        .where(Publication.state == State.SCHEDULED, Publication.due_at <= moment)
        .order_by(Publication.due_at, Publication.id)
    )


def expiring_confirmations(within: timedelta = EXPIRING) -> Select[Any]:
    """What was handed over and is not confirmed, its time over or nearly so; the oldest first."""
    return (
        select(Publication)
        .where(Publication.state == State.HANDED_OVER, _is_expiring(within))
        .order_by(Publication.confirm_by, Publication.due_at, Publication.id)
        .options(*_SHOWN)
    )


def _is_expiring(within: timedelta) -> ColumnElement[bool]:
    """A pack for a person of the house has no such time: it waits for them from the beginning."""
    return or_(Publication.confirm_by.is_(None), Publication.confirm_by <= now() + within)


def oldest_overdue() -> Publication | None:
    """The publication that should have gone out longest ago and has not, though nothing stops it."""
    moment = now()
    is_open = and_(
        ChannelAccount.is_paused.is_(False),
        or_(ChannelAccount.blocked_until.is_(None), ChannelAccount.blocked_until <= moment),
    )
    found = due(moment).join(Publication.account).where(is_open)
    return session.scalar(found.where(stops.clear_of(Publication.account_id)).limit(1))


def counts_by_state(states: Collection[State] = tuple(State)) -> dict[State, int]:
    """How many publications stand in each of the states asked for; every one is named.

    Asking for what has ended as well costs more with every year of history.
    """
    rows = session.execute(
        select(Publication.state, func.count())
        .where(Publication.state.in_(states))
        .group_by(Publication.state)
    )
    return dict.fromkeys(states, 0) | {state: number for state, number in rows}


# --- planning


def plan(post: Post, *, by: User | None = None) -> Publication:
    """Give the post its publication and tracked link, or make the ones it has follow the post.

    The ledger's unique key decides when two processes plan the same post at once.
    """
    session.flush()  # the ledger needs the post's id
    found = _of(post) if rules.is_on("unique") else None
    if found is None:
        try:
            return _enter(post, by)
        except IntegrityError:
            found = _of(post)
            if found is None:
                raise
    _follow(found, post, by)
    return found


def _of(post: Post) -> Publication | None:
    return session.scalar(select(Publication).where(Publication.post_id == post.id))


def _enter(post: Post, by: User | None) -> Publication:
    publication = Publication(
        post_id=post.id,
        account_id=post.account_id,
        pool_id=post.pool_id,
        occurrence=0 if rules.is_on("unique") else _occurrences(post),
        state=State.PLANNED,
        due_at=post.publish_at,
        late_after=post.publish_at + late_by(post),
        idempotency_key=secrets.token_hex(16),
        public_id=secrets.token_urlsafe(16),
        updated_at=now(),
    )
    with session.begin_nested():  # losing the race must not undo what the caller did
        session.add(publication)
    _link(publication, post)
    session.expire(post, ["publication"])
    audit.record("publication.planned", publication, by=by, post=post.id)
    return publication


def _occurrences(post: Post) -> int:
    known = select(func.count()).select_from(Publication).where(Publication.post_id == post.id)
    return session.scalar(known) or 0


def _link(publication: Publication, post: Post) -> None:
    """One link to its own reader page, and one to wherever the asset itself leads (a video)."""
    version = session.get(AssetVersion, post.version_id)
    outside = str(version.content.get("url") or "") if version else ""
    known = {link.target for link in publication.links}
    made = [
        links.make(publication, target)
        for target in dict.fromkeys(("", outside[:1000]))
        if target not in known
    ]
    session.flush()  # readers of the links look in the database
    for link in made:
        if link.target and not link_checks.is_spared(link.target):
            link_jobs.check_link.enqueue(link.id, key=f"link-{link.id}")


def _follow(publication: Publication, post: Post, by: User | None) -> None:
    _refuse_if_out(publication)
    if publication.state is not State.PLANNED:
        move(publication, State.PLANNED, by=by, content_hash=None, tries=0, crashes=0)
    publication.account_id, publication.pool_id = post.account_id, post.pool_id
    publication.due_at = post.publish_at
    publication.late_after = post.publish_at + late_by(post)
    publication.updated_at = now()
    _link(publication, post)  # its flush also lets finders see the new moment


def late_by(post: Post) -> timedelta:
    """How late is too late for this post, as its calendar says for the kind of its pool."""
    is_moments = post.pool.kind is PoolKind.MOMENTS
    calendar = post.calendar
    minutes = calendar.late_moments_minutes if is_moments else calendar.late_group_minutes
    return timedelta(minutes=minutes)


# --- moving


def lock(publication: Publication) -> None:
    """Whoever decides about it does so alone, on what the rows say now.

    The post comes first, as for everybody who changes one: else two would wait for each other.
    """
    session.refresh(publication.post, with_for_update={"of": Post})
    session.refresh(publication, with_for_update={"of": Publication})


def move(
    publication: Publication, to_state: State, *, by: User | None, reason: str = "", **values: Any
) -> None:
    """Take the publication to another state, once, with its audit entry.

    `values` are further columns that change along. Raises Conflict when the state does not allow
    the move, or when somebody else moved it meanwhile.
    """
    if to_state not in PUBLICATION_MOVES[publication.state]:
        raise conflict(
            "illegal_move",
            N_("A publication that is %(state)s cannot become %(to)s."),
            state=publication.state.value,
            to=to_state.value,
        )
    moved = shift(publication.id, publication.state, to_state, by=by, reason=reason, values=values)
    session.refresh(publication)
    if not moved:
        raise conflict("changed_meanwhile", N_("Somebody else was quicker. Look again."))


def shift(
    publication_id: int,
    from_state: State,
    to_state: State,
    *,
    by: User | None = None,
    reason: str = "",
    where: tuple[ColumnElement[bool], ...] = (),
    values: Mapping[str, Any] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> bool:
    """The one statement that changes a state: whether this caller was the one to do it.

    Rows already loaded do not notice; callers who hold one refresh it.
    """
    if to_state not in PUBLICATION_MOVES[from_state]:
        raise ValueError(f"{from_state} does not lead to {to_state}")
    expected = (Publication.state == from_state, *where) if rules.is_on("conditional") else ()
    done = session.execute(
        update(Publication)
        .where(Publication.id == publication_id, *expected)
        .values(_columns(to_state, reason) | dict(values or {}))
        .execution_options(synchronize_session=False)
    )
    if not isinstance(done, CursorResult) or done.rowcount != 1:
        return False
    said: dict[str, Any] = {"from": from_state.value}
    if reason:
        parts = parts_of(reason)
        said |= {"reason": reason} | ({"reason_parts": parts} if parts else {})
    said |= detail or {}
    audit.record(f"publication.{to_state.value}", Publication(id=publication_id), by=by, **said)
    return True


def _columns(to_state: State, reason: str) -> dict[str, Any]:
    """What a state brings along; the claim and the carrier's appointments end with theirs."""
    changed: dict[str, Any] = {
        "state": to_state,
        "reason": reason[:500],
        "reason_parts": parts_of(reason),
        "updated_at": now(),
    }
    if to_state not in _LEASED:
        changed |= {"lease_until": None, "claimed_by": ""}
    if to_state not in _WITH_CARRIER:
        changed |= {"poll_at": None, "wish": None, "wish_at": None}
    return changed


def schedule(publication: Publication, content_hash: str, *, by: User | None) -> None:
    """Pin the approved content and let the publication wait for its minute: the post's, whatever
    an earlier round of it had been put off to."""
    fresh = {
        "content_hash": content_hash,
        "due_at": publication.post.publish_at,
        "late_after": publication.post.publish_at + late_by(publication.post),
        "tries": 0,
        "crashes": 0,
        **anew(publication),
    }
    links.pin(publication)
    move(publication, State.SCHEDULED, by=by, **fresh)


def anew(publication: Publication) -> dict[str, Any]:
    """The columns that start over when a carrier had it once and it is to be sent again.

    Under its old key the carrier would only tell of the old send, which it turned down or which
    was taken back. Before an accepted send there is nothing to start over: the key stays.
    """
    if not attempts.was_accepted(publication.id):
        return _another(publication)
    for table in (EmployeeTask, Delivery):
        session.execute(
            delete(table)
            .where(table.publication_id == publication.id)
            .execution_options(synchronize_session=False)
        )
    return {
        "idempotency_key": secrets.token_hex(16),
        "carrier_facts": {},
        "external_id": "",
        "external_url": "",
        "expected": 0,
        "confirmed": 0,
        "confirm_by": None,
        "amended_at": None,
        "withdrawn_at": None,
        "published_at": None,
    }


def _another(publication: Publication) -> dict[str, Any]:
    """Dropped while nobody knew, and approved once more: to the carrier it is another message."""
    if publication.state is not State.PLANNED or not attempts.unresolved(publication.id):
        return {}
    attempts.vouch(publication.id)
    return {"idempotency_key": secrets.token_hex(16)}


def unschedule(post: Post, *, by: User | None) -> None:
    """Take an approved post out of the queue again; Conflict `already_going_out` when too late."""
    publication = post.publication
    if publication is None or publication.state in (State.PLANNED, State.CANCELLED):
        return
    _refuse_if_out(publication)
    move(publication, State.PLANNED, by=by, content_hash=None)


def refuse_if_going_out(post: Post) -> None:
    """Raise Conflict `already_going_out` when nothing about the post may change any more."""
    if post.publication is not None:
        _refuse_if_out(post.publication)


def _refuse_if_out(publication: Publication) -> None:
    """Other words for what may be out already would be a second post beside the first."""
    if publication.state in GOING_OUT:
        raise conflict("already_going_out", _ALREADY)
    if publication.state in _INTERRUPTED and attempts.may_be_out(publication.id):
        raise conflict("already_going_out", _MAY_BE_OUT)


def fixed(found: Sequence[Publication]) -> set[int]:
    """Those of which nothing may change any more, as they may be out; one question for all."""
    interrupted = [one.id for one in found if one.state in _INTERRUPTED]
    out = {one.id for one in found if one.state in GOING_OUT}
    return out | attempts.maybe_out(interrupted)


def drop(publication: Publication, *, by: User | None, reason: str = "") -> None:
    """It shall not go out; whatever already happened stays told.

    Raises Conflict while machines still find out whether it did.
    """
    if publication.state is State.SCHEDULED:
        _refuse_if_out(publication)
    move(publication, State.CANCELLED, by=by, reason=reason)
