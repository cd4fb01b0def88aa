"""The channel `sandbox`: harmless, scriptable, for demonstrations and for proving the ledger."""

import json
import os
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cms.core.clock import now
from cms.core.config import current
from cms.core.errors import Refused, TryAgain
from cms.core.i18n import N_
from schedules.channels import wire
from schedules.channels.base import Channel, Limits, Receipt, Repeat
from schedules.envelopes import Envelope
from schedules.states import Outcome

SLOW_SECONDS = 2.0
NOT_THERE = N_("The sandbox has nothing of it that could be changed.")


class Sandbox(Channel):
    """Answers as `settings["script"]` says, one word an attempt, the last word for ever.

    With `settings["endpoint"]` it speaks HTTP to whoever plays the carrier there instead.
    """

    slug = "sandbox"
    name = N_("Sandbox")
    limits = Limits(text=4000, pictures=9)
    can_amend = True
    can_withdraw = True

    def repeat_for(self, settings: Mapping[str, Any]) -> Repeat:
        return Repeat(settings.get("class", Repeat.KEYED))

    def deliver(self, envelope: Envelope) -> Receipt:
        if envelope.settings.get("endpoint"):
            return wire.post(envelope, _private())
        return _play(envelope)

    def find(self, envelope: Envelope) -> Receipt:
        if envelope.settings.get("endpoint"):
            return wire.look_up(envelope, _private())
        found = _effects(envelope)
        if not found:
            return Receipt(Outcome.NOT_SENT)
        return Receipt(Outcome.ACCEPTED, external_id=found[0]["id"])

    def amend(self, envelope: Envelope) -> Receipt:
        if not _is_shown(envelope):
            raise Refused(NOT_THERE)
        return _changed(envelope, "amended")

    def withdraw(self, envelope: Envelope) -> Receipt:
        return _changed(envelope, "withdrawn") if _is_shown(envelope) else Receipt(Outcome.ACCEPTED)


def _private() -> frozenset[str]:
    """Only tests may speak to this machine itself."""
    return frozenset({"127.0.0.1"}) if current().is_test else frozenset()


def _play(envelope: Envelope) -> Receipt:
    script = envelope.settings.get("script") or "ok"
    words = script if isinstance(script, list) else str(script).split()
    word = str(words[min(envelope.fence, len(words)) - 1])
    match word:
        case "reject":
            raise Refused(N_("The sandbox refused this post, as its script says."))
        case "not_sent":
            wait = envelope.settings.get("retry_after")
            after = timedelta(seconds=float(wait)) if wait is not None else None
            raise TryAgain(N_("The sandbox was not reached, as its script says."), after)
        case "uncertain":
            return Receipt(
                Outcome.UNCERTAIN, reason=N_("The sandbox fell silent, as its script says.")
            )
        case "uncertain_accepted":
            _accept(envelope)
            return Receipt(
                Outcome.UNCERTAIN, reason=N_("The sandbox fell silent, as its script says.")
            )
        case "slow":
            time.sleep(float(envelope.settings.get("seconds", SLOW_SECONDS)))
    return Receipt(Outcome.ACCEPTED, external_id=_accept(envelope))


def _accept(envelope: Envelope) -> str:
    """Note the effect, once a key when the account is of a class that promises that."""
    repeat = Repeat(envelope.settings.get("class", Repeat.KEYED))
    if repeat is Repeat.KEYED:
        for line in _effects(envelope):
            return str(line["id"])
    made = f"{envelope.key[:8]}-{envelope.fence}"
    _write(envelope, {"id": made, "text": envelope.outgoing.text})
    return made


def _changed(envelope: Envelope, kind: str) -> Receipt:
    """Note what was done to what is shown; a second time it would change nothing, so it is left out."""
    shown = _effects(envelope)[-1]["id"]
    text = {"text": envelope.outgoing.text} if kind == "amended" else {}
    newest = _of_key(envelope)[-1]
    if (newest.get("kind"), newest.get("text")) != (kind, text.get("text")):
        _write(envelope, {"kind": kind, "id": shown, **text})
    return Receipt(Outcome.ACCEPTED, external_id=str(shown))


def _write(envelope: Envelope, said: dict[str, Any]) -> None:
    entry = {
        "at": now().isoformat(),
        "key": envelope.key,
        "post": envelope.outgoing.post_id,
        "pool": envelope.outgoing.pool_slug,
        **said,
    }
    written = (json.dumps(entry, ensure_ascii=False) + "\n").encode()
    target = os.open(_ledger(envelope), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(target, written)
    finally:
        os.close(target)


def _is_shown(envelope: Envelope) -> bool:
    if envelope.settings.get("endpoint"):
        raise Refused(NOT_THERE)  # whoever plays the carrier over HTTP takes nothing but posts
    lines = _of_key(envelope)
    return bool(lines) and lines[-1].get("kind") != "withdrawn"


def _effects(envelope: Envelope) -> list[dict[str, Any]]:
    """What readers got; what was done to it later bears a kind and is no effect of its own."""
    return [line for line in _of_key(envelope) if "kind" not in line]


def _of_key(envelope: Envelope) -> list[dict[str, Any]]:
    return [line for line in _lines(envelope) if line["key"] == envelope.key]


def _lines(envelope: Envelope) -> list[dict[str, Any]]:
    ledger = _ledger(envelope)
    if not ledger.exists():
        return []
    return [json.loads(line) for line in ledger.read_text("utf-8").splitlines()]


def _ledger(envelope: Envelope) -> Path:
    return current().folder("sandbox") / f"{envelope.outgoing.account_slug}.jsonl"
