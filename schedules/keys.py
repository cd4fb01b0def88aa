"""How long a carrier keeps the key of a send: past that, the same key is a second post."""

from datetime import timedelta

from cms.core.clock import now
from schedules import attempts
from schedules.channels import CHANNELS
from schedules.channels.base import Repeat
from schedules.models import Publication

MARGIN = timedelta(minutes=10)  # clocks differ, and the call itself takes time


def is_forgotten(publication: Publication) -> bool:
    """Whether an unknown send is so old that its key does not keep a repeat from being shown."""
    account = publication.account
    channel = CHANNELS.get(account.channel)
    if channel.key_lives is None or channel.repeat_for(account.settings) is not Repeat.KEYED:
        return False
    oldest = min(attempts.doubtful(publication.id), default=None)
    return oldest is not None and oldest + channel.key_lives - MARGIN <= now()
