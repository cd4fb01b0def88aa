"""Leads from an account to the demo carrier it speaks to, so that nobody takes a demo for the real site."""

from typing import Any
from urllib.parse import urlsplit

from cms.core import demo_carriers, mail
from cms.core.config import current
from schedules.models import ChannelAccount

ADDRESSES = ("base_url", "url")
MAILBOX = "mail"


def carrier_of(account: ChannelAccount) -> str:
    """The page of the demo carrier that the account is connected to, "" for any other."""
    ours = current().carriers_url
    if not ours:
        return ""
    if account.channel == "email":
        return mailbox()
    for name in ADDRESSES:
        address = str(account.settings.get(name) or "")
        if address.startswith(f"{ours}/"):
            slug = urlsplit(address).path.lstrip("/").partition("/")[0]
            return f"{ours}/{slug}/"
    return ""


def mailbox() -> str:
    """Where letters can be read while they go to the demo mail server, else ""."""
    return f"{current().carriers_url}/{MAILBOX}/" if mail.server().is_demo else ""


def names() -> dict[str, Any]:
    """What templates call these."""
    return {
        "demo_carrier_of": carrier_of,
        "demo_mailbox": mailbox,
        "demo_carriers": demo_carriers.address,
    }
