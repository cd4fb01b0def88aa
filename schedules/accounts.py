"""Channel accounts: the configured ways out, whom each can reach, and pausing one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from audience.models import Pool
from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, invalid
from cms.core.i18n import N_
from cms.core.slugs import free_slug
from cms.core.text import clean_line, is_blank
from schedules.channels import CHANNELS
from schedules.models import ChannelAccount

FASTEST = 6_000


@dataclass(frozen=True)
class AccountFields:
    """What a person says about an account. `per_minute` limits how many posts leave in a minute."""

    name: str
    channel: str
    persona_id: int | None = None
    per_minute: int = 60
    pool_ids: Sequence[int] = field(default_factory=tuple)


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
    """All accounts by name, with persona and pools, for the caller to page."""
    return (
        select(ChannelAccount)
        .options(joinedload(ChannelAccount.persona), selectinload(ChannelAccount.pools))
        .order_by(ChannelAccount.name, ChannelAccount.id)
    )


def add(fields: AccountFields, *, by: User | None, slug: str | None = None) -> ChannelAccount:
    """Add an account. Raises Invalid."""
    _check(fields)
    account = ChannelAccount(
        slug=slug or free_slug(fields.name, "account", by_slug), created_at=now()
    )
    _fill(account, fields)
    session.add(account)
    session.flush()  # the audit trail needs the id
    audit.record("account.added", account, by=by, channel=account.channel)
    return account


def change(account: ChannelAccount, fields: AccountFields, *, by: User | None) -> None:
    """Change the account; its channel stays what it was, so that its history keeps its meaning."""
    _check(fields)
    if fields.channel != account.channel:
        raise invalid("channel", "bad_channel", N_("An account keeps its channel; add another."))
    _fill(account, fields)
    audit.record("account.changed", account, by=by)


def pause(account: ChannelAccount, *, by: User | None) -> None:
    """Nothing leaves through the account until it is resumed; what is due waits."""
    account.is_paused = True
    audit.record("account.paused", account, by=by)


def resume(account: ChannelAccount, *, by: User | None) -> None:
    """Let posts leave again; what waited goes by the late policy."""
    account.is_paused = False
    account.blocked_until = None
    audit.record("account.resumed", account, by=by)


def _fill(account: ChannelAccount, fields: AccountFields) -> None:
    account.name, account.channel = clean_line(fields.name), fields.channel
    account.persona_id, account.per_minute = fields.persona_id, fields.per_minute
    account.pools = list(session.scalars(select(Pool).where(Pool.id.in_(fields.pool_ids))))


def _check(fields: AccountFields) -> None:
    if is_blank(fields.name) or len(fields.name) > 120:
        raise invalid("name", "bad_name", N_("Give a name of 1 to 120 characters."))
    if fields.channel not in CHANNELS:
        raise invalid("channel", "bad_channel", N_("Choose one of the channels offered."))
    if not 1 <= fields.per_minute <= FASTEST:
        raise invalid(
            "per_minute",
            "bad_limit",
            N_("Give a whole number from 1 to %(fastest)s posts a minute."),
            fastest=FASTEST,
        )
