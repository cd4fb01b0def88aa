"""Carriers of the three classes whose every answer the test decides, with a ledger of real effects."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from cms.core.errors import TryAgain
from schedules.channels import CHANNELS
from schedules.channels.answers import EmployeeAnswer
from schedules.channels.base import (
    Channel,
    Confirmation,
    Limits,
    Progress,
    Receipt,
    Repeat,
    Standing,
)
from schedules.envelopes import Envelope
from schedules.states import HandOverState, Outcome

ANSWERS = ("accepted", "rejected", "not_sent", "silent_before", "silent_after")

Member = TypeVar("Member", bound=Channel)


@contextmanager
def joined(carrier: Member) -> Iterator[Member]:
    """The carrier as one more channel, for as long as the test lasts."""
    CHANNELS.add(carrier)
    try:
        yield carrier
    finally:
        del CHANNELS._members[carrier.slug]


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


@dataclass
class Task:
    """What was accepted, as the carrier sees it: nobody's until employees or the carrier act."""

    name: str
    key: str
    standing: Standing = Standing.WAITING
    employees: dict[str, HandOverState] = field(
        default_factory=lambda: dict.fromkeys(("ada", "bo"), HandOverState.WAITING)
    )

    def told(self) -> Progress:
        """What the carrier says at this moment; whoever hears it later hears what is old."""
        done = all(one is HandOverState.CONFIRMED for one in self.employees.values())
        standing = self.standing
        if standing is Standing.WAITING and done:
            standing = Standing.LIVE
        answers = [EmployeeAnswer(name, state) for name, state in self.employees.items()]
        return Progress(standing, employees=tuple(answers), external_id=self.name)


class Confirming(Scripted):
    """Accepts tasks that count only when employees have done them; it can be asked, and takes back."""

    slug = "confirming"
    name = "Confirming"
    repeat = Repeat.QUERY
    confirmation = Confirmation.EMPLOYEES
    can_withdraw = True

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[Task] = []

    def deliver(self, envelope: Envelope) -> Receipt:
        receipt = super().deliver(envelope)
        if receipt.outcome is Outcome.ACCEPTED:
            return replace(receipt, external_id=self.tasks[-1].name)
        return receipt

    def find(self, envelope: Envelope) -> Receipt:
        if self.next_answer.startswith("silent"):
            return Receipt(Outcome.UNCERTAIN, reason="It does not say.")
        made = [task for task in self.tasks if task.key == envelope.key]
        if not made:
            return Receipt(Outcome.NOT_SENT)
        return Receipt(Outcome.ACCEPTED, external_id=made[-1].name)

    def progress(self, envelope: Envelope) -> Progress:
        if self.next_answer != "accepted":
            raise TryAgain("Busy")
        return self.named(envelope.external_id).told()

    def withdraw(self, envelope: Envelope) -> Receipt:
        task = self.named(envelope.external_id)
        if self.next_answer in ("accepted", "silent_after"):
            task.standing = Standing.WITHDRAWN
        if self.next_answer == "accepted":
            return Receipt(Outcome.ACCEPTED)
        if self.next_answer == "rejected":
            return Receipt(Outcome.REJECTED, reason="Too late, says the carrier.")
        return Receipt(Outcome.UNCERTAIN, reason="Silence.")

    def named(self, name: str) -> Task:
        return next(task for task in self.tasks if task.name == name)

    def _happen(self, envelope: Envelope) -> None:
        super()._happen(envelope)
        self.tasks.append(Task(f"task-{len(self.tasks) + 1}", envelope.key))
