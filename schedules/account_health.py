"""How channel accounts are doing: their condition, what waits, what went out, what is left of limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import joinedload

from cms.accounts.models import AuditEntry, User
from cms.core.clock import now
from cms.core.db import session
from schedules import accounts, credentials, inbox, pace, stops, tokens, uploads
from schedules.channels.answers import Quota
from schedules.models import ChannelAccount, EmployeeTask, Post, Publication, Stop
from schedules.preflight import quotas
from schedules.states import HandOverState
from schedules.states import PublicationState as State

PAUSES = ("account.paused", "channel_account.paused")  # by a person, by a carrier's refusal
ENDED = (State.PUBLISHED, State.FAILED, State.UNCERTAIN, State.HANDED_OVER, State.MISSED)
SHOWN_FOR = timedelta(days=30)
MOST_WAITING = 1_000
DAYS = 14
LONGEST_UNDER_WAY = timedelta(days=7)  # from its minute until it is confirmed or given up


class Health(StrEnum):
    """One word for an account, the gravest first."""

    RETIRED = "retired"
    UNOPENABLE = "unopenable"  # no known key opens its secrets
    STOPPED = "stopped"  # an emergency stop covers it
    REFUSED = "refused"  # paused because its carrier refuses it
    PAUSED = "paused"
    WAITING = "waiting"  # its carrier told it to wait
    TROUBLED = "troubled"  # the last try failed
    UNTRIED = "untried"
    WORKING = "working"


@dataclass(frozen=True)
class Condition:
    """What is to be said about an account in one line."""

    health: Health
    by: User | None = None
    why: str = ""
    why_parts: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True)
class Waiting:
    """How much waits: to go out, and for a person."""

    to_go: int = 0
    for_a_person: int = 0


@dataclass(frozen=True)
class Left:
    """What is left of an account's limits at this moment."""

    now: int
    per_minute: int
    blocked_until: datetime | None
    quota: Quota | None = None  # what its carrier counts by its own day or month
    of_quota: int = 0


@dataclass(frozen=True)
class Day:
    on: date
    published: int
    failed: int


@dataclass(frozen=True)
class Held:
    """What the carrier has given or keeps; None where it cannot be told."""

    token_ends_at: datetime | None
    uploads: int | None


# --- one line


def conditions(found: Sequence[ChannelAccount]) -> dict[int, Condition]:
    """The condition of each, with as many questions for a hundred as for one."""
    in_force = stops.in_force()
    pauses = _latest_pauses([account.id for account in found if account.is_paused])
    return {account.id: _condition(account, in_force, pauses.get(account.id)) for account in found}


def condition(account: ChannelAccount) -> Condition:
    return conditions([account])[account.id]


def _condition(
    account: ChannelAccount, in_force: list[Stop], pause: AuditEntry | None
) -> Condition:
    if account.retired_at:
        return Condition(Health.RETIRED, at=account.retired_at)
    if credentials.opened(account) is None:
        return Condition(Health.UNOPENABLE, at=account.secrets_changed_at)
    stop = stops.covering(in_force, account)
    if stop:
        return Condition(Health.STOPPED, by=stop.by, why=stop.reason, at=stop.at)
    if account.is_paused:
        return _paused(account, pause)
    return _open(account)


def _paused(account: ChannelAccount, pause: AuditEntry | None) -> Condition:
    if pause is None:
        return Condition(Health.PAUSED)
    if pause.action == "channel_account.paused":
        why = account.last_fault or str(pause.detail.get("reason", ""))
        parts = account.fault_parts if account.last_fault else {}
        return Condition(Health.REFUSED, why=why, why_parts=parts, at=pause.at)
    why = str(pause.detail.get("reason", ""))
    return Condition(Health.PAUSED, by=pause.actor, why=why, at=pause.at)


def _open(account: ChannelAccount) -> Condition:
    fault, parts = account.last_fault, account.fault_parts
    if account.blocked_until and account.blocked_until > now():
        return Condition(Health.WAITING, why=fault, why_parts=parts, at=account.blocked_until)
    if fault:
        return Condition(Health.TROUBLED, why=fault, why_parts=parts, at=account.last_fault_at)
    if account.last_success_at:
        return Condition(Health.WORKING, at=account.last_success_at)
    return Condition(Health.UNTRIED)


def _latest_pauses(account_ids: list[int]) -> dict[int, AuditEntry]:
    """Who paused each of them last, and why: the trail knows."""
    if not account_ids:
        return {}
    newest = (
        select(func.max(AuditEntry.id))
        .where(AuditEntry.object_type == ChannelAccount.__tablename__)
        .where(AuditEntry.object_id.in_(account_ids), AuditEntry.action.in_(PAUSES))
        .group_by(AuditEntry.object_id)
    )
    found = select(AuditEntry).where(AuditEntry.id.in_(newest))
    rows = session.scalars(found.options(joinedload(AuditEntry.actor)))
    return {row.object_id: row for row in rows}


