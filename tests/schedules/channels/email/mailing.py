"""What the tests of letters share: an account's list, its posts, who was written to and what it says."""

from email.message import EmailMessage

from sqlalchemy import select

from cms.core.db import session, transaction
from schedules import mailings, publishing, subscribers
from schedules.channels import CHANNELS
from schedules.envelopes import Envelope
from schedules.models import ChannelAccount, Delivery, Publication, Subscriber
from tests.schedules.ready import approved, tried

CHANNEL = CHANNELS.get("email")


def listed(account: ChannelAccount, *addresses: str) -> None:
    with transaction():
        subscribers.add(account, "\n".join(addresses), by=None)


def send(account: ChannelAccount, **fields) -> Publication:
    return tried(approved(account=account, **fields))


def claimed(account: ChannelAccount) -> tuple[Publication, Envelope]:
    """A publication that a worker has taken and has not yet carried out."""
    publication = approved(account=account)
    fence = publishing.claim(publication.id, worker="here")
    return publication, publishing._prepared(publication.id, fence)


def states(publication: Publication | int) -> dict[str, str]:
    """What became of each subscriber's letter, by the name before the at sign."""
    its_id = publication if isinstance(publication, int) else publication.id
    rows = session.scalars(select(Delivery).where(Delivery.publication_id == its_id))
    found = {}
    for row in rows:
        subscriber = session.get(Subscriber, mailings.subscriber_id(row))
        found[subscriber.address.partition("@")[0]] = row.state.value
    return found


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")
