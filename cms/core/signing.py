"""Signatures of webhooks after the Standard Webhooks specification, version 1: made and judged here."""

import base64
import binascii
import hmac
import secrets as random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cms.core.clock import now

PREFIX = "whsec_"
SCHEME = "v1"
TOLERANCE = timedelta(minutes=5)  # how far a sender's clock may be from ours
NEW_BYTES = 32
LEAST_BYTES, MOST_BYTES = 24, 64  # as the specification has it


class BadSecret(ValueError):
    """No signing secret: it is written `whsec_` and 24 to 64 bytes in Base64."""


def new_secret() -> str:
    """A fresh secret, as receivers want it written."""
    return PREFIX + base64.b64encode(random.token_bytes(NEW_BYTES)).decode()


def sign(
    secret: str | Sequence[str], message_id: str, timestamp: int | datetime, body: bytes
) -> str:
    """The value of `webhook-signature`; several secrets (a rotation) give several entries.

    Raises BadSecret.
    """
    keys = [secret] if isinstance(secret, str) else secret
    said = _signed(message_id, _seconds(timestamp), body)
    return " ".join(f"{SCHEME},{_entry(key, said)}" for key in keys)


def headers(
    secret: str | Sequence[str], message_id: str, body: bytes, *, at: datetime | None = None
) -> dict[str, str]:
    """The three headers of one delivery. The id stays the same however often it is tried."""
    moment = int((at or now()).timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": sign(secret, message_id, moment, body),
    }


def verify(
    secret: str | Sequence[str],
    given: Mapping[str, str],
    body: bytes,
    *,
    at: datetime | None = None,
    tolerance: timedelta = TOLERANCE,
) -> bool:
    """Whether the headers were made for exactly this body, lately, by somebody who has a secret.

    `given` maps header names in lower case. Any of several secrets will do (a rotation).
    """
    message_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not message_id or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    age = (at or now()).timestamp() - int(timestamp)
    if abs(age) > tolerance.total_seconds():
        return False
    said = _signed(message_id, int(timestamp), body)
    keys = [secret] if isinstance(secret, str) else secret
    return _matches([_entry(key, said) for key in keys], given.get("webhook-signature", ""))


def _matches(expected: Sequence[str], header: str) -> bool:
    """Every pair is compared to its end, so that the time taken tells nothing."""
    found = False
    for entry in header.split(" ")[:16]:
        scheme, _, signature = entry.partition(",")
        for one in expected:
            is_equal = hmac.compare_digest(one.encode(), signature.encode("utf-8", "replace"))
            found |= is_equal and scheme == SCHEME
    return found


def _signed(message_id: str, timestamp: int, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def _entry(secret: str, said: bytes) -> str:
    return base64.b64encode(hmac.digest(key_of(secret), said, "sha256")).decode()


def key_of(secret: str) -> bytes:
    """The bytes behind a written secret, with or without its prefix; raises BadSecret."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret from None
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise BadSecret
    return key


def _seconds(timestamp: int | datetime) -> int:
    return int(timestamp.timestamp()) if isinstance(timestamp, datetime) else timestamp
