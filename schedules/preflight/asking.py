"""What a pre-flight question is, what it may look at, and what it answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from audience.models import Pool
from cms.core.errors import Problem
from schedules.envelopes import Outgoing
from schedules.models import Calendar, ChannelAccount, Post
from schedules.warnings import Fix


class Level(StrEnum):
    BLOCKS = "blocks"  # refused when approved, held just before sending
    WARNS = "warns"  # shown, no more


class Asked(StrEnum):
    """When the questions are asked."""

    PLANNED = "planned"  # to be shown: on the board, on the post's page, on the day sheet
    SUBMITTED = "submitted"  # what its author can mend
    APPROVED = "approved"
    SENDING = "sending"


ALWAYS = frozenset(Asked)
WHEN_IT_LEAVES = ALWAYS - {Asked.SUBMITTED}  # what is not the author's to mend


@dataclass(frozen=True)
class Concern:
    """One thing in the way, in words that need no further explanation, and what would help."""

    problem: Problem
    level: Level = Level.BLOCKS
    fix: Fix = Fix.LOOK


@dataclass(frozen=True)
class Subject:
    """One post as the questions see it. Long lists leave out `post` and `content`: whoever needs
    those has been asked when the post was saved."""

    post_id: int
    publication_id: int
    calendar: Calendar
    pool: Pool
    account: ChannelAccount
    at: datetime  # when it leaves, as far as anybody knows
    due_at: datetime  # as the ledger has it: its place in the queue
    late_after: datetime
    media_ids: tuple[int, ...] = ()
    post: Post | None = field(default=None, repr=False)
    content: Outgoing | None = field(default=None, repr=False)


def nothing(_subjects: Sequence[Subject], _asked: Asked) -> None:
    """For questions that need to read nothing beyond the subject."""


@dataclass(frozen=True)
class Question:
    """`learn` reads what is needed for a whole list, in a number of queries that does not grow
    with it; `ask` judges one subject by that."""

    slug: str
    ask: Callable[[Subject, Any], list[Concern]]
    learn: Callable[[Sequence[Subject], Asked], Any] = nothing
    asked: frozenset[Asked] = ALWAYS
