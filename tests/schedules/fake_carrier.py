"""A carrier that lives in a test: a full member of the channels, told what to answer."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, ClassVar

from cms.core.i18n import N_
from schedules.channels.base import (
    Channel,
    Confirmation,
    Limits,
    Progress,
    Receipt,
    Repeat,
    Standing,
)
from schedules.envelopes import Envelope, Way
from schedules.models import Publication
from schedules.states import Outcome
from tests import factories as make
from tests.schedules.carriers_in_memory import joined
from tests.schedules.ready import approved, tried

ACCEPTED = Receipt(Outcome.ACCEPTED, external_id="task-1")


class FakeCarrier(Channel):
    """Each act answers what the test gave it: a value, or a function of the envelope."""

    slug = "fake"
    name = N_("Fake carrier")
    limits = Limits(text=500)
    repeat = Repeat.QUERY
    confirmation = Confirmation.EMPLOYEES
    can_amend = True
    can_withdraw = True
    reminders_a_day = 3
    settles_after: ClassVar[timedelta] = timedelta(0)

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.acts: list[tuple[str, Envelope]] = []
        self.warmed: list[Way] = []

    def confirmation_for(self, settings: Mapping[str, Any]) -> Confirmation:
        return Confirmation(settings.get("confirmation", self.confirmation))

    def repeat_for(self, settings: Mapping[str, Any]) -> Repeat:
        return Repeat(settings.get("class", self.repeat))

    def deliver(self, envelope: Envelope) -> Receipt:
        return self._answer("deliver", envelope, ACCEPTED)

    def find(self, envelope: Envelope) -> Receipt:
        return self._answer("find", envelope, Receipt(Outcome.NOT_SENT))

    def progress(self, envelope: Envelope) -> Progress:
        return self._answer("progress", envelope, Progress(Standing.WAITING))

    def amend(self, envelope: Envelope) -> Receipt:
        return self._answer("amend", envelope, Receipt(Outcome.ACCEPTED))

    def withdraw(self, envelope: Envelope) -> Receipt:
        return self._answer("withdraw", envelope, Receipt(Outcome.ACCEPTED))

    def remind(self, envelope: Envelope) -> Receipt:
        return self._answer("remind", envelope, Receipt(Outcome.ACCEPTED))

    def warm_up(self, way: Way) -> None:
        self.warmed.append(way)
        if isinstance(self.answers.get("warm_up"), Exception):
            raise self.answers["warm_up"]

    def prepare(self, envelope: Envelope) -> None:
        self._answer("prepare", envelope, None)

    def done(self, act: str) -> list[Envelope]:
        """The envelopes with which it was asked for that act."""
        return [envelope for name, envelope in self.acts if name == act]

    def _answer(self, act: str, envelope: Envelope, otherwise: Any) -> Any:
        self.acts.append((act, envelope))
        answer = self.answers.get(act, otherwise)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer(envelope) if isinstance(answer, Callable) else answer  # type: ignore[arg-type]


def registered() -> AbstractContextManager[FakeCarrier]:
    return joined(FakeCarrier())


def ready(**settings: Any) -> Publication:
    """A publication that is due through the fake carrier."""
    way = make.account(channel="fake", per_minute=6000, settings=settings)
    return approved(account=way, pool=make.pool(size=50))


def handed_over(**settings: Any) -> Publication:
    """One that the fake carrier has taken and not confirmed yet."""
    return tried(ready(**settings))
