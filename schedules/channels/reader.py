"""The channel `reader`: our own public pages, one feed a pool."""

from sqlalchemy import select

from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.errors import Refused
from cms.core.i18n import N_
from schedules.channels.answers import BY_OWN_LINK
from schedules.channels.base import CANNOT_TEST, Channel, Limits, Receipt, Repeat
from schedules.envelopes import Envelope
from schedules.models import Publication, ReaderEntry
from schedules.states import Outcome

NOT_THERE = N_("It is in the feed no more.")


class Reader(Channel):
    """Writes an entry into the pool's feed; the key makes a second try change nothing."""

    slug = "reader"
    name = N_("Reader pages")
    limits = Limits(text=5000, pictures=18)
    repeat = Repeat.KEYED
    appends_link = False  # the feed's entry is the link
    gives = BY_OWN_LINK
    untested = CANNOT_TEST
    can_amend = True
    can_withdraw = True

    def deliver(self, envelope: Envelope) -> Receipt:
        with transaction():
            page = session.scalar(
                select(Publication.public_id).where(Publication.id == envelope.publication_id)
            )
            entry = _entry(envelope.key)
            if entry is None:
                entry = ReaderEntry(
                    key=envelope.key,
                    publication_id=envelope.publication_id,
                    pool_id=envelope.pool_id,
                    title=envelope.outgoing.title,
                    text=envelope.outgoing.text,
                    published_at=now(),
                )
                session.add(entry)
                session.flush()  # the receipt names the entry by its id
            entry_id = entry.id
        return Receipt(Outcome.ACCEPTED, str(entry_id), f"{current().base_url}/p/{page}")

    def amend(self, envelope: Envelope) -> Receipt:
        with transaction():
            entry = _entry(envelope.key)
            if entry is None:
                raise Refused(NOT_THERE)
            entry.text = envelope.outgoing.text
            entry_id = entry.id
        return Receipt(Outcome.ACCEPTED, str(entry_id))

    def withdraw(self, envelope: Envelope) -> Receipt:
        with transaction():
            entry = _entry(envelope.key)
            if entry is not None:
                session.delete(entry)
        return Receipt(Outcome.ACCEPTED)


def _entry(key: str) -> ReaderEntry | None:
    return session.scalar(select(ReaderEntry).where(ReaderEntry.key == key))
