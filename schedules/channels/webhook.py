"""The channel `webhook`: posts told to any server, signed as the Standard Webhooks specification asks."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from audience.models import Persona, Pool, Stage
from cms.core import signing
from cms.core.clock import now
from cms.core.db import give_back, session
from cms.core.errors import Problem, Refused
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from cms.core.text import Unit
from schedules import limits, links
from schedules.asking_once import once
from schedules.channels.answers import BY_OWN_LINK
from schedules.channels.base import (
    Channel,
    Field,
    Limits,
    Receipt,
    Rendered,
    Repeat,
    Takes,
)
from schedules.channels.calling import Line, Reply
from schedules.envelopes import Envelope, Outgoing, Way
from schedules.models import ChannelAccount, Publication
from schedules.states import Outcome

LONGEST_BODY = 20_000  # bytes; the specification asks to stay below
CALL_SECONDS = 15.0  # what the specification gives a receiver
KEY_LIVES = timedelta(hours=24)  # nobody promises more; the specification's last try comes by then
SENT, AMENDED, WITHDRAWN, TEST = (
    "publication.sent",
    "publication.amended",
    "publication.withdrawn",
    "endpoint.test",
)
TOO_LARGE = N_("Too long for %(carrier)s: the message has %(count)s/%(limit)s bytes. Shorten it.")
BAD_SECRET = N_("A signing secret is whsec_ and 24 to 64 bytes in Base64. Copy it again.")
MOVED = N_("The receiver's address has moved. Enter the new one.")
GONE = N_("The receiver says that it is gone for good.")
UNWELCOME = N_("The receiver does not accept our signature. Compare the secrets.")
BUSY = N_("The receiver asks to wait.")
BROKE = N_("The receiver broke while it had the message.")
ANSWERED = N_("The receiver answered %(status)s.")

# What an answer means; a status that is not here goes by its hundred.
BUSY_STATUS = 429
MEANS: Mapping[int, tuple[Outcome, str]] = {
    2: (Outcome.ACCEPTED, ""),
    3: (Outcome.REJECTED, MOVED),
    4: (Outcome.NOT_SENT, ANSWERED),
    5: (Outcome.UNCERTAIN, BROKE),
    401: (Outcome.REJECTED, UNWELCOME),
    403: (Outcome.REJECTED, UNWELCOME),
    408: (Outcome.UNCERTAIN, BROKE),
    409: (Outcome.UNCERTAIN, ANSWERED),  # perhaps because it has it already
    410: (Outcome.REJECTED, GONE),
    BUSY_STATUS: (Outcome.NOT_SENT, BUSY),
}
UNKNOWN = (Outcome.UNCERTAIN, BROKE)
PAUSES = frozenset({401, 403, 410})


def _problem(text: str) -> Problem | None:
    """A short secret would sign nothing that a receiver of the standard takes."""
    try:
        signing.key_of(text)
    except signing.BadSecret:
        return Problem("bad_secret", BAD_SECRET)
    return None


class Webhook(Channel):
    """Tells a receiver what was published; `webhook-id` is the receiver's key against doubles."""

    slug = "webhook"
    name = N_("Webhook")
    speaks_by_calls = True
    limits = Limits(text=15_000, unit=Unit.BYTES, pictures=9)
    repeat = Repeat.KEYED
    key_lives = KEY_LIVES
    appends_link = False  # the message has a place of its own for it
    takes = frozenset({Takes.TEXT, Takes.PICTURES, Takes.ARTICLE, Takes.LINK})
    gives = BY_OWN_LINK
    fields = (
        Field("url", N_("Address"), N_("Where the messages go, https://…"), kind="url"),
        Field(
            "secret",
            N_("Signing secret"),
            N_("whsec_… as the receiver shows it."),
            is_secret=True,
            check=_problem,
        ),
        Field(
            "previous_secret",
            N_("Previous signing secret"),
            N_("Signs as well while the receiver changes over; leave it empty otherwise."),
            is_secret=True,
            is_required=False,
            check=_problem,
        ),
        Field(
            "receiver_dedupes",
            N_("The receiver knows a repeated message by its webhook-id"),
            N_("As the standard asks. If not, a person decides whenever no answer came."),
            kind="flag",
            is_required=False,
            default="yes",
        ),
    )
    needs = N_("A server that takes signed messages after the Standard Webhooks specification.")
    can_amend = True
    can_withdraw = True

    def repeat_for(self, settings: Mapping[str, Any]) -> Repeat:
        return Repeat.KEYED if _knows_repeats(settings) else Repeat.NEVER

    def render(self, outgoing: Outgoing) -> Rendered:
        payload = _message(SENT, outgoing).decode()
        drawn = replace(super().render(outgoing), title=outgoing.title, payload=payload)
        size = len(payload.encode())
        if size <= LONGEST_BODY or drawn.used > drawn.limit:
            return drawn  # too long a text is told by itself, once
        told = {"carrier": self.name, "count": f"{size:,}", "limit": f"{LONGEST_BODY:,}"}
        return replace(drawn, problems=(Problem("message_too_long", TOO_LARGE, told),))

    def deliver(self, envelope: Envelope) -> Receipt:
        return _told(envelope, SENT, f"msg_{envelope.key}")

    def amend(self, envelope: Envelope) -> Receipt:
        return _told(envelope, AMENDED, f"msg_{envelope.key}_{_edition(envelope)}")

    def withdraw(self, envelope: Envelope) -> Receipt:
        return _told(envelope, WITHDRAWN, f"msg_{envelope.key}_withdrawn")

    def test(self, way: Way) -> str:
        said = {"type": TEST, "timestamp": now().isoformat(), "data": {"account": way.slug}}
        line = Line("", hush=tuple(way.secrets.values()))
        receipt = _receipt(_post(line, way, f"msg_test_{token_hex(12)}", _written(said)))
        return "" if receipt.outcome is Outcome.ACCEPTED else receipt.reason


