"""What carriers' answers prove: their codes as tables of meanings, the rest by the HTTP status."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from cms.core.errors import TryAgain
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from schedules import limits
from schedules.channels.answers import Receipt
from schedules.channels.calling import Reply, Silent, unseen
from schedules.states import Outcome

NONSENSE = N_("The carrier answered something that is no answer.")
BUSY = N_("The carrier asks to wait.")
UNWELCOME = N_("The carrier refuses the account.")
REFUSED = N_("The carrier refused the post.")
REFUSED_WITH_CODE = N_("The carrier refused the post with code %(code)s.")
MOVED = N_("The carrier's address has moved. Enter the new one.")
BROKE = N_("The carrier broke while it had the post.")
BROKE_UNSEEN = N_("The carrier gave no plain answer to a first step; nothing was shown to readers.")

SECRET_STATUSES = (401, 403, 404, 410)
TIMED_OUT = 408  # the server gave up waiting: it may have read everything

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Meaning:
    """What one code of a carrier says about the post, in words for the person who must act."""

    outcome: Outcome
    reason: str
    shortest_wait: float = 0  # seconds; 0: the ledger's own back-off
    longest_wait: float = 0
    pauses_account: bool = False

    def receipt(self) -> Receipt:
        after = None
        if self.longest_wait:
            spread = random.uniform(self.shortest_wait, self.longest_wait)  # noqa: S311 - spreading
            after = timedelta(seconds=spread)
        return Receipt(
            self.outcome, reason=self.reason, after=after, pauses_account=self.pauses_account
        )


def of_the_post(reason: str) -> Meaning:
    """The post itself cannot go; its author must change it."""
    return Meaning(Outcome.REJECTED, reason)


def of_the_account(reason: str) -> Meaning:
    """Nothing can go through this account until a person mends it."""
    return Meaning(Outcome.REJECTED, reason, pauses_account=True)


def wait(shortest: float = 0, longest: float = 0, reason: str = BUSY) -> Meaning:
    """Not taken now; the account's posts come again after a while, not all at one moment."""
    return Meaning(Outcome.NOT_SENT, reason, shortest, longest)


def by_code(code: int | str, meanings: Mapping[Any, Meaning]) -> Receipt:
    """The receipt for an error the carrier named; an unknown name is still a plain no."""
    known = meanings.get(code)
    if known:
        return known.receipt()
    return Receipt(Outcome.REJECTED, reason=Sentence(REFUSED_WITH_CODE, {"code": code}))


def by_answer(reply: Reply, code: int | str, meanings: Mapping[Any, Meaning]) -> Receipt:
    """The receipt for a no in the carrier's own words. A 429 asks to wait whatever else it says."""
    if reply.status != 429:
        return by_code(code, meanings)
    asked, known = by_status(reply), meanings.get(code)
    if known is None or known.outcome is not Outcome.NOT_SENT:
        return asked
    told = known.receipt()
    waits = [wait for wait in (asked.after, told.after) if wait]
    return replace(told, after=max(waits, default=None))


def by_status(reply: Reply) -> Receipt:
    """What an answer proves that says nothing in the carrier's own words."""
    if reply.status == 429:
        after = limits.retry_after(reply.headers.get("retry-after"))
        return Receipt(Outcome.NOT_SENT, reason=BUSY, after=after)
    if reply.status in SECRET_STATUSES:
        return Receipt(Outcome.REJECTED, reason=UNWELCOME, pauses_account=True)
    if 300 <= reply.status < 400:
        return Receipt(Outcome.REJECTED, reason=MOVED, pauses_account=True)
    if 400 <= reply.status < 500 and reply.status != TIMED_OUT:
        return Receipt(Outcome.REJECTED, reason=REFUSED)
    return Receipt(Outcome.UNCERTAIN, reason=BROKE if reply.status >= 400 else NONSENSE)


def harmless(step: Callable[[], Answer]) -> Answer:
    """A step no reader sees: its silence proves nothing lost, it may simply be made again."""
    try:
        with unseen():
            return step()
    except Silent as error:
        raise TryAgain(str(error)) from error


def again(reply: Reply) -> TryAgain:
    """For a step no reader sees that was not answered plainly: after the carrier's wait, if it names one."""
    if reply.status == 429:
        return TryAgain(BUSY, limits.retry_after(reply.headers.get("retry-after")))
    return TryAgain(BROKE_UNSEEN)
