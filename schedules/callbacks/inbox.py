"""Taking calls in: each is judged, stored once, and only then answered."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from cms.core.clock import now
from cms.core.db import session, transaction
from schedules.callbacks import jobs, xml
from schedules.callbacks.cipher import Unreadable, check_signature
from schedules.callbacks.doors import Door
from schedules.models import CarrierCall

# Without encryption the signature says nothing about the body: an old one must not serve for ever.
PLAIN_FOR = timedelta(minutes=10)
LONGEST_ECHO = 2_000
LONGEST_KEY = 200
LONGEST_KIND = 80

_OBJECTS = ("ExternalUserID", "ChatId", "Id", "UserID", "publish_id", "MsgID", "EventKey", "LinkId")
_ENDS = ("publish_status", "Status")  # published and taken down within one second are two calls
_PARTS = ("FromUserName", "CreateTime", "Event", "InfoType", "ChangeType", "UpdateDetail")

Query = Mapping[str, str]


def echo(door: Door, query: Query) -> bytes:
    """What the carrier wants to read when it tries our address. Raises Unreadable."""
    asked = query.get("echostr", "")
    if not asked or len(asked) > LONGEST_ECHO:
        raise Unreadable
    if "msg_signature" in query:
        if door.envelope is None:
            raise Unreadable
        _check_sealed(door, query, asked)
        return door.envelope.open(asked)
    _check_plain(door, query)
    return asked.encode("utf-8", "replace")


def take(door: Door, query: Query, body: bytes) -> bool:
    """Store a call and have it handled; False when it came before. Raises Unreadable."""
    content = _content(door, query, body)
    call = CarrierCall(
        account_id=door.account_id,
        key=key_of(content),
        kind=_word(content, "Event", "InfoType", "MsgType")[:LONGEST_KIND],
        content=content,
        received_at=now(),
    )
    try:
        with transaction():
            session.add(call)
            session.flush()  # the hint needs the call's id; a repeat fails here
            jobs.handle_call.enqueue(call.id, key=f"call-{call.id}")
    except IntegrityError:
        return False
    return True


def key_of(content: Mapping[str, Any]) -> str:
    """What makes two calls the same one: the message's own number, else who, when, what and of whom."""
    number = _word(content, "MsgId")
    if number:
        return f"message {number}"[:LONGEST_KEY]
    within = content.get("PublishEventInfo")
    all_of_it = {**(within if isinstance(within, dict) else {}), **content}
    parts = [_word(all_of_it, name) for name in (*_PARTS, *_OBJECTS, *_ENDS)]
    told = " ".join(part for part in parts if part)
    if len(told) > LONGEST_KEY:
        told = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return told


def _content(door: Door, query: Query, body: bytes) -> dict[str, Any]:
    outer = xml.parse(body)
    if door.envelope is None:
        _check_plain(door, query)
        return outer
    sealed = outer.get("Encrypt")
    if not isinstance(sealed, str):
        raise Unreadable  # an account with a key takes nothing that anybody could have written
    _check_sealed(door, query, sealed)
    return xml.parse(door.envelope.open(sealed))


def _check_sealed(door: Door, query: Query, sealed: str) -> None:
    signed = (door.token, query.get("timestamp", ""), query.get("nonce", ""), sealed)
    check_signature(query.get("msg_signature", ""), *signed)


def _check_plain(door: Door, query: Query) -> None:
    moment = query.get("timestamp", "")
    check_signature(query.get("signature", ""), door.token, moment, query.get("nonce", ""))
    is_number = moment.isascii() and moment.isdigit() and len(moment) <= 12
    if not is_number or abs(now().timestamp() - int(moment)) > PLAIN_FOR.total_seconds():
        raise Unreadable


def _word(content: Mapping[str, Any], *names: str) -> str:
    """The first of the names that the content gives a word for."""
    for name in names:
        found = content.get(name)
        if isinstance(found, str) and found.strip():
            return found.strip()
    return ""