# --- what waits


def waiting(account_ids: Sequence[int]) -> dict[int, Waiting]:
    """How much waits through each of them, with two questions; a person's part is the inbox's own."""
    rows = session.execute(
        select(Publication.account_id, func.count())
        .where(Publication.state == State.SCHEDULED, Publication.account_id.in_(account_ids))
        .group_by(Publication.account_id)
    )
    to_go = {account_id: number for account_id, number in rows}
    for_a_person = inbox.by_account(account_ids)
    return {one: Waiting(to_go.get(one, 0), for_a_person[one]) for one in account_ids}


def after_resuming(account: ChannelAccount) -> tuple[int, int]:
    """How many due posts would go out when it is resumed now, and how many would be missed.

    They leave one after another at the account's pace; whoever's turn comes too late is missed.
    """
    moment = now()
    patience = session.scalars(
        select(Publication.late_after)
        .where(Publication.account_id == account.id, Publication.state == State.SCHEDULED)
        .where(Publication.due_at <= moment)
        .order_by(Publication.due_at, Publication.id)
        .limit(MOST_WAITING)
    ).all()
    missed = turn = 0
    for late_after in patience:
        if late_after < moment + timedelta(minutes=turn / account.per_minute):
            missed += 1
        else:
            turn += 1
    return len(patience) - missed, missed


def next_due(account: ChannelAccount, number: int = 5) -> list[Publication]:
    """What goes out next through the account."""
    found = _of(account).where(Publication.state == State.SCHEDULED)
    return list(session.scalars(found.order_by(Publication.due_at, Publication.id).limit(number)))


def latest(account: ChannelAccount, number: int = 10) -> list[Publication]:
    """What went out, or failed to, within the last weeks; the newest first."""
    moment = now()
    found = _of(account).where(
        Publication.state.in_(ENDED),
        Publication.due_at <= moment,
        Publication.due_at > moment - SHOWN_FOR,
    )
    found = found.order_by(Publication.due_at.desc(), Publication.id.desc())
    return list(session.scalars(found.limit(number)))


def employees_asked(account: ChannelAccount) -> tuple[int, int]:
    """How many employees have not yet done what they were asked to, and how many things those are."""
    row = session.execute(
        select(func.count(EmployeeTask.employee.distinct()), func.count())
        .join(Publication, Publication.id == EmployeeTask.publication_id)
        .where(Publication.account_id == account.id, Publication.state == State.HANDED_OVER)
        .where(EmployeeTask.state == HandOverState.WAITING)
    ).one()
    return int(row[0]), int(row[1])


def _of(account: ChannelAccount) -> Select[Publication]:
    return (
        select(Publication)
        .where(Publication.account_id == account.id)
        .options(
            joinedload(Publication.pool),
            joinedload(Publication.post).joinedload(Post.version),
        )
    )


# --- figures


def left(account: ChannelAccount) -> Left:
    """What could go out at this moment; the bucket fills as the minute passes."""
    moment = now()
    blocked = account.blocked_until if (account.blocked_until or moment) > moment else None
    whole = int(pace.bucket_of(account, moment).tokens)
    quota, of_quota = quotas.left(account) or (None, 0)
    able = 0 if blocked or account.is_paused else whole
    return Left(able, account.per_minute, blocked, quota, of_quota)


def held(account: ChannelAccount) -> Held:
    """The account's token and uploads at its carrier."""
    realm = accounts.realm_of(account)
    if realm is None:
        return Held(None, None)
    return Held(tokens.expires_at(realm), uploads.held(realm))


def days(account: ChannelAccount, zone: ZoneInfo, number: int = DAYS) -> list[Day]:
    """Published and failed on each of the last days, in the zone's own days; two questions in all."""
    today = now().astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in range(number - 1, -1, -1)]
    published = _counts(account, dates, zone, State.PUBLISHED)
    failed = _counts(account, dates, zone, State.FAILED)
    return [Day(on, published[at], failed[at]) for at, on in enumerate(dates)]


def _counts(account: ChannelAccount, dates: list[date], zone: ZoneInfo, state: State) -> list[int]:
    """A day begins at another instant in every zone, so the days are counted by their bounds.

    `due_at` narrows the search by an index; it may lie before the moment that counts.
    """
    moment = Publication.published_at if state is State.PUBLISHED else Publication.updated_at
    begins = [datetime.combine(on, time(0), tzinfo=zone) for on in dates]
    ends = [*begins[1:], datetime.combine(dates[-1] + timedelta(days=1), time(0), tzinfo=zone)]
    sums = [
        func.sum(case((and_(moment >= begin, moment < end), 1), else_=0))
        for begin, end in zip(begins, ends, strict=True)
    ]
    found = select(*sums).where(
        Publication.account_id == account.id,
        Publication.state == state,
        Publication.due_at > begins[0] - LONGEST_UNDER_WAY,
    )
    return [int(value or 0) for value in session.execute(found).one()]
