"""Whether the post's pool has had its fill of posts that day or that week."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from cms.core.db import session
from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules.models import Publication
from schedules.preflight.asking import WHEN_IT_LEAVES, Asked, Concern, Question, Subject
from schedules.states import PublicationState as State
from schedules.wall_time import monday_of, zone_of
from schedules.warnings import Fix

A_DAY = N_("%(pool)s takes %(most)s posts a day at most, and %(count)s are settled for that day.")
A_WEEK = N_(
    "%(pool)s takes %(most)s posts a week at most, and %(count)s are settled for that week."
)
WAITING = frozenset({State.SCHEDULED, State.CLAIMED})
# Out, or it may be: nobody can take those back.
OUT = frozenset({State.SENDING, State.PUBLISHED, State.HANDED_OVER, State.UNCERTAIN})
AROUND = timedelta(days=8)  # a week on either side, whatever the zone


@dataclass(frozen=True)
class Known:
    """The settled publications of the pools that have a limit."""

    by_pool: dict[int, list[Any]] = field(default_factory=dict)
    asked: Asked = Asked.PLANNED
    ignored: set[int] = field(default_factory=set)  # publications that will not leave after all


def _learn(subjects: Sequence[Subject], asked: Asked) -> Known:
    limited = [one for one in subjects if one.pool.most_per_day or one.pool.most_per_week]
    if not limited:
        return Known()
    moments = [one.at for one in limited]
    rows = session.execute(
        select(Publication.id, Publication.pool_id, Publication.due_at, Publication.state)
        .where(Publication.pool_id.in_({one.pool.id for one in limited}))
        .where(Publication.due_at.between(min(moments) - AROUND, max(moments) + AROUND))
        .where(Publication.state.in_(WAITING | OUT))
    )
    by_pool: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_pool[row.pool_id].append(row)
    return Known(by_pool, asked)


def _ask(subject: Subject, known: Known) -> list[Concern]:
    pool = subject.pool
    others = [
        row.due_at
        for row in known.by_pool.get(pool.id, ())
        if row.id != subject.publication_id and row.id not in known.ignored
        if is_before(row, subject, known.asked)
    ]
    zone = subject.calendar.timezone
    day = _day(subject.at, zone)
    days = [_day(at, zone) for at in others]
    today = sum(one == day for one in days)
    this_week = sum(monday_of(one) == monday_of(day) for one in days)
    found = []
    if pool.most_per_day is not None and today >= pool.most_per_day:
        found.append(_told(subject, A_DAY, pool.most_per_day, today))
    if pool.most_per_week is not None and this_week >= pool.most_per_week:
        found.append(_told(subject, A_WEEK, pool.most_per_week, this_week))
    return found


def is_before(row: Any, subject: Subject, asked: Asked) -> bool:
    """Whether a settled publication takes a place from this one.

    Just before sending, of two that still wait the earlier one goes, so that one does go.
    """
    if row.state in OUT or asked is not Asked.SENDING:
        return True
    return bool((row.due_at, row.id) < (subject.due_at, subject.publication_id))


def _day(at: datetime, zone: str) -> date:
    return at.astimezone(zone_of(zone)).date()


def _told(subject: Subject, words: str, most: int, count: int) -> Concern:
    params = {"pool": subject.pool.name, "most": most, "count": count}
    return Concern(Problem("contact_policy", words, params), fix=Fix.MOVE)


QUESTION = Question("contacts", _ask, _learn, WHEN_IT_LEAVES)
