"""What a multi-step send has already done, written down before the next step begins."""

from dataclasses import replace
from typing import Any

from sqlalchemy import update

from cms.core.db import session, transaction
from schedules.envelopes import Envelope
from schedules.models import Publication

MADE_FOR = "made_for"  # the fingerprint of the content that the steps were made with


def note(envelope: Envelope, **facts: Any) -> Envelope:
    """Keep facts (a draft's id, a job's id) with the publication; the envelope that knows them.

    Only the holder of the present fence writes; a stale worker's facts are dropped.
    """
    known = {**envelope.facts, **facts, MADE_FOR: envelope.fingerprint}
    with transaction():
        session.execute(
            update(Publication)
            .where(Publication.id == envelope.publication_id, Publication.fence == envelope.fence)
            .values(carrier_facts=known)
            .execution_options(synchronize_session=False)
        )
    return replace(envelope, facts=known)


def add(envelope: Envelope, **facts: Any) -> None:
    """Keep facts about what is out already, beside those that others have written meanwhile."""
    with transaction():
        publication = session.get(
            Publication, envelope.publication_id, with_for_update=True, populate_existing=True
        )
        if publication is not None and publication.fence == envelope.fence:
            publication.carrier_facts = {**publication.carrier_facts, **facts}
