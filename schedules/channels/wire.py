"""Speaking HTTP to the sandbox's endpoint: one guarded call, and what its answer proves."""

import json
from typing import Any
from urllib.parse import urlsplit

from cms.core.errors import Refused, TryAgain
from schedules import limits
from schedules.channels.base import Receipt
from schedules.channels.calling import NO_ANSWER, NOT_ALLOWED, NOT_REACHED, Line, Reply, Silent
from schedules.channels.verdicts import (
    BROKE,
    BUSY,
    MOVED,
    NONSENSE,
    REFUSED,
    TIMED_OUT,
    UNWELCOME,
)
from schedules.envelopes import Envelope
from schedules.states import Outcome

__all__ = ["NOT_ALLOWED", "NOT_REACHED", "NO_ANSWER", "UNWELCOME", "look_up", "post"]

SECRET_STATUSES = (401, 403)


def post(envelope: Envelope, private: frozenset[str] = frozenset()) -> Receipt:
    """Hand the post to the account's endpoint, with the key that stays the same at every try."""
    content = envelope.outgoing
    body = {
        "key": envelope.key,
        "post": content.post_id,
        "pool": content.pool_slug,
        "text": content.text,
        "pictures": [picture.sha256 for picture in content.pictures],
    }
    headers = {"Content-Type": "application/json", "Idempotency-Key": envelope.key}
    sent = json.dumps(body, ensure_ascii=False).encode()
    return receipt_from(_line(envelope, private).call("POST", "", headers=headers, body=sent))


def look_up(envelope: Envelope, private: frozenset[str] = frozenset()) -> Receipt:
    """Ask whether the carrier knows the key; anything but a plain yes or no says nothing."""
    try:
        reply = _line(envelope, private).get("", key=envelope.key)
    except (TryAgain, Refused, Silent):
        return Receipt(Outcome.UNCERTAIN)
    found = reply.json()
    if reply.status != 200 or not isinstance(found.get("found"), bool):
        return Receipt(Outcome.UNCERTAIN)
    if found["found"]:
        return Receipt(Outcome.ACCEPTED, external_id=str(found.get("id", "")))
    return Receipt(Outcome.NOT_SENT)


def receipt_from(reply: Reply) -> Receipt:
    """What the answer proves, and no more than that."""
    said: dict[str, Any] = {"status": reply.status}
    if 200 <= reply.status < 300:
        found = reply.json()
        if isinstance(found.get("id"), str) and found["id"]:
            return Receipt(Outcome.ACCEPTED, found["id"], str(found.get("url", "")), detail=said)
        return Receipt(Outcome.UNCERTAIN, reason=NONSENSE, detail=said)
    if reply.status == 429:
        after = limits.retry_after(reply.headers.get("retry-after"))
        return Receipt(Outcome.NOT_SENT, reason=BUSY, after=after, detail=said)
    if reply.status in SECRET_STATUSES:
        return Receipt(Outcome.REJECTED, reason=UNWELCOME, pauses_account=True, detail=said)
    if 300 <= reply.status < 400:
        return Receipt(Outcome.REJECTED, reason=MOVED, detail=said)
    if 400 <= reply.status < 500 and reply.status != TIMED_OUT:
        return Receipt(Outcome.REJECTED, reason=REFUSED, detail=said)
    return Receipt(Outcome.UNCERTAIN, reason=BROKE, detail=said)


def _line(envelope: Envelope, private: frozenset[str]) -> Line:
    """`private` names hosts on this machine that may be called although they are not public."""
    endpoint = str(envelope.settings["endpoint"])
    parts = urlsplit(endpoint)
    line = Line(
        endpoint,
        hush=tuple(envelope.secrets.values()),
        seconds=envelope.call_seconds,
        deadline=envelope.deadline,
    )
    if parts.hostname in private and parts.port:
        line.neighbours = frozenset({(parts.hostname, parts.port)})
    return line
