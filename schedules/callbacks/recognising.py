"""A call about a send whose number never reached us: the sends in doubt are looked up."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import exists, select, update

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import SeedbedError
from schedules import addressing, polling
from schedules.channels import CHANNELS
from schedules.channels.base import Confirmation, Progress, Receipt, Standing
from schedules.envelopes import Envelope
from schedules.models import Attempt, ChannelAccount, Publication
from schedules.states import Act, Outcome
from schedules.states import PublicationState as State

MOST = 5  # looked up for one call; the newest first
IN_DOUBT = (State.SCHEDULED, State.UNCERTAIN)


def look_up(account_ids: Iterable[int], *, since: datetime) -> None:
    """Adopt what the carriers of these accounts show after all. Calls them: no transaction is open.

    The call itself proves nothing of any of them, since it names none; it says when to look.
    """
    for envelope in _in_doubt(account_ids, since):
        found = CHANNELS.get(envelope.outgoing.channel).look_up(envelope)
        if found.outcome is Outcome.ACCEPTED and found.confirmation is Confirmation.NOBODY:
            _settle(envelope, found)


def _in_doubt(account_ids: Iterable[int], since: datetime) -> list[Envelope]:
    """Those that can be asked about and were sent without an answer, ready for the question."""
    is_unknown = exists().where(
        Attempt.publication_id == Publication.id,
        Attempt.act == Act.SEND,
        Attempt.outcome == Outcome.UNCERTAIN,
    )
    wanted = (
        select(Publication)
        .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
        .where(Publication.account_id.in_(list(account_ids)), ChannelAccount.is_paused.is_(False))
        .where(Publication.state.in_(IN_DOUBT), Publication.due_at > since, is_unknown)
        .order_by(Publication.id.desc())
        .limit(MOST)
    )
    with transaction():
        made = [_envelope(one) for one in session.scalars(wanted)]
    return [one for one in made if one is not None and one.must_ask]


def _envelope(publication: Publication) -> Envelope | None:
    try:
        return addressing.envelope_of(publication)
    except SeedbedError:  # its secrets cannot be read; its page says so
        return None


def _settle(envelope: Envelope, found: Receipt) -> None:
    """A person is spared the question; what machines still ask about is asked about now."""
    live = Progress(Standing.LIVE, external_id=found.external_id, url=found.url)
    polling.apply(envelope.publication_id, live)
    with transaction():
        session.execute(
            update(Publication)
            .where(Publication.id == envelope.publication_id, Publication.fence == envelope.fence)
            .where(Publication.state == State.SCHEDULED)
            .values(due_at=now())
            .execution_options(synchronize_session=False)
        )
