"""Speaking HTTP to a carrier: one guarded call, and what its answer proves."""

import json
from typing import Any
from urllib.parse import quote, urlsplit

from cms.core.errors import Refused, TryAgain
from cms.core.http import AddressNotAllowed, Answer, Client, NotSent, Unanswered
from cms.core.i18n import N_
from schedules import limits
from schedules.channels.base import Receipt
from schedules.envelopes import Envelope
from schedules.states import Outcome

NOT_ALLOWED = N_("The carrier's address may not be called.")
NOT_REACHED = N_("The carrier could not be reached; nothing was sent.")
NO_ANSWER = N_("The carrier took the call and gave no whole answer.")
NONSENSE = N_("The carrier answered something that is no answer.")
BUSY = N_("The carrier asks to wait.")
UNWELCOME = N_("The carrier refuses the account.")
REFUSED = N_("The carrier refused the post.")
MOVED = N_("The carrier's address has moved. Enter the new one.")
BROKE = N_("The carrier broke while it had the post.")

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
    try:
        answer = _client(envelope, private).request(
            "POST",
            str(envelope.settings["endpoint"]),
            headers=headers,
            body=json.dumps(body, ensure_ascii=False).encode(),
        )
    except AddressNotAllowed as error:
        raise Refused(NOT_ALLOWED) from error
    except NotSent as error:
        raise TryAgain(NOT_REACHED) from error
    except Unanswered as error:
        return Receipt(Outcome.UNCERTAIN, reason=NO_ANSWER, detail={"told": error.reason})
    return receipt_from(answer)


def look_up(envelope: Envelope, private: frozenset[str] = frozenset()) -> Receipt:
    """Ask whether the carrier knows the key; anything but a plain yes or no says nothing."""
    address = f"{envelope.settings['endpoint']}"
    address += ("&" if urlsplit(address).query else "?") + f"key={quote(envelope.key)}"
    try:
        answer = _client(envelope, private).request("GET", address)
    except (AddressNotAllowed, NotSent, Unanswered):
        return Receipt(Outcome.UNCERTAIN)
    found = _json(answer)
    if answer.status != 200 or not isinstance(found.get("found"), bool):
        return Receipt(Outcome.UNCERTAIN)
    if found["found"]:
        return Receipt(Outcome.ACCEPTED, external_id=str(found.get("id", "")))
    return Receipt(Outcome.NOT_SENT)


def receipt_from(answer: Answer) -> Receipt:
    """What the answer proves, and no more than that."""
    said: dict[str, Any] = {"status": answer.status}
    if 200 <= answer.status < 300:
        found = _json(answer)
        if isinstance(found.get("id"), str) and found["id"]:
            return Receipt(Outcome.ACCEPTED, found["id"], str(found.get("url", "")), detail=said)
        return Receipt(Outcome.UNCERTAIN, reason=NONSENSE, detail=said)
    if answer.status == 429:
        after = limits.retry_after(answer.headers.get("retry-after"))
        return Receipt(Outcome.NOT_SENT, reason=BUSY, after=after, detail=said)
    if answer.status in SECRET_STATUSES:
        return Receipt(Outcome.REJECTED, reason=UNWELCOME, pauses_account=True, detail=said)
    if 300 <= answer.status < 400:
        return Receipt(Outcome.REJECTED, reason=MOVED, detail=said)
    if 400 <= answer.status < 500:
        return Receipt(Outcome.REJECTED, reason=REFUSED, detail=said)
    return Receipt(Outcome.UNCERTAIN, reason=BROKE, detail=said)


def _client(envelope: Envelope, private: frozenset[str]) -> Client:
    """`private` names hosts on this machine that may be called although they are not public."""
    parts = urlsplit(str(envelope.settings["endpoint"]))
    allowed: frozenset[tuple[str, int]] = frozenset()
    if parts.hostname in private and parts.port:
        allowed = frozenset({(parts.hostname, parts.port)})
    return Client(allow_private=allowed, seconds=envelope.call_seconds)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
