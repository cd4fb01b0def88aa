"""What every channel is: what it takes, what its silence means, and how its errors become receipts."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar

import structlog

from cms.core.errors import Problem, Refused, TryAgain, invalid
from cms.core.i18n import N_
from cms.core.text import Unit, length_problem
from schedules.envelopes import Envelope, Outgoing
from schedules.states import Outcome

log = structlog.get_logger(__name__)


class Repeat(StrEnum):
    """What may be done when nobody knows whether a send arrived."""

    KEYED = "K"  # send again with the same key
    QUERY = "Q"  # look it up first
    NEVER = "N"  # a person decides


class Confirmation(StrEnum):
    """Who says that it is live."""

    NOBODY = "nobody"  # the answer itself
    PERSON = "person"  # a member of the team, with proof


@dataclass(frozen=True)
class Limits:
    """How much the carrier takes, in its own unit; 0 pictures means none."""

    text: int
    unit: Unit = Unit.CHARACTERS
    pictures: int = 9


@dataclass(frozen=True)
class Receipt:
    """What is known after one try. `after` is the carrier's own wish when to come back."""

    outcome: Outcome
    external_id: str = ""
    url: str = ""
    reason: str = ""
    after: timedelta | None = None
    pauses_account: bool = False  # the carrier refuses this account, not this post
    detail: dict[str, Any] = field(default_factory=dict)


class Channel(ABC):
    """A sort of destination. Members only speak to their carrier; the base measures and translates."""

    slug: ClassVar[str]
    name: ClassVar[str]  # English, marked with N_
    limits: ClassVar[Limits]
    repeat: ClassVar[Repeat] = Repeat.NEVER
    confirmation: ClassVar[Confirmation] = Confirmation.NOBODY
    appends_link: ClassVar[bool] = True

    def repeat_for(self, settings: dict[str, Any]) -> Repeat:
        """The class of one account of this channel."""
        return self.repeat

    def send(self, envelope: Envelope) -> Receipt:
        """Try once. Whatever happens becomes one of the four outcomes."""
        return self._measured("channel_sent", self.deliver, envelope)

    def look_up(self, envelope: Envelope) -> Receipt | None:
        """Ask the carrier about an unknown outcome: accepted, or not_sent, or None when it cannot say."""
        receipt = self._measured("channel_asked", self.find, envelope)
        return receipt if receipt.outcome in (Outcome.ACCEPTED, Outcome.NOT_SENT) else None

    @abstractmethod
    def deliver(self, envelope: Envelope) -> Receipt:
        """Speak to the carrier. May raise TryAgain (provably nothing left) or Refused (for good)."""

    def find(self, envelope: Envelope) -> Receipt:
        """Channels of class Q override this; NOT_SENT means that the carrier surely has nothing."""
        return Receipt(Outcome.UNCERTAIN)

    def problems(self, outgoing: Outgoing) -> list[Problem]:
        """What this carrier would not take, counted by its own rule."""
        found = []
        too_long = length_problem(
            outgoing.text, self.limits.text, self.limits.unit, carrier=self.name
        )
        if too_long:
            found.append(too_long)
        if len(outgoing.pictures) > self.limits.pictures:
            found.append(
                Problem(
                    "too_many_pictures",
                    N_("Too many pictures for %(carrier)s: %(count)s, at most %(limit)s."),
                    {
                        "carrier": self.name,
                        "count": len(outgoing.pictures),
                        "limit": self.limits.pictures,
                    },
                )
            )
        return found

    def check(self, outgoing: Outgoing) -> None:
        """Raise Invalid with the first thing this carrier would not take."""
        for problem in self.problems(outgoing):
            raise invalid("text", problem.code, problem.message, **problem.params)

    def _measured(self, event: str, step: Any, envelope: Envelope) -> Receipt:
        started = time.monotonic()
        receipt = _translated(step, envelope)
        spent = round((time.monotonic() - started) * 1000)
        log.info(
            event,
            channel=self.slug,
            publication=envelope.publication_id,
            fence=envelope.fence,
            outcome=receipt.outcome.value,
            ms=spent,
        )
        return _with_time(receipt, spent)


def _translated(step: Any, envelope: Envelope) -> Receipt:
    try:
        receipt: Receipt = step(envelope)
    except TryAgain as error:
        return Receipt(Outcome.NOT_SENT, reason=str(error), after=error.after)
    except Refused as error:
        return Receipt(Outcome.REJECTED, reason=str(error))
    except (
        Exception
    ) as error:  # the door: an unknown fault after an unknown distance is `uncertain`
        log.exception("channel_broke", publication=envelope.publication_id)
        return Receipt(Outcome.UNCERTAIN, reason=f"{type(error).__name__}: {error}"[:300])
    return receipt


def _with_time(receipt: Receipt, spent: int) -> Receipt:
    return replace(receipt, detail={**receipt.detail, "ms": spent})
