"""What an Official Account's codes mean: one table, and the error each becomes for a call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from cms.core.clock import now
from cms.core.errors import Refused, TryAgain
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from schedules.channels.calling import Reply, Silent

ZONE = ZoneInfo("Asia/Shanghai")  # the carrier's days


class Means(StrEnum):
    """What an error code says about the call that got it."""

    TOKEN = "token"  # noqa: S105 - renewed once, asked once more
    BUSY = "busy"  # it may or may not have been done
    SLOWER = "slower"  # the minute's share is used
    TOMORROW = "tomorrow"  # the day's share is used
    ACCOUNT = "account"  # the account is wrong, whatever is sent
    CONTENT = "content"  # back to the author
    BY_HAND = "by_hand"  # only a person at the carrier's console can do it
    GONE = "gone"  # what the call names is not there


BUSY = N_("The Official Account is busy.")
SLOWER = N_("The Official Account asks to slow down.")
TOMORROW = N_("The Official Account takes nothing more today.")
NOT_LISTED = N_("This server's address is not on the Official Account's list. Add it there.")
WRONG_APP = N_("The AppID or the AppSecret is wrong. Enter them again.")
NOT_GRANTED = N_("The Official Account was not granted this. Look at its permissions.")
CLOSED = N_("The carrier has closed this function for the account. Its console says why.")
TOO_LONG = N_("The title, the digest or the text is too long for the Official Account.")
BAD_CONTENT = N_("The Official Account refuses the content.")
FAILED_CHECKS = N_("The draft did not pass the Official Account's checks.")
BY_HAND = N_("The draft is made. Publish it by hand in the Official Account's console.")
GONE = N_("The Official Account does not have it any more.")
UNKNOWN_CODE = N_("The Official Account refused it (code %(code)s).")

CODES: Mapping[int, tuple[Means, str]] = {
    -1: (Means.BUSY, BUSY),
    40001: (Means.TOKEN, WRONG_APP),
    40014: (Means.TOKEN, WRONG_APP),
    41001: (Means.TOKEN, WRONG_APP),
    42001: (Means.TOKEN, WRONG_APP),
    40013: (Means.ACCOUNT, WRONG_APP),
    40125: (Means.ACCOUNT, WRONG_APP),
    41002: (Means.ACCOUNT, WRONG_APP),
    41004: (Means.ACCOUNT, WRONG_APP),
    40164: (Means.ACCOUNT, NOT_LISTED),
    61004: (Means.ACCOUNT, NOT_LISTED),
    48001: (Means.ACCOUNT, NOT_GRANTED),
    48004: (Means.ACCOUNT, CLOSED),
    50002: (Means.ACCOUNT, CLOSED),
    53500: (Means.ACCOUNT, CLOSED),
    45009: (Means.TOMORROW, TOMORROW),
    45028: (Means.TOMORROW, TOMORROW),
    45011: (Means.SLOWER, SLOWER),
    53501: (Means.SLOWER, SLOWER),
    40007: (Means.GONE, GONE),
    53502: (Means.GONE, GONE),
    53600: (Means.GONE, GONE),
    41039: (Means.CONTENT, BAD_CONTENT),
    45002: (Means.CONTENT, TOO_LONG),
    45003: (Means.CONTENT, TOO_LONG),
    45004: (Means.CONTENT, TOO_LONG),
    45005: (Means.CONTENT, TOO_LONG),
    45008: (Means.CONTENT, TOO_LONG),
    45110: (Means.CONTENT, TOO_LONG),
    45166: (Means.CONTENT, BAD_CONTENT),
    53503: (Means.CONTENT, FAILED_CHECKS),
    53504: (Means.BY_HAND, BY_HAND),
    53505: (Means.BY_HAND, BY_HAND),
}


@dataclass(frozen=True)
class Said:
    """A whole answer to one call: its values, and what its code means (None: done)."""

    code: int
    content: Mapping[str, Any]

    @property
    def means(self) -> Means | None:
        return CODES.get(self.code, (None, ""))[0]

    @property
    def words(self) -> str:
        known = CODES.get(self.code)
        return known[1] if known else Sentence(UNKNOWN_CODE, {"code": self.code})

    @property
    def is_done(self) -> bool:
        return self.code == 0


def harmless(step: Callable[[], Said]) -> Said:
    """A step that no reader sees: silence and business mean that it is simply done again."""
    try:
        said = step()
    except Silent as error:
        raise TryAgain(str(error)) from error
    if said.means is Means.BUSY:
        raise TryAgain(said.words)
    return said


def needed(said: Said) -> Mapping[str, Any]:
    """What the call gave, or the error that its code means."""
    if said.is_done:
        return said.content
    raise fault(said)


def fault(said: Said) -> TryAgain | Refused:
    """The error of a call that was surely not carried out."""
    match said.means:
        case Means.SLOWER:
            return TryAgain(said.words, timedelta(minutes=1))
        case Means.TOMORROW:
            return TryAgain(said.words, _until_tomorrow())
        case Means.TOKEN | Means.ACCOUNT:
            return Refused(said.words, pauses_account=True)
        case _:
            return Refused(said.words)


def said_by(reply: Reply) -> Said:
    """The answer's code. One that is no answer counts as none at all."""
    if reply.status == 429:
        raise TryAgain(SLOWER, timedelta(minutes=1))
    found = reply.json()
    if reply.status != 200 or not found:
        raise Silent
    code = found.get("errcode", 0)
    if isinstance(code, bool) or not isinstance(code, int):
        raise Silent
    return Said(code, found)


def _until_tomorrow() -> timedelta:
    moment = now().astimezone(ZONE)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight - moment + timedelta(minutes=5)
