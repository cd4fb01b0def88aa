"""Channel accounts: the configured ways out, whom each can reach, pausing and retiring one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from audience.models import Pool
from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, conflict, invalid
from cms.core.i18n import N_
from cms.core.slugs import free_slug
from cms.core.text import clean_line, is_blank
from schedules import credentials, tokens
from schedules.addressing import way_of
from schedules.callbacks import doors
from schedules.channels import CHANNELS
from schedules.credentials import Judged
from schedules.models import ChannelAccount, Publication
from schedules.states import PublicationState as State

FASTEST = 6_000
USUAL = 60
LONGEST_REASON = 300
UNDER_WAY = (State.PLANNED, State.SCHEDULED, State.CLAIMED, State.SENDING, State.HANDED_OVER)
STILL_WAITING = N_("%(count)s posts are still under way through it. Move or drop them first.")


@dataclass(frozen=True)
class AccountFields:
    """What a person says about an account.

    `per_minute` limits how many posts leave in a minute; none: what the channel allows. `own` is
    what the channel's own fields were given, judged by `credentials`; none: it stays as it is.
    """

    name: str
    channel: str
    persona_id: int | None = None
    per_minute: int | None = None
    pool_ids: Sequence[int] = field(default_factory=tuple)
    own: Judged | None = None
    forgotten: Sequence[str] = ()  # secrets to be thrown away


# --- finders


def get(account_id: int) -> ChannelAccount:
    """The account of that id; raises NotFound."""
    account = session.get(ChannelAccount, account_id)
    if account is None:
        raise NotFound("channel account")
    return account


def by_slug(slug: str) -> ChannelAccount | None:
    """The account of that slug."""
    return session.scalar(select(ChannelAccount).where(ChannelAccount.slug == slug))


def in_order() -> Select[ChannelAccount]:
    """All accounts by name, those in service first, with persona and pools, for the caller to page."""
    return (
        select(ChannelAccount)
        .options(joinedload(ChannelAccount.persona), selectinload(ChannelAccount.pools))
        .order_by(ChannelAccount.retired_at.is_not(None), ChannelAccount.name, ChannelAccount.id)
    )


def in_service() -> Select[ChannelAccount]:
    """The accounts that may be chosen: all but the retired ones."""
    return in_order().where(ChannelAccount.retired_at.is_(None))


def most_per_minute(channel: str) -> int:
    """How many posts a minute an account of that channel may be allowed."""
    return CHANNELS.get(channel).limits.per_minute or FASTEST


def usual_per_minute(channel: str) -> int:
    """What a new account of that channel is allowed when nobody says otherwise."""
    return CHANNELS.get(channel).limits.per_minute or USUAL


def realm_of(account: ChannelAccount) -> str | None:
    """Who owns the account's tokens and uploads at its carrier; None when that cannot be told."""
    if credentials.opened(account) is None:
        return None
    return CHANNELS.get(account.channel).realm(way_of(account))


# --- operations


def add(fields: AccountFields, *, by: User | None, slug: str | None = None) -> ChannelAccount:
    """Add an account. Raises Invalid."""
    _check(fields)
    account = ChannelAccount(
        slug=slug or free_slug(fields.name, "account", by_slug),
        channel=fields.channel,
        settings={},
        sealed="",
        created_at=now(),
    )
    _fill(account, fields)
    session.add(account)
    session.flush()  # the audit trail and the callback address need the id
    doors.address(account)
    audit.record("account.added", account, by=by, channel=account.channel)
    return account


def change(account: ChannelAccount, fields: AccountFields, *, by: User | None) -> None:
    """Change the account; its channel stays what it was, so that its history keeps its meaning."""
    if fields.channel != account.channel:
        raise invalid("channel", "bad_channel", N_("An account keeps its channel; add another."))
    _check(fields)
    before = realm_of(account)
    changed = _fill(account, fields)
    if changed:
        _forget(account, before)
    doors.address(account)
    audit.record("account.changed", account, by=by, **({"fields": changed} if changed else {}))


def reconnect(account: ChannelAccount, own: Judged, *, by: User | None) -> None:
    """Give the account new credentials. Its history stays; what the carrier gave the old ones does not.

    It stays paused if it was: first test, then resume.
    """
    before = realm_of(account)
    changed = credentials.keep(account, own, anew=True)
    _forget(account, before)
    account.blocked_until, account.last_fault, account.fault_parts = None, "", {}
    account.tested_at, account.test_result, account.test_parts = None, "", {}
    doors.address(account)
    audit.record("account.reconnected", account, by=by, fields=changed)


def pause(account: ChannelAccount, *, by: User | None, reason: str = "") -> None:
    """Nothing leaves through the account until it is resumed; what is due waits."""
    account.is_paused = True
    said = clean_line(reason)[:LONGEST_REASON]
    audit.record("account.paused", account, by=by, **({"reason": said} if said else {}))


def resume(account: ChannelAccount, *, by: User | None) -> None:
    """Let posts leave again, through a retired account too; what waited goes by the late policy."""
    account.is_paused, account.retired_at = False, None
    account.blocked_until = None
    audit.record("account.resumed", account, by=by)


def retire(account: ChannelAccount, *, by: User | None) -> None:
    """Offer it nowhere any more. Its history stays, and it can be resumed.

    Raises Conflict while posts are under way through it.
    """
    waiting = select(func.count()).where(
        Publication.account_id == account.id, Publication.state.in_(UNDER_WAY)
    )
    count = session.scalar(waiting) or 0
    if count:
        raise conflict("posts_wait", STILL_WAITING, count=count)
    account.is_paused, account.retired_at = True, now()
    audit.record("account.retired", account, by=by)


def _fill(account: ChannelAccount, fields: AccountFields) -> list[str]:
    """Write everything into the row; the names of its own fields that changed."""
    account.name = clean_line(fields.name)
    account.persona_id = fields.persona_id
    account.per_minute = fields.per_minute or usual_per_minute(fields.channel)
    account.pools = list(session.scalars(select(Pool).where(Pool.id.in_(fields.pool_ids))))
    if fields.own is None:
        return []
    return credentials.keep(account, fields.own, forgotten=fields.forgotten)


def _forget(account: ChannelAccount, before: str | None) -> None:
    """Tokens of the old credentials serve nobody any more; uploads lie in their realm and are not found."""
    for realm in {before, realm_of(account)} - {None}:
        tokens.forget(str(realm))


def _check(fields: AccountFields) -> None:
    if is_blank(fields.name) or len(fields.name) > 120:
        raise invalid("name", "bad_name", N_("Give a name of 1 to 120 characters."))
    if fields.channel not in CHANNELS:
        raise invalid("channel", "bad_channel", N_("Choose one of the channels offered."))
    fastest = most_per_minute(fields.channel)
    if fields.per_minute is not None and not 1 <= fields.per_minute <= fastest:
        raise invalid(
            "per_minute",
            "bad_limit",
            N_("Give a whole number from 1 to %(fastest)s posts a minute."),
            fastest=fastest,
        )
