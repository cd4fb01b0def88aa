"""Where carriers call: one secret address an account, and the keys with which its calls are read."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select, update

from cms.core import sealing
from cms.core.config import current
from cms.core.db import session, transaction
from schedules.callbacks.cipher import Envelope
from schedules.channels import CHANNELS
from schedules.channels.callback_fields import KEY, TOKEN
from schedules.models import ChannelAccount


@dataclass(frozen=True)
class Door:
    """What is needed to judge a call to one account."""

    account_id: int
    token: str = field(repr=False)
    envelope: Envelope | None  # none: the account is called without encryption


def address(account: ChannelAccount) -> str:
    """What to paste at the carrier as callback address; "" for a channel that is never called.

    The secret part is made when it is first asked for, in a transaction of its own if need be.
    """
    if CHANNELS.get(account.channel).calls_back is None:
        return ""
    if account.callback_token is None:
        _name(account)
    return f"{current().base_url}/callbacks/{account.callback_token}"


def by_mark(mark: str) -> Door | None:
    """The door at that address; None when there is none, or its account was given no keys."""
    account = session.scalar(select(ChannelAccount).where(ChannelAccount.callback_token == mark))
    if account is None or account.channel not in CHANNELS:
        return None
    calls_back = CHANNELS.get(account.channel).calls_back
    try:
        known = sealing.unseal(account.sealed)
    except sealing.Unopenable:
        return None
    if calls_back is None or not known.get(TOKEN):
        return None
    envelope = _envelope(known, str(account.settings.get(calls_back.receive_setting, "")))
    if envelope is None and not calls_back.takes_plain:
        return None
    return Door(account.id, known[TOKEN], envelope)


def siblings(account: ChannelAccount) -> list[int]:
    """The accounts that the carrier takes for one: several of ours may share an app."""
    ours = _receiver(account)
    return [one.id for one in session.scalars(select(ChannelAccount)) if _receiver(one) == ours]


def _receiver(account: ChannelAccount) -> tuple[str, str]:
    calls_back = CHANNELS.get(account.channel).calls_back if account.channel in CHANNELS else None
    if calls_back is None:
        return ("", str(account.id))
    setting = calls_back.receive_setting
    return (setting, str(account.settings.get(setting, "")))


def _envelope(known: Mapping[str, str], receive_id: str) -> Envelope | None:
    return Envelope(known[KEY], receive_id) if known.get(KEY) and receive_id else None


def _name(account: ChannelAccount) -> None:
    with transaction():
        session.execute(
            update(ChannelAccount)
            .where(ChannelAccount.id == account.id, ChannelAccount.callback_token.is_(None))
            .values(callback_token=secrets.token_urlsafe(24))
            .execution_options(synchronize_session=False)
        )
        session.refresh(account)
