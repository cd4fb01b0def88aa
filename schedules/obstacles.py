"""Why the next step of a long send may not be taken: it is another's now, or somebody stopped it."""

from sqlalchemy import or_, select

from cms.core.db import session
from cms.core.i18n import N_
from schedules.envelopes import Envelope
from schedules.models import ChannelAccount, Publication, Stop
from schedules.states import PublicationState, StopScope

NOT_OURS = N_("Another worker has taken over; nothing more was sent here.")
STOPPED = N_("Sending was stopped; the rest waits.")


def obstacle(envelope: Envelope) -> str:
    """Why nothing further may leave now, "" when it may: a stop reaches the next step, not the next post."""
    row = session.execute(
        select(Publication.fence, Publication.state, ChannelAccount.is_paused)
        .join(Publication.account)
        .where(Publication.id == envelope.publication_id)
    ).one()
    if row.fence != envelope.fence or row.state is not PublicationState.SENDING:
        return NOT_OURS
    stopped = select(Stop.id).where(
        Stop.lifted_at.is_(None),
        or_(
            Stop.scope == StopScope.ALL,
            Stop.account_id == envelope.account_id,
            Stop.channel == envelope.outgoing.channel,
        ),
    )
    is_stopped = row.is_paused or session.scalar(stopped.limit(1)) is not None
    return STOPPED if is_stopped else ""
