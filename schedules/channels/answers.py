"""The words in which channels answer: classes, limits, receipts, progress, what is shown beforehand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from cms.core.errors import Problem
from cms.core.text import Unit
from schedules.envelopes import Picture
from schedules.states import DeliveryState, HandOverState, Outcome


class Repeat(StrEnum):
    """What may be done when nobody knows whether a send arrived."""

    KEYED = "K"  # send again with the same key
    QUERY = "Q"  # look it up first
    NEVER = "N"  # a person decides


class Confirmation(StrEnum):
    """Who says that it is live."""

    NOBODY = "nobody"  # the answer itself
    CARRIER = "carrier"  # the carrier, a while later: it is asked
    EMPLOYEES = "employees"  # each employee in the carrier's own app: the carrier is asked
    ADMINISTRATOR = "administrator"  # one person at the carrier's console
    PERSON = "person"  # a member of the team, with proof


class Takes(StrEnum):
    """What a carrier can show."""

    TEXT = "text"
    PICTURES = "pictures"
    ARTICLE = "article"
    VIDEO = "video"
    LINK = "link"


class Gives(StrEnum):
    """What can be known about a post afterwards."""

    CLICK = "click"
    COLLECT = "collect"
    COMMENT = "comment"
    LIKE = "like"
    SHARE = "share"
    CONVERSION = "conversion"
    DELIVERY = "delivery"


class How(StrEnum):
    """How it becomes known."""

    OWN_LINK = "own_link"  # the tracked link and the reader page
    PULL = "pull"  # the carrier's figures, asked for
    CALLBACK = "callback"  # the carrier tells by itself


# What our own tracked link and reader page tell, on every carrier that shows a link.
BY_OWN_LINK: Mapping[Gives, How] = {
    Gives.CLICK: How.OWN_LINK,
    Gives.COLLECT: How.OWN_LINK,
    Gives.COMMENT: How.OWN_LINK,
    Gives.LIKE: How.OWN_LINK,
    Gives.SHARE: How.OWN_LINK,
    Gives.CONVERSION: How.OWN_LINK,
}


@dataclass(frozen=True)
class Limits:
    """How much the carrier takes, in its own unit; 0 pictures means none."""

    text: int
    unit: Unit = Unit.CHARACTERS
    pictures: int = 9
    picture_bytes: int = 10_000_000
    picture_formats: tuple[str, ...] = ("jpeg", "png")
    longest_edge: int = 0  # pixels; 0: no limit
    shorter_edge: int = 0  # likewise, of the shorter side
    per_minute: int = 0  # what the carrier allows one account; 0: it says nothing
    per_second: int = 0  # likewise


class Per(StrEnum):
    """The while of its own calendar by which a carrier counts."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True)
class Quota:
    """How many posts a carrier takes in such a while.

    Accounts with the same `of` share it; what went to everybody (`to` empty) counts for all of them,
    what went to some only for the same.
    """

    most: int
    per: Per
    of: str
    to: str = ""


@dataclass(frozen=True)
class Field:
    """One thing an account of a channel is asked for. `kind`: text, number, choice, list, flag."""

    name: str
    label: str  # N_
    hint: str = ""  # N_
    kind: str = "text"
    is_secret: bool = False
    is_required: bool = True
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()  # value, N_ label
    check: Callable[[str], Problem | None] | None = None  # what is wrong with its form, if anything


@dataclass(frozen=True)
class Card:
    """A link as the carrier draws it: a box with a title."""

    title: str
    url: str
    detail: str = ""
    cover: Picture | None = None


@dataclass(frozen=True)
class Rendered:
    """What a carrier would be given. `changes` tell the planner what is done to the post on the way."""

    text: str
    used: int
    limit: int
    unit: Unit
    pictures: tuple[Picture, ...] = ()
    card: Card | None = None
    title: str = ""  # of an article or a letter
    html: str = ""  # its body
    payload: str = ""  # what machines get, as text
    changes: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()  # beyond length and number of pictures


@dataclass(frozen=True)
class Receipt:
    """What is known after one try. `after` is the carrier's own wish when to come back."""

    outcome: Outcome
    external_id: str = ""
    url: str = ""
    reason: str = ""
    after: timedelta | None = None
    is_own_wait: bool = False  # with `after`: it says nothing of the account's other posts
    pauses_account: bool = False  # the carrier refuses this account, not this post
    confirmation: Confirmation | None = None  # instead of the account's own, for this post
    goes_on: bool = False  # a part is done; with ACCEPTED the rest follows, with REJECTED it cannot
    # With UNCERTAIN, of a look-up: it is not there, and that proves nothing. It is looked up again
    # for the channel's `doubt_lasts`, then a person is asked, with `reason` to say what to look for.
    is_unproven: bool = False
    asks_person: bool = False  # with UNCERTAIN: no further question would tell more
    detail: dict[str, Any] = field(default_factory=dict)


class Standing(StrEnum):
    """How far a handed-over publication is, as its carrier says."""

    UNKNOWN = "unknown"  # it could not say; asked again
    WAITING = "waiting"  # created, or some have done it
    LIVE = "live"  # all have done it, or the carrier has
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class EmployeeAnswer:
    """One employee's part."""

    employee: str
    state: HandOverState
    at: datetime | None = None


@dataclass(frozen=True)
class Reached:
    """One recipient's fate."""

    recipient: str
    state: DeliveryState
    employee: str = ""
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Progress:
    """What the carrier says about a publication it has taken."""

    standing: Standing
    employees: tuple[EmployeeAnswer, ...] = ()
    reached: tuple[Reached, ...] = ()
    external_id: str = ""
    url: str = ""
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)  # merged into the publication's
    after: timedelta | None = None  # when to ask again; none: by the channel's plan
    detail: dict[str, Any] = field(default_factory=dict, compare=False)  # the calls, for the log


@dataclass(frozen=True)
class Figure:
    """One number of the carrier's own for a publication: what it had counted up to that day."""

    metric: str  # read, share, like, recommend, comment, collect
    on: date
    value: int


@dataclass(frozen=True)
class CallsBack:
    """That a carrier calls us, and which setting names us in its calls."""

    receive_setting: str  # appid, corpid
    takes_plain: bool = False  # it may call without encryption when the account says so
