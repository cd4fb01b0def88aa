"""What each channel's account needs in tests: its demo carrier, its settings, its secrets."""

from dataclasses import dataclass, field
from typing import Any

from cms.core import sealing
from cms.core.db import transaction
from cms.demo.carriers.simulator import Simulator
from schedules.models import ChannelAccount
from tests import factories as make
from tests.schedules.channels.conftest import Start


@dataclass(frozen=True)
class Outfit:
    """How to reach one channel's demo carrier as a sound account would."""

    carrier: type[Simulator]
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


OUTFITS: dict[str, Outfit] = {}  # by slug of the channel; none: it speaks to nobody outside


def equipped(slug: str, start: Start) -> ChannelAccount:
    """An account of the channel that works, its demo carrier running."""
    outfit = OUTFITS.get(slug)
    if outfit is None:
        return make.account(channel=slug, per_minute=6000)
    _, url = start(outfit.carrier)
    settings = {"base_url": f"{url}/{outfit.carrier.slug}", **outfit.settings}
    account = make.account(channel=slug, per_minute=6000, settings=settings)
    with transaction():
        account.sealed = sealing.seal(outfit.secrets)
    return account
