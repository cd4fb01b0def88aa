"""The next twenty-four hours, played through beforehand: what goes out, what will be late, what stays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session
from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules import preflight, publishing, stops
from schedules.content import content_hash, outgoing_of_many
from schedules.envelopes import Outgoing
from schedules.models import ChannelAccount, Post, Publication
from schedules.pace import Course
from schedules.preflight import Asked, contact_policy, quotas
from schedules.states import PublicationState as State
from schedules.states import ReviewState

AHEAD = timedelta(hours=24)
LATE = timedelta(seconds=60)
MOST = 2_000  # more than that nobody reads, and the page is to stay quick

_UNREVIEWED = {
    ReviewState.DRAFT: N_("It is a draft: nobody has handed it in for approval."),
    ReviewState.SUBMITTED: N_("It waits for approval."),
    ReviewState.REJECTED: N_("It was sent back to its author."),
}
_IN_TURN = (contact_policy.QUESTION, quotas.QUESTION)
STOPPED = N_("Sending has been stopped: %(reason)s")
PAUSED = N_("The account %(account)s is paused.")
PACED = N_("The account %(account)s lets %(most)s posts a minute leave; others are before it.")
BLOCKED = N_("The carrier takes nothing from the account %(account)s before %(until)s.")
OVERDUE = N_("It is overdue already.")
MISSED = N_("Its turn comes at %(at)s only, and that is too late: it will be missed.")


class Verdict(StrEnum):
    GOES = "goes"
    LATE = "late"
    STAYS = "stays"


@dataclass(frozen=True)
class Line:
    """What will become of one publication. `at` is when it leaves; None: it does not."""

    publication: Publication
    verdict: Verdict
    at: datetime | None
    reasons: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Forecast:
    """Everything due until a moment, in order of time."""

    since: datetime
    until: datetime
    lines: list[Line] = field(default_factory=list)
    left_out: int = 0  # due as well, beyond what is played through

    @property
    def counts(self) -> dict[Verdict, int]:
        found = dict.fromkeys(Verdict, 0)
        for line in self.lines:
            found[line.verdict] += 1
        return found

    def of(self, verdict: Verdict | None) -> list[Line]:
        """The lines with that verdict, or all."""
        return [line for line in self.lines if verdict is None or line.verdict is verdict]


def forecast() -> Forecast:
    """Play the next twenty-four hours through, as the ledger would; changes nothing."""
    since = now()
    until = since + AHEAD
    inside = _inside(since, until)
    posts = _read(inside)
    left_out = _count(inside) - len(posts) if len(posts) == MOST else 0
    return Forecast(since, until, _Play(posts, since).lines(), left_out)


def _inside(since: datetime, until: datetime) -> ColumnElement[bool]:
    """What is due; of what nobody approved or a person must release, only what is not over."""
    return and_(
        Publication.due_at < until,
        or_(
            Publication.state == State.SCHEDULED,
            and_(Publication.state == State.PLANNED, Publication.due_at >= since),
            and_(Publication.state == State.HELD, Publication.late_after >= since),
        ),
    )


def _count(inside: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Publication).where(inside)) or 0


def _read(inside: ColumnElement[bool]) -> list[Post]:
    found = (
        select(Post)
        .join(Post.publication)
        .where(inside)
        .order_by(Publication.due_at, Publication.id)
        .limit(MOST)
        .options(
            contains_eager(Post.publication).selectinload(Publication.links),
            joinedload(Post.version),
            joinedload(Post.asset),
            joinedload(Post.calendar),
            joinedload(Post.pool),
            joinedload(Post.account).selectinload(ChannelAccount.pools),
        )
    )
    return list(session.scalars(found).unique())


class _Play:
    """One run through the publications of posts, in order of time."""

    def __init__(self, posts: Sequence[Post], since: datetime) -> None:
        self.rows, self.since = [post.publication for post in posts], since
        self.stops = stops.in_force()
        self.contents = outgoing_of_many(posts)
        self.turns = self._turns()
        subjects = [
            preflight.subject_of(post, self.contents[post.id], at=self._moment(post.publication))
            for post in posts
        ]
        # These depend on what leaves before: they are asked one after the other, below.
        self.fills = [(one, one.learn(subjects, Asked.SENDING)) for one in _IN_TURN if posts]
        nothing: dict[str, Any] = {contact_policy.QUESTION.slug: contact_policy.Known()}
        nothing |= {quotas.QUESTION.slug: quotas.Known()}
        self.concerns = preflight.ask(subjects, Asked.SENDING, given=nothing)
        self.subjects = {subject.publication_id: subject for subject in subjects}

    def lines(self) -> list[Line]:
        return [self._line(row) for row in self.rows]

    def _turns(self) -> dict[int, datetime]:
        """When each gets its turn, by what its account lets leave; held back later or not, whatever
        is claimed takes its turn, and what is missed is not claimed."""
        courses: dict[int, Course] = {}
        found = {}
        for row in self.rows:
            if row.state is not State.SCHEDULED or self._standstill(row.account):
                continue
            course = courses.setdefault(row.account_id, Course(row.account, self.since))
            found[row.id] = course.leaves(row.due_at, row.late_after)
        return found

    def _standstill(self, account: ChannelAccount) -> Problem | None:
        stop = stops.covering(self.stops, account)
        if stop is not None:
            return Problem("stopped", STOPPED, {"reason": stop.reason})
        if account.is_paused:
            return Problem("account_paused", PAUSED, {"account": account.name})
        return None

    def _moment(self, row: Publication) -> datetime:
        return self.turns.get(row.id, max(row.due_at, self.since))

    def _line(self, row: Publication) -> Line:
        reasons = self._against(row)
        if reasons:
            for _question, known in self.fills:
                known.ignored.add(row.id)  # those after it have its place
            return Line(row, Verdict.STAYS, None, tuple(reasons))
        at = self.turns[row.id]
        if at - row.due_at <= LATE:
            return Line(row, Verdict.GOES, at)
        return Line(row, Verdict.LATE, at, (self._delay(row, at),))

    def _against(self, row: Publication) -> list[Problem]:
        """Everything that keeps it here, the nearest first."""
        found = [*self._by_state(row), *preflight.blocking(self.concerns.get(row.post_id, ()))]
        if found:
            return found
        for question, known in self.fills:
            found += preflight.blocking(question.ask(self.subjects[row.id], known))
        return found

    def _by_state(self, row: Publication) -> list[Problem]:
        if row.state is State.HELD:
            parts = row.reason_parts or {"message": row.reason, "params": {}}
            return [Problem("held", parts["message"], parts["params"])]
        if row.state is State.PLANNED or row.post.review is not ReviewState.APPROVED:
            words = _UNREVIEWED.get(row.post.review, publishing.NOT_APPROVED)
            return [Problem("not_approved", words)]
        standstill = self._standstill(row.account)
        if standstill is not None:
            return [standstill]
        if content_hash(self._content(row)) != row.content_hash:
            return [Problem("content_changed", publishing.CHANGED)]
        at = self.turns[row.id]
        if at > row.late_after:
            return [Problem("missed", MISSED, {"at": _words(at)}), self._delay(row, at)]
        return []

    def _content(self, row: Publication) -> Outgoing:
        return self.contents[row.post_id]

    def _delay(self, row: Publication, at: datetime) -> Problem:
        """Why it does not leave at its minute."""
        account = row.account
        opens = account.blocked_until
        if opens is not None and opens > max(row.due_at, self.since):
            told = {"account": account.name, "until": _words(opens)}
            return Problem("account_blocked", BLOCKED, told)
        if at <= self.since:
            return Problem("overdue", OVERDUE)
        return Problem("paced", PACED, {"account": account.name, "most": account.per_minute})


def _words(moment: datetime) -> str:
    return f"{moment.astimezone(current().zone):%H:%M}"
