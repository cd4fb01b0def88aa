"""What WeCom's numbers mean: one table, and the error each kind of number becomes here."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cms.core.errors import Refused, TryAgain
from cms.core.i18n import N_


class Means(StrEnum):
    """What is to be done about a number."""

    TOKEN = "token"  # noqa: S105 - renew it once, repeat once
    BUSY = "busy"  # again, a little later; what would make a thing is looked up first
    THROTTLED = "throttled"  # nothing was done: again when its window is over
    NOT_READY = "not_ready"  # what was made earlier is still being prepared
    DONE = "done"  # it had been done already
    MEDIA = "media"  # upload again, once
    CONTENT = "content"  # for the author
    RECIPIENT = "recipient"  # this employee or customer, not the post
    CONFIG = "config"  # for whoever set up the account


@dataclass(frozen=True)
class Meaning:
    """One number in words. `wait` is how long its window lasts."""

    means: Means
    words: str
    wait: timedelta | None = None


class NotReady(TryAgain):
    """It exists, and cannot be asked about yet."""


class Busy(TryAgain):
    """It says that it is busy; of a call that makes something nobody knows whether it did."""


class TokenRefused(TryAgain):
    """The access token is not taken; the call did nothing."""


class AlreadyDone(Refused):
    """What was asked for has been done before."""


class MediaGone(Refused):
    """An upload named in the call is not known any more; the call did nothing."""


class RecipientRefused(Refused):
    """One employee or customer is refused; others may be fine."""


MINUTE = timedelta(minutes=1)
WAITS = N_("WeCom's limit of calls is used up for now; it is tried again by itself.")
BUSY = N_("WeCom is busy; it is tried again by itself.")
PREPARING = N_("WeCom is still preparing it.")
TOKEN = N_("WeCom does not take the access token. It is renewed and tried again.")
GONE = N_("WeCom has thrown away an uploaded picture.")
CONTENT = N_("WeCom does not take this content. The attempt log has its answer.")
TOO_LONG = N_("WeCom says that the text is too long. Shorten it.")
EMPTY = N_("WeCom says that there is nothing in it.")
BAD_FILE = N_("WeCom does not take one of the pictures. Choose another.")
BAD_VIDEO = N_("WeCom does not take the video: at most 30 seconds and 10 MB.")
RECIPIENT = N_("WeCom does not let this employee send to these customers.")
RIGHTS = N_("The app lacks a right at WeCom. Give it customer contact, and these employees.")
UNKNOWN = N_("WeCom refused it with a number we do not know. The attempt log has its answer.")

_M = Means
CODES: dict[int, Meaning] = {
    -1: Meaning(_M.BUSY, BUSY),
    40001: Meaning(_M.CONFIG, N_("The secret is wrong. Copy it again from the app's page.")),
    40004: Meaning(_M.CONTENT, BAD_FILE),
    40005: Meaning(_M.CONTENT, BAD_FILE),
    40006: Meaning(_M.CONTENT, BAD_FILE),
    40007: Meaning(_M.MEDIA, GONE),
    40008: Meaning(_M.CONTENT, CONTENT),
    40009: Meaning(_M.CONTENT, BAD_FILE),
    40013: Meaning(_M.CONFIG, N_("The corporation ID is wrong. Copy it again from WeCom.")),
    40014: Meaning(_M.TOKEN, TOKEN),
    40058: Meaning(_M.CONTENT, N_("WeCom says that something in it is wrong or too long.")),
    40063: Meaning(_M.CONTENT, CONTENT),
    40096: Meaning(_M.RECIPIENT, RECIPIENT),
    40201: Meaning(_M.CONTENT, CONTENT),
    40206: Meaning(_M.CONTENT, CONTENT),
    41001: Meaning(_M.TOKEN, TOKEN),
    41048: Meaning(_M.RECIPIENT, N_("This employee has no customers that could be reached.")),
    41061: Meaning(_M.RECIPIENT, N_("The post does not belong to this employee.")),
    41062: Meaning(_M.NOT_READY, N_("The employee has not published it yet.")),
    41063: Meaning(_M.NOT_READY, PREPARING),
    41064: Meaning(_M.CONTENT, CONTENT),
    41065: Meaning(_M.CONTENT, CONTENT),
    41067: Meaning(_M.CONTENT, CONTENT),
    41072: Meaning(_M.CONTENT, BAD_FILE),
    41078: Meaning(_M.THROTTLED, WAITS, MINUTE),
    41079: Meaning(_M.NOT_READY, PREPARING),
    41080: Meaning(_M.CONTENT, BAD_VIDEO),
    41081: Meaning(_M.CONTENT, BAD_VIDEO),
    41082: Meaning(_M.CONTENT, BAD_VIDEO),
    41089: Meaning(_M.CONTENT, EMPTY),
    41090: Meaning(_M.CONTENT, BAD_VIDEO),
    41093: Meaning(_M.DONE, N_("It had been cancelled before.")),
    41094: Meaning(_M.CONTENT, N_("They were reminded three times in 24 hours. Wait a day.")),
    42001: Meaning(_M.TOKEN, TOKEN),
    44004: Meaning(_M.CONTENT, EMPTY),
    45001: Meaning(_M.CONTENT, BAD_FILE),
    45002: Meaning(_M.CONTENT, TOO_LONG),
    45009: Meaning(_M.THROTTLED, WAITS, MINUTE),
    45033: Meaning(_M.THROTTLED, WAITS, timedelta(seconds=10)),
    48002: Meaning(_M.CONFIG, RIGHTS),
    49008: Meaning(_M.RECIPIENT, RECIPIENT),
    50002: Meaning(_M.CONFIG, RIGHTS),
    50003: Meaning(_M.CONFIG, N_("The app is switched off at WeCom. Switch it on.")),
    60011: Meaning(_M.CONFIG, RIGHTS),
    60020: Meaning(
        _M.CONFIG,
        N_("WeCom does not let this server in. Add its address to the app's trusted IPs."),
    ),
    81013: Meaning(_M.RECIPIENT, RECIPIENT),
    84061: Meaning(_M.RECIPIENT, N_("This employee and the customer are no contacts.")),
    84074: Meaning(_M.CONFIG, RIGHTS),
    90207: Meaning(_M.CONTENT, CONTENT),
    93000: Meaning(
        _M.CONFIG,
        N_("The robot's key is wrong, or the robot was removed from its group."),
    ),
    93004: Meaning(_M.CONFIG, N_("The robot is switched off. Switch it on in its group.")),
    93006: Meaning(_M.CONFIG, N_("The robot's group does not exist any more.")),
    93008: Meaning(_M.CONFIG, N_("The robot is not in its group any more.")),
    301019: Meaning(_M.CONTENT, BAD_FILE),
}


def error_for(code: int) -> TryAgain | Refused:
    """The error that a number other than 0 stands for; an unknown one is a refusal."""
    meaning = CODES.get(code, Meaning(Means.CONTENT, UNKNOWN))
    match meaning.means:
        case Means.TOKEN:
            return TokenRefused(meaning.words, MINUTE)
        case Means.BUSY:
            return Busy(meaning.words, meaning.wait)
        case Means.THROTTLED:
            return TryAgain(meaning.words, meaning.wait)
        case Means.NOT_READY:
            return NotReady(meaning.words)
        case Means.DONE:
            return AlreadyDone(meaning.words)
        case Means.MEDIA:
            return MediaGone(meaning.words)
        case Means.RECIPIENT:
            return RecipientRefused(meaning.words)
    return Refused(meaning.words, pauses_account=meaning.means is Means.CONFIG)
