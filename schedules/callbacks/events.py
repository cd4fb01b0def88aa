"""What carriers have told us, for whoever listens on the floors above."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CarrierTold:
    """A carrier told of a customer, a group, a follower or a scan, in its own words."""

    account_id: int
    kind: str  # change_external_contact, change_external_chat, subscribe, SCAN …
    content: dict[str, Any] = field(hash=False)
