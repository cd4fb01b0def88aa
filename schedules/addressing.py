"""Makes a publication ready for the way: what goes out, through whom, with which secrets."""

import time
from typing import Any

from cms.core import sealing
from cms.core.config import current
from schedules import attempts
from schedules.channels import CHANNELS
from schedules.channels.base import Repeat
from schedules.content import content_hash, outgoing
from schedules.envelopes import Envelope, Outgoing, Way
from schedules.models import ChannelAccount, Publication
from schedules.states import PublicationState as State
from schedules.steps import MADE_FOR

LONGEST_CALL = 20.0  # seconds


def envelope_of(
    publication: Publication, *, deadline: float | None = None, content: Outgoing | None = None
) -> Envelope:
    """Everything a channel needs, as plain values. Raises Unopenable when a key is missing."""
    account = publication.account
    unresolved = attempts.unresolved(publication.id)
    asks = CHANNELS.get(account.channel).repeat_for(account.settings) is Repeat.QUERY
    content = content or outgoing(publication.post)
    fingerprint = content_hash(content)
    return Envelope(
        publication_id=publication.id,
        fence=publication.fence,
        key=publication.idempotency_key,
        account_id=account.id,
        settings=dict(account.settings),
        outgoing=content,
        pool_id=publication.pool_id,
        call_seconds=min(LONGEST_CALL, current().lease_seconds / 2),
        must_ask=asks and bool(unresolved),
        secrets=sealing.unseal(account.sealed),
        facts=_facts(publication, fingerprint),
        fingerprint=fingerprint,
        external_id=publication.external_id,
        asked_since=min(unresolved, default=None),
        tried_at=max(unresolved, default=None),
        doubted_since=min(attempts.doubtful(publication.id), default=None),
        live_since=publication.published_at,
        deadline=deadline or time.monotonic() + current().lease_seconds,
    )


def way_of(account: ChannelAccount) -> Way:
    """The account as its channel needs it. Raises Unopenable when a key is missing."""
    return Way(account.id, account.slug, dict(account.settings), sealing.unseal(account.sealed))


def _facts(publication: Publication, made_for: str) -> dict[str, Any]:
    """What earlier steps left; a draft of other words than those now approved is no use."""
    facts = dict(publication.carrier_facts)
    leaves = publication.state in (State.SCHEDULED, State.CLAIMED)
    return {} if leaves and facts.get(MADE_FOR, made_for) != made_for else facts
