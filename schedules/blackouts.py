"""Blackout windows: spans in which nothing may go out, of a calendar, an account, or everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import contains_eager, joinedload

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session
from cms.core.errors import Invalid, NotFound, Problem, invalid
from cms.core.i18n import N_
from cms.core.text import check_length, clean_line, is_blank
from schedules import wall_time
from schedules.models import Blackout, Calendar, ChannelAccount, Post, Publication
from schedules.states import PublicationState

LONGEST_REASON = 300
COUNTED = (PublicationState.SCHEDULED, PublicationState.CLAIMED, PublicationState.HELD)


@dataclass(frozen=True)
class Edge:
    """One end of the span as the workspace's clocks show it; `fold` says which, when shown twice."""

    on: date
    at: time
    fold: int | None = None


@dataclass(frozen=True)
class BlackoutFields:
    """What shall be dark from when until when, and why. Neither calendar nor account: everything."""

    starts: Edge
    ends: Edge
    reason: str
    calendar_id: int | None = None
    account_id: int | None = None


# --- finders


def get(blackout_id: int) -> Blackout:
    """The blackout of that number; raises NotFound."""
    found = session.get(Blackout, blackout_id)
    if found is None:
        raise NotFound("blackout")
    return found


def ahead() -> Select[Blackout]:
    """Those not over yet, the next first, for the caller to page."""
    return _listed().where(Blackout.ends_at > now()).order_by(Blackout.starts_at, Blackout.id)


def over() -> Select[Blackout]:
    """Those that are over, the latest first, for the caller to page."""
    return _listed().where(Blackout.ends_at <= now()).order_by(Blackout.ends_at.desc(), Blackout.id)


def between(first: datetime, last: datetime) -> list[Blackout]:
    """Those that touch the span, both ends included."""
    found = _listed().where(Blackout.starts_at <= last, Blackout.ends_at > first)
    return list(session.scalars(found.order_by(Blackout.starts_at, Blackout.id)))


def covers(blackout: Blackout, calendar_id: int, account_id: int) -> bool:
    """Whether it speaks of that calendar and that account."""
    return blackout.calendar_id in (None, calendar_id) and blackout.account_id in (None, account_id)


def conflicts(blackout: Blackout) -> Select[Any]:
    """The approved posts that would have left inside it, in order of time, for the caller to page."""
    return (
        select(Publication)
        .join(Publication.post)
        .where(*_inside(blackout))
        .options(
            contains_eager(Publication.post).joinedload(Post.version),
            joinedload(Publication.pool),
            joinedload(Publication.account),
        )
        .order_by(Publication.due_at, Publication.id)
    )


def conflict_counts(blackouts: Sequence[Blackout]) -> dict[int, int]:
    """How many approved posts lie inside each of them, in one query."""
    if not blackouts:
        return {}
    joined = or_(*(and_(Blackout.id == one.id, *_inside(one)) for one in blackouts))
    rows = session.execute(
        select(Blackout.id, func.count(Publication.id))
        .select_from(Blackout)
        .join(Publication, true())
        .join(Post, Post.id == Publication.post_id)
        .where(joined)
        .group_by(Blackout.id)
    )
    return dict.fromkeys((one.id for one in blackouts), 0) | {key: count for key, count in rows}


# --- operations


def add(fields: BlackoutFields, *, by: User | None) -> Blackout:
    """Let nothing out in that span. Raises Invalid, each fault beside its field."""
    starts, ends = _span(fields)
    reason = clean_line(fields.reason)
    if is_blank(reason):
        raise invalid("reason", "content_empty", N_("Say why, so that planners understand."))
    check_length("reason", reason, LONGEST_REASON)
    _check_scope(fields)
    made = Blackout(
        calendar_id=fields.calendar_id,
        account_id=fields.account_id,
        starts_at=starts,
        ends_at=ends,
        reason=reason,
        created_by_id=by.id if by else None,
        created_at=now(),
    )
    session.add(made)
    session.flush()  # the audit trail needs the id
    audit.record("blackout.added", made, by=by, **_told(made))
    return made


def remove(blackout: Blackout, *, by: User | None) -> None:
    """Posts may go out again; those already held stay held until a person decides."""
    audit.record("blackout.removed", blackout, by=by, **_told(blackout))
    session.delete(blackout)


def _listed() -> Select[Blackout]:
    return select(Blackout).options(
        joinedload(Blackout.calendar),
        joinedload(Blackout.account),
        joinedload(Blackout.created_by),
    )


def _inside(blackout: Blackout) -> tuple[ColumnElement[bool], ...]:
    found = [
        Publication.state.in_(COUNTED),
        Publication.due_at >= blackout.starts_at,
        Publication.due_at < blackout.ends_at,
    ]
    if blackout.calendar_id is not None:
        found.append(Post.calendar_id == blackout.calendar_id)
    if blackout.account_id is not None:
        found.append(Publication.account_id == blackout.account_id)
    return tuple(found)


def _span(fields: BlackoutFields) -> tuple[datetime, datetime]:
    """Both ends as instants; faults of a wall time are told beside the end they speak of."""
    zone = current().timezone
    faults: dict[str, Problem] = {}
    instants: dict[str, datetime] = {}
    for name, edge in (("starts", fields.starts), ("ends", fields.ends)):
        try:
            instants[name] = wall_time.settle(edge.on, edge.at, zone, fold=edge.fold).instant
        except Invalid as error:
            faults[f"{name}_fold" if "fold" in error.fields else f"{name}_at"] = error.problem
    if faults:
        raise Invalid(faults)
    if instants["ends"] <= instants["starts"]:
        raise invalid("ends_at", "ends_before_start", N_("The end lies before the beginning."))
    if instants["ends"] <= now():
        raise invalid("ends_at", "time_in_past", N_("This is over already. Choose a later end."))
    return instants["starts"], instants["ends"]


def _check_scope(fields: BlackoutFields) -> None:
    is_known = (
        fields.calendar_id is None or session.get(Calendar, fields.calendar_id) is not None
    ) and (fields.account_id is None or session.get(ChannelAccount, fields.account_id) is not None)
    if not is_known:
        raise invalid("scope", "bad_choice", N_("Choose one of those offered."))


def _told(blackout: Blackout) -> dict[str, Any]:
    return {
        "starts": blackout.starts_at.isoformat(),
        "ends": blackout.ends_at.isoformat(),
        "reason": blackout.reason,
        "calendar": blackout.calendar_id,
        "account": blackout.account_id,
    }
