"""Letters as carriers write them, and an account that is ready to read them."""

import secrets
from typing import Any
from urllib.parse import urlencode

from cms.core import sealing
from cms.core.clock import now
from cms.core.db import transaction
from cms.demo.carriers.calling_back import xml_of
from schedules.callbacks import doors
from schedules.callbacks.cipher import Envelope, sign
from schedules.models import ChannelAccount
from tests import factories as make
from tests.schedules.callbacks.test_cipher import CORP, KEY, TOKEN


def reading(channel: str = "oa_publish", **fields: Any) -> ChannelAccount:
    """An account with callback keys; `key=""` for one that is called without encryption."""
    key = fields.pop("key", KEY)
    settings = {"appid": CORP, **fields.pop("settings", {})}
    account = make.account(channel=channel, settings=settings, **fields)
    kept = {"callback_secret": TOKEN, "callback_key": key}
    with transaction():
        account.sealed = sealing.seal({name: value for name, value in kept.items() if value})
    return account


def path_of(account: ChannelAccount, **query: str) -> str:
    path = doors.address(account).removeprefix("http://localhost")
    return f"{path}?{urlencode(query)}" if query else path


def sealed(
    content: dict[str, Any] | bytes, *, receiver: str = CORP
) -> tuple[dict[str, str], bytes]:
    """The query and the body of one encrypted call."""
    inner = content if isinstance(content, bytes) else xml_of(content).encode()
    encrypted = Envelope(KEY, receiver).seal(inner)
    stamp, nonce = str(int(now().timestamp())), secrets.token_hex(5)
    query = {
        "msg_signature": sign(TOKEN, stamp, nonce, encrypted),
        "timestamp": stamp,
        "nonce": nonce,
    }
    return query, xml_of({"ToUserName": receiver, "AgentID": "1", "Encrypt": encrypted}).encode()


def plain(content: dict[str, Any], *, age: int = 0) -> tuple[dict[str, str], bytes]:
    """The query and the body of one call without encryption."""
    stamp, nonce = str(int(now().timestamp()) - age), secrets.token_hex(5)
    query = {"signature": sign(TOKEN, stamp, nonce), "timestamp": stamp, "nonce": nonce}
    return query, xml_of(content).encode()


def scan(**fields: Any) -> dict[str, Any]:
    """Somebody scans a code: an event like many."""
    return {
        "ToUserName": "gh_demo",
        "FromUserName": "o-follower",
        "CreateTime": 1_700_000_000,
        "MsgType": "event",
        "Event": "SCAN",
        "EventKey": "scene-1",
    } | fields
