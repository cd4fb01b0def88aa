"""What every channel is: what it takes, what its silence means, and how its errors become receipts."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import structlog

from cms.core.errors import Problem, Refused, TryAgain, invalid
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from cms.core.text import count, over_length
from schedules.channels import chat
from schedules.channels.answers import (
    CallsBack,
    Confirmation,
    Field,
    Figure,
    Gives,
    How,
    Limits,
    Progress,
    Quota,
    Receipt,
    Rendered,
    Repeat,
    Standing,
    Takes,
)
from schedules.channels.calling import Call, Silent, recording
from schedules.envelopes import Envelope, Outgoing, Way
from schedules.states import Outcome

__all__ = [
    "CallsBack",
    "Channel",
    "Confirmation",
    "Field",
    "Figure",
    "Gives",
    "How",
    "Limits",
    "Progress",
    "Receipt",
    "Rendered",
    "Repeat",
    "Standing",
    "Takes",
]

log = structlog.get_logger(__name__)

CANNOT_AMEND = N_("%(carrier)s cannot change a post that is live.")
CANNOT_WITHDRAW = N_("%(carrier)s cannot take back a post that is live.")
CANNOT_REMIND = N_("%(carrier)s reminds nobody.")
CANNOT_TEST = N_("There is nothing to test: this channel needs no connection.")


class Channel(ABC):
    """A sort of destination. Members only speak to their carrier; the base measures and translates."""

    slug: ClassVar[str]
    name: ClassVar[str]  # English, marked with N_
    limits: ClassVar[Limits]
    repeat: ClassVar[Repeat] = Repeat.NEVER
    confirmation: ClassVar[Confirmation] = Confirmation.NOBODY
    appends_link: ClassVar[bool] = True
    takes: ClassVar[frozenset[Takes]] = frozenset({Takes.TEXT, Takes.PICTURES, Takes.LINK})
    gives: ClassVar[Mapping[Gives, How]] = {}
    fields: ClassVar[tuple[Field, ...]] = ()  # what an account of this channel is asked for
    needs: ClassVar[str] = ""  # one sentence for the account page: what to prepare at the carrier
    untested: ClassVar[str] = (
        ""  # what of an account only a post can prove, although a test went well
    )
    # Every word to the carrier is a recorded call: what is not recorded was not said.
    speaks_by_calls: ClassVar[bool] = False
    can_amend: ClassVar[bool] = False
    can_withdraw: ClassVar[bool] = False
    key_lives: ClassVar[timedelta | None] = (
        None  # K: how long the carrier keeps a key; none: for ever
    )
    reminders_a_day: ClassVar[int] = 0  # how often it reminds employees; 0: it cannot
    # Q: how long after an attempt "not found" may be believed; before that it is asked again.
    settles_after: ClassVar[timedelta] = timedelta(0)
    # Q: how long an absence that proves nothing is looked up again before a person is asked.
    doubt_lasts: ClassVar[timedelta] = timedelta(hours=1)
    polls: ClassVar[tuple[timedelta, ...]] = ()  # waits between questions; the last one for ever
    calls_back: ClassVar[CallsBack | None] = None  # none: the carrier never calls us

    def repeat_for(self, settings: Mapping[str, Any]) -> Repeat:
        """The class of one account of this channel."""
        return self.repeat

    def confirmation_for(self, settings: Mapping[str, Any]) -> Confirmation:
        """Who says that a post through this account is live."""
        return self.confirmation

    def quota_for(self, settings: Mapping[str, Any]) -> Quota | None:
        """How many posts the carrier takes from such an account, if it counts them."""
        return None

    def realm(self, way: Way) -> str:
        """Who owns uploads made through this account; two accounts share them only if equal."""
        return f"{self.slug}:{way.account_id}"

    # --- what people see before it leaves

    def render(self, outgoing: Outgoing) -> Rendered:
        """Exactly what would be sent and what of the post is changed on the way.

        `deliver` sends what this says; the preview and the limits read it too.
        """
        return Rendered(
            text=outgoing.text,
            used=count(outgoing.text, self.limits.unit),
            limit=self.limits.text,
            unit=self.limits.unit,
            pictures=outgoing.pictures,
            changes=chat.link_added(outgoing) if self.appends_link else (),
        )

    def problems(self, outgoing: Outgoing) -> list[Problem]:
        """What this carrier would not take, counted by its own rule."""
        drawn = self.render(outgoing)
        found = list(drawn.problems)
        too_long = over_length(drawn.used, drawn.limit, drawn.unit, carrier=self.name)
        if too_long:
            found.append(too_long)
        if len(drawn.pictures) > self.limits.pictures:
            found.append(
                Problem(
                    "too_many_pictures",
                    N_("Too many pictures for %(carrier)s: %(count)s, at most %(limit)s."),
                    {
                        "carrier": self.name,
                        "count": len(drawn.pictures),
                        "limit": self.limits.pictures,
                    },
                )
            )
        return found

    def check(self, outgoing: Outgoing) -> None:
        """Raise Invalid with the first thing this carrier would not take."""
        for problem in self.problems(outgoing):
            raise invalid("text", problem.code, problem.message, **problem.params)

    # --- the doors the ledger uses; each measures, records the calls made, and translates

    def send(self, envelope: Envelope) -> Receipt:
        """Try once. Whatever happens becomes one of the four outcomes."""
        return self._measured("channel_sent", self.deliver, envelope)

    def look_up(self, envelope: Envelope) -> Receipt:
        """Ask the carrier about an unknown outcome: ACCEPTED, NOT_SENT, or UNCERTAIN: ask later."""
        return self._measured("channel_asked", self.find, envelope)

    def carry_amendment(self, envelope: Envelope) -> Receipt:
        """Change what is live into what the envelope says. Doing it twice changes nothing more."""
        return self._measured("channel_amended", self.amend, envelope)

    def carry_withdrawal(self, envelope: Envelope) -> Receipt:
        """Take back what is live. What is gone already counts as taken back."""
        return self._measured("channel_withdrew", self.withdraw, envelope)

    def carry_reminder(self, envelope: Envelope) -> Receipt:
        """Remind those who have not posted it yet. Twice is a nuisance, and no more."""
        return self._measured("channel_reminded", self.remind, envelope)

    def ask_progress(self, envelope: Envelope) -> Progress:
        """How far a handed-over publication is; a carrier that cannot say now is asked again."""
        with recording() as calls:
            progress = self._progress(envelope)
        return replace(progress, detail=_told(calls)) if calls else progress

    def _progress(self, envelope: Envelope) -> Progress:
        try:
            return self.progress(envelope)
        except TryAgain as error:
            return Progress(Standing.UNKNOWN, reason=str(error), after=error.after)
        except (Silent, Refused) as error:
            return Progress(Standing.UNKNOWN, reason=str(error))
        except Exception as error:  # the door: a broken answer must not stop the other questions
            log.exception("channel_broke", publication=envelope.publication_id)
            return Progress(Standing.UNKNOWN, reason=f"{type(error).__name__}: {error}"[:300])

    def ask_figures(self, envelope: Envelope) -> tuple[Figure, ...]:
        """What the carrier has counted; none when it cannot say now. Raises nothing."""
        try:
            with recording():
                return self.figures(envelope)
        except (TryAgain, Refused, Silent) as error:
            log.warning("no_figures", publication=envelope.publication_id, reason=str(error))
        except Exception:  # the door: one broken answer must not stop the other publications
            log.exception("channel_broke", publication=envelope.publication_id)
        return ()

    def try_out(self, way: Way) -> str:
        """Connect without sending anything to a reader: "" when it works, else why it does not.

        Where that proves little, `untested` says so.
        """
        try:
            with recording():
                return self.test(way)
        except (TryAgain, Refused, Silent) as error:
            return str(error)
        except Exception as error:  # the door of the test button
            log.exception("channel_test_broke", account=way.account_id)
            return f"{type(error).__name__}: {error}"[:300]

    # --- what members do

    @abstractmethod
    def deliver(self, envelope: Envelope) -> Receipt:
        """Speak to the carrier. May raise TryAgain (provably nothing left) or Refused (for good)."""

    def find(self, envelope: Envelope) -> Receipt:
        """Channels of class Q override this; NOT_SENT means that the carrier surely has nothing."""
        return Receipt(Outcome.UNCERTAIN)

    def progress(self, envelope: Envelope) -> Progress:
        """Channels whose accepted posts are not live yet override this."""
        return Progress(Standing.UNKNOWN)

    def figures(self, envelope: Envelope) -> tuple[Figure, ...]:
        """Channels whose carrier counts by itself override this."""
        return ()

    def is_in_hand(self, facts: Mapping[str, Any]) -> bool:
        """Whether people at the carrier have a part of it, by the facts that its steps have left."""
        return False

    def amend(self, envelope: Envelope) -> Receipt:
        raise Refused(Sentence(CANNOT_AMEND, {"carrier": self.name}))

    def withdraw(self, envelope: Envelope) -> Receipt:
        raise Refused(Sentence(CANNOT_WITHDRAW, {"carrier": self.name}))

    def remind(self, envelope: Envelope) -> Receipt:
        raise Refused(Sentence(CANNOT_REMIND, {"carrier": self.name}))

    def test(self, way: Way) -> str:
        return ""

    def warm_up(self, way: Way) -> None:  # noqa: B027 - most carriers need nothing ahead
        """Renew what a send will need (a token) ahead of its minute."""

    def prepare(self, envelope: Envelope) -> None:  # noqa: B027 - likewise
        """Upload what the post needs ahead of its minute; safe to repeat, unseen by readers."""

    def _measured(
        self, event: str, step: Callable[[Envelope], Receipt], envelope: Envelope
    ) -> Receipt:
        started = time.monotonic()
        with recording() as calls:
            try:
                receipt = _translated(step, envelope)
            except Exception as error:  # the door: a fault of our own, at an unknown distance
                log.exception("channel_broke", publication=envelope.publication_id)
                receipt = Receipt(
                    self._reached(calls), reason=f"{type(error).__name__}: {error}"[:300]
                )
        spent = round((time.monotonic() - started) * 1000)
        log.info(
            event,
            channel=self.slug,
            publication=envelope.publication_id,
            fence=envelope.fence,
            outcome=receipt.outcome.value,
            ms=spent,
        )
        return replace(receipt, detail={**receipt.detail, **_told(calls), "ms": spent})

    def _reached(self, calls: list[Call]) -> Outcome:
        """What a fault of our own leaves open: nothing while no call was made that shows anything."""
        is_surely_unsent = self.speaks_by_calls and all(call.is_unseen for call in calls)
        return Outcome.NOT_SENT if is_surely_unsent else Outcome.UNCERTAIN


def _told(calls: list[Call]) -> dict[str, Any]:
    return {"calls": [call.told() for call in calls]} if calls else {}


def _translated(step: Callable[[Envelope], Receipt], envelope: Envelope) -> Receipt:
    try:
        return step(envelope)
    except TryAgain as error:
        return Receipt(Outcome.NOT_SENT, reason=str(error), after=error.after)
    except Refused as error:
        return Receipt(Outcome.REJECTED, reason=str(error), pauses_account=error.pauses_account)
    except Silent as error:
        return Receipt(Outcome.UNCERTAIN, reason=str(error))
