"""Carriers of the three classes whose every answer the test decides, with a ledger of real effects."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from schedules.channels.base import Channel, Limits, Receipt, Repeat
from schedules.envelopes import Envelope
from schedules.states import Outcome

ANSWERS = ("accepted", "rejected", "not_sent", "silent_before", "silent_after")


class Scripted(Channel):
    """Does what `next_answer` says. The class of an account is its setting `class`."""

    slug = "scripted"
    name = "Scripted"
    limits = Limits(text=5000)
    next_answer = "accepted"

    def __init__(self) -> None:
        self.effects: Counter[str] = Counter()
        self.sent: dict[str, list[str]] = {}  # what was shown, by key

    def repeat_for(self, settings: Mapping[str, Any]) -> Repeat:
        return Repeat(settings["class"])

    def deliver(self, envelope: Envelope) -> Receipt:
        if self.next_answer in ("accepted", "silent_after"):
            self._happen(envelope)
        match self.next_answer:
            case "accepted":
                return Receipt(Outcome.ACCEPTED, external_id=envelope.key)
            case "rejected":
                return Receipt(Outcome.REJECTED, reason="No, says the carrier.")
            case "not_sent":
                return Receipt(Outcome.NOT_SENT, reason="Nobody there.")
        return Receipt(Outcome.UNCERTAIN, reason="Silence.")

    def find(self, envelope: Envelope) -> Receipt:
        if self.repeat_for(envelope.settings) is not Repeat.QUERY:
            return Receipt(Outcome.UNCERTAIN)
        if self.next_answer.startswith("silent"):
            return Receipt(Outcome.UNCERTAIN, reason="It does not say.")
        happened = self.effects[envelope.key] > 0
        return Receipt(Outcome.ACCEPTED if happened else Outcome.NOT_SENT)

    def _happen(self, envelope: Envelope) -> None:
        keyed = self.repeat_for(envelope.settings) is Repeat.KEYED
        if keyed and self.effects[envelope.key]:
            return
        self.effects[envelope.key] += 1
        self.sent.setdefault(envelope.key, []).append(envelope.outgoing.body)
