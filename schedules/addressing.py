"""Makes a publication ready for the way: what goes out, through whom, with which secrets."""

import time
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from cms.core import sealing
from cms.core.config import current
from cms.core.db import session
from schedules.channels import CHANNELS
from schedules.channels.base import Repeat
from schedules.content import outgoing
from schedules.envelopes import Envelope, Way
from schedules.models import Attempt, ChannelAccount, Publication
from schedules.states import Act, Outcome

LONGEST_CALL = 20.0  # seconds


def envelope_of(publication: Publication, *, deadline: float | None = None) -> Envelope:
    """Everything a channel needs, as plain values. Raises Unopenable when a key is missing."""
    account = publication.account
    unresolved = _unresolved(publication.id)
    asks = CHANNELS.get(account.channel).repeat_for(account.settings) is Repeat.QUERY
    return Envelope(
        publication_id=publication.id,
        fence=publication.fence,
        key=publication.idempotency_key,
        account_id=account.id,
        settings=dict(account.settings),
        outgoing=outgoing(publication.post),
        pool_id=publication.pool_id,
        call_seconds=min(LONGEST_CALL, current().lease_seconds / 2),
        must_ask=asks and bool(unresolved),
        secrets=sealing.unseal(account.sealed),
        facts=dict(publication.carrier_facts),
        external_id=publication.external_id,
        asked_since=min(unresolved, default=None),
        tried_at=max(unresolved, default=None),
        live_since=publication.published_at,
        deadline=deadline or time.monotonic() + current().lease_seconds,
    )


def way_of(account: ChannelAccount) -> Way:
    """The account as its channel needs it. Raises Unopenable when a key is missing."""
    return Way(account.id, account.slug, dict(account.settings), sealing.unseal(account.sealed))


def _unresolved(publication_id: int) -> list[datetime]:
    """When the sends began whose outcome nobody knows."""
    unknown: Any = (
        select(Attempt.started_at)
        .where(Attempt.publication_id == publication_id, Attempt.act == Act.SEND)
        .where(or_(Attempt.outcome.is_(None), Attempt.outcome == Outcome.UNCERTAIN))
    )
    return list(session.scalars(unknown))
