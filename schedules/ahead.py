"""What can be made ready before a post's minute: tokens renewed, pictures uploaded."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select

from cms.core.clock import now
from cms.core.db import give_back, session, transaction
from cms.core.errors import SeedbedError
from cms.core.sentences import parts_of
from schedules import addressing
from schedules.channels import CHANNELS
from schedules.channels.base import Channel
from schedules.channels.calling import recording
from schedules.models import ChannelAccount, Publication
from schedules.states import PublicationState as State

log = structlog.get_logger(__name__)

AHEAD = timedelta(minutes=10)
MOST_ACCOUNTS = 50
MOST_PUBLICATIONS = 200
SECONDS = 60.0
# No claim bears this fence: whatever a channel notes while preparing stays out of the ledger.
NOBODYS_FENCE = -1

Sign = tuple[int, int, float]


def accounts_soon() -> list[Sign]:
    """Accounts with something due soon whose channel has anything to renew."""
    channels = [one.slug for one in CHANNELS if _has(one, "warm_up")]
    found = (
        select(ChannelAccount.id)
        .join(Publication, Publication.account_id == ChannelAccount.id)
        .where(ChannelAccount.channel.in_(channels), *_soon())
        .distinct()
        .order_by(ChannelAccount.id)
        .limit(MOST_ACCOUNTS)
    )
    return [(account_id, 0, 0.0) for account_id in session.scalars(found)]


def publications_soon() -> list[Sign]:
    """What is due soon through a channel that has anything to prepare, the next one first."""
    channels = [one.slug for one in CHANNELS if _has(one, "prepare")]
    found = (
        select(Publication.id, Publication.fence, Publication.due_at)
        .join(Publication.account)
        .where(ChannelAccount.channel.in_(channels), *_soon())
        .order_by(Publication.due_at, Publication.id)
        .limit(MOST_PUBLICATIONS)
    )
    return [(row.id, row.fence, row.due_at.timestamp()) for row in session.execute(found)]


def warm_up(account_id: int) -> None:
    """Renew what the account's next send will need. Doing it again changes nothing."""
    account = session.get(ChannelAccount, account_id)
    if account is None or account.is_paused:
        return
    with _noting(account_id):
        way, channel = addressing.way_of(account), CHANNELS.get(account.channel)
        give_back()
        channel.warm_up(way)


def prepare(publication_id: int) -> None:
    """Upload what the post will need; its place in the ledger stays what it is."""
    publication = session.get(Publication, publication_id)
    if publication is None or publication.state is not State.SCHEDULED:
        return
    account = publication.account
    if account.is_paused:
        return
    with _noting(account.id):
        ready = addressing.envelope_of(publication, deadline=time.monotonic() + SECONDS)
        give_back()
        channel = CHANNELS.get(ready.outgoing.channel)
        channel.prepare(replace(ready, fence=NOBODYS_FENCE))


def _soon() -> tuple[Any, ...]:
    return (
        Publication.state == State.SCHEDULED,
        Publication.due_at <= now() + AHEAD,
        Publication.late_after > now(),
        ChannelAccount.is_paused.is_(False),
    )


def _has(channel: Channel, name: str) -> bool:
    """Most channels need nothing ahead; asking them would fill the queue for nothing."""
    return getattr(type(channel), name) is not getattr(Channel, name)


@contextmanager
def _noting(account_id: int) -> Iterator[None]:
    """Whatever goes wrong here is noted on the account's page and nowhere else.

    The send itself tries again, and only its failure is a failure.
    """
    try:
        with recording():
            yield
    except SeedbedError as error:
        _note(account_id, str(error))
    except Exception as error:  # the door: what is only done ahead must stop nothing
        log.exception("not_ready_ahead", account=account_id)
        _note(account_id, f"{type(error).__name__}: {error}")


def _note(account_id: int, reason: str) -> None:
    with transaction():
        account = session.get(ChannelAccount, account_id)
        if account is not None:
            account.last_fault, account.last_fault_at = reason[:300], now()
            account.fault_parts = parts_of(reason)