def _knows_repeats(settings: Mapping[str, Any]) -> bool:
    """Whether the receiver takes the same id twice as one."""
    return _is_on(settings.get("receiver_dedupes", "yes"))


def _is_on(said: Any) -> bool:
    return said is True or str(said).strip().lower() in {"yes", "on", "true", "1"}


def _told(envelope: Envelope, kind: str, message_id: str) -> Receipt:
    body = _message(kind, envelope.outgoing)
    give_back()
    line = Line.of(envelope, "")
    line.seconds = min(envelope.call_seconds, CALL_SECONDS)
    reply = _post(line, envelope.way, message_id, body)
    receipt = replace(_receipt(reply), external_id=message_id)
    is_plain_no = 400 <= reply.status < 500 and reply.status != BUSY_STATUS
    if (
        is_plain_no
        and receipt.outcome is Outcome.NOT_SENT
        and not _knows_repeats(envelope.settings)
    ):
        return replace(receipt, outcome=Outcome.REJECTED)  # it may have acted before it said no
    return receipt


def _post(line: Line, way: Way, message_id: str, body: bytes) -> Reply:
    """One signed call. The timestamp is of this try, everything else the same at every try."""
    parts = urlsplit(str(way.settings.get("url", "")))
    line.base = f"{parts.scheme}://{parts.netloc}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    both = (way.secrets.get("secret", ""), way.secrets.get("previous_secret", ""))
    try:
        signed = signing.headers([secret for secret in both if secret] or [""], message_id, body)
    except signing.BadSecret:
        raise Refused(BAD_SECRET, pauses_account=True) from None
    return line.call(
        "POST", path, headers={"Content-Type": "application/json", **signed}, body=body
    )


def _receipt(reply: Reply) -> Receipt:
    """What the answer proves. 502, 503 and 504 may ask for time, as 429 does.

    The specification has every other answer tried again, also 400, 404, 413 and 422: a receiver may
    be set up wrongly for a while, and knows the repeat by its id. 410 ends it, and so do 401 and 403
    until a person has compared the secrets: no later post would fare better.
    """
    outcome, said = MEANS.get(reply.status) or MEANS.get(reply.status // 100, UNKNOWN)
    reason = Sentence(said, {"status": reply.status}) if said == ANSWERED else said
    wants = reply.status in {BUSY_STATUS, 502, 503, 504}
    after = limits.retry_after(reply.headers.get("retry-after")) if wants else None
    return Receipt(
        outcome,
        reason=reason,
        after=after,
        pauses_account=reply.status in PAUSES,
        detail={"status": reply.status},
    )


def _message(kind: str, outgoing: Outgoing) -> bytes:
    """The body: about this post the same bytes at every try."""
    around = (outgoing.pool_slug, outgoing.account_slug)
    stage, persona = once(("around", *around), lambda: _around(*around))
    about = {
        "id": outgoing.public_id,
        "pool": outgoing.pool_slug,
        "stage": stage,
        "persona": persona,
        "account": outgoing.account_slug,
    }
    content = {} if kind == WITHDRAWN else _content(outgoing)
    at = outgoing.window.isoformat()
    return _written({"type": kind, "timestamp": at, "data": about | content})


def _content(outgoing: Outgoing) -> dict[str, Any]:
    return {
        "title": outgoing.title,
        "text": outgoing.text,
        "summary": outgoing.summary,
        "lang": outgoing.lang,
        "kind": outgoing.kind,
        "link": outgoing.link,
        "pictures": [
            {"url": links.picture_url(outgoing.public_id, one.sha256), "sha256": one.sha256}
            for one in outgoing.pictures
        ],
    }


def _written(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _around(pool_slug: str, account_slug: str) -> tuple[str, str]:
    """The slugs of the pool's stage and of the account's persona, "" for what there is none of."""
    stage = select(Stage.slug).join(Stage.pools).where(Pool.slug == pool_slug)
    persona = (
        select(Persona.slug)
        .join(ChannelAccount, ChannelAccount.persona_id == Persona.id)
        .where(ChannelAccount.slug == account_slug)
    )
    found = session.execute(select(stage.scalar_subquery(), persona.scalar_subquery())).one()
    return found[0] or "", found[1] or ""


def _edition(envelope: Envelope) -> str:
    """Names one amendment: the same while it is tried, another for the next, even back to old words."""
    before = session.scalar(
        select(Publication.amended_at).where(Publication.id == envelope.publication_id)
    )
    said = f"{before}".encode() + _message(AMENDED, envelope.outgoing)
    return f"amended_{sha256(said).hexdigest()[:16]}"
