"""The demo world as a whole: told from the first day to now, once, and never over anybody's work."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select

from cms.accounts.models import User
from cms.core.clock import holding, now
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.errors import conflict
from cms.core.i18n import N_
from cms.demo import consoles, learning, manners, responses, shelves, team, today, truth, ways, week
from cms.demo.choosing import Planner
from cms.demo.marks import mark
from cms.demo.models import DemoWorld
from cms.demo.readers import Readers
from cms.demo.rounds import Rounds
from cms.demo.told import Answers
from cms.demo.week import Team
from content_library import jobs as library_jobs
from content_library.models import Asset
from schedules import calendars
from schedules.wall_time import monday_of

WEEKS_BEFORE = 4
LEARNS_AT = time(3, 10)
LEARNED_AFTER = (24, 27)  # days from the first Monday until the model was asked, if need be again
MENDS_AFTER = timedelta(days=9)
CONNECTED_BEFORE = timedelta(days=12)  # when the demo carriers were first used, before this Monday
NOISY = ("schedules", "feedback", "content_library")


@dataclass(frozen=True)
class Days:
    """The days the world is made of, seen from its present moment."""

    moment: datetime
    today: date

    @property
    def this_monday(self) -> date:
        return monday_of(self.today)

    @property
    def first_monday(self) -> date:
        return self.this_monday - timedelta(weeks=WEEKS_BEFORE)


def is_empty() -> bool:
    """Whether nothing is here that anybody made."""
    counts = (session.scalar(select(func.count()).select_from(table)) for table in (User, Asset))
    return mark() is None and not any(counts)


def load(*, seed: int | None = None) -> Iterator[str]:
    """Make the world; yields a line per step. Raises Conflict `not_empty` where there is anything."""
    if not is_empty():
        raise conflict(
            "not_empty",
            N_(
                "There is something here already. The demo world is only loaded into an empty place."
            ),
        )
    moment = now()
    days = Days(moment, moment.astimezone(current().zone).date())
    seed = truth.load().seed if seed is None else seed
    with _quietly():
        with transaction():
            world = DemoWorld(seed=seed, today=days.today, began_at=moment, finished_at=None)
            session.add(world)
        yield from _found(days)
        with _carriers(seed) as answers:
            crew = _crew(seed, answers)
            rounds = Rounds(crew, days.moment) if answers else None
            yield from _past(crew, days, rounds)
            yield from _present(crew, days, rounds)
        yield f"search: {library_jobs.rebuild()} assets indexed"
        if rounds:
            yield f"carriers: {rounds.soon(now())} posts leave within minutes"
        with transaction():
            world.finished_at = now()


def _found(days: Days) -> Iterator[str]:
    """The school opens its office: people first, then what they have to say."""
    opened = datetime.combine(days.first_monday - timedelta(days=17), time(9, 30), current().zone)
    with holding(opened), transaction():
        team.people()
        administrator = team.member("administrator")
        team.readers(administrator)
        team.words(administrator)
        team.ways_out(administrator)
        team.rhythm(administrator)
        manners.agree(days.this_monday, administrator)
        if current().carriers_url:
            ways.open_all(administrator)
    yield f"audience: {len(team.MEMBERS)} people, 6 stages, 8 pools, 4 personas"
    shown = shelves.pictures()
    yield f"library: {len(shown)} pictures"
    planner = team.member("planner")
    with holding(opened + timedelta(days=1)):
        report = shelves.articles(planner)
        yield f"library: {len(report.results)} files imported"
        with transaction():
            made = shelves.videos(shown, planner) + shelves.posters(shown, planner)
    yield f"library: {made} videos and posters"


@contextmanager
def _carriers(seed: int) -> Iterator[Answers | None]:
    """The demo carriers with empty books, set up for the team; None where none run."""
    if not current().carriers_url:
        yield None
        return
    carriers = consoles.begin_anew()
    try:
        consoles.connect(carriers)
        yield Answers(carriers, seed)
    finally:
        carriers.close()


def _crew(seed: int, answers: Answers | None) -> Team:
    calendar = calendars.by_slug("main")
    if calendar is None:
        raise LookupError("the demo world has no calendar")
    choices = shelves.choices()
    known = {choice.id: choice for choice in choices}
    return Team(calendar, seed, Planner(choices, seed), known, answers=answers)


def _past(crew: Team, days: Days, rounds: Rounds | None) -> Iterator[str]:
    """Four weeks and the days since, with what readers did and what was learned on the way."""
    readers = Readers(truth.load(), crew.seed)
    lessons = {days.first_monday + timedelta(days=after) for after in LEARNED_AFTER}
    known = crew.moment(days.first_monday - timedelta(days=3), time())
    day = days.first_monday - timedelta(days=3)
    while day < days.today:
        if day.weekday() == 4 and day < days.this_monday:
            is_late = day >= days.this_monday - CONNECTED_BEFORE
            yield _planned(crew, day, rounds if is_late else None)
        if day == days.first_monday + MENDS_AFTER:
            with holding(crew.moment(day, time(10))), transaction():
                shelves.mend(crew.planners[0])
        week.live_through(crew, day, until=days.moment)
        day += timedelta(days=1)
        if day in lessons and not learning.has_both():
            lesson = crew.moment(day, LEARNS_AT)
            written = responses.feed(crew, readers, since=known, until=lesson)
            yield f"readers: {written} events until {day}"
            yield learning.decide(crew, lesson)
            known = lesson
    unread = today.leaves_unread(crew, days.moment)
    week.live_through(crew, days.today, until=days.moment, leaves_unread=unread)
    today.trouble(crew, days.moment)
    written = responses.feed(crew, readers, since=known, until=days.moment)
    yield f"readers: {written} events since"
    decided = responses.moderate(crew, until=days.moment)
    yield f"readers: {decided} comments read by the team"
    yield learning.latest(crew, days.moment)


def _planned(crew: Team, friday: date, rounds: Rounds | None) -> str:
    """A Friday afternoon: next week's board is filled and handed in."""
    monday = friday + timedelta(days=3)

    def keeps(slot: week.Slot) -> bool:
        return crew.chance(f"keeps:{slot.place.name}").random() >= week.SHARE_SKIPPED

    start = crew.moment(friday, week.PLANS_AT)
    made = week.plan(crew, monday, keeps=keeps, start=start)
    made += rounds.plan(monday, start=start + timedelta(hours=2)) if rounds else []
    week.hand_in(crew, made, start=start + timedelta(hours=2, minutes=30))
    return f"week of {monday}: {len(made)} posts"


def _present(crew: Team, days: Days, rounds: Rounds | None) -> Iterator[str]:
    unread = today.leaves_unread(crew, days.moment)
    if days.moment < crew.moment(days.today, week.READS_AT):
        early = days.moment - timedelta(minutes=15)
        week.read(crew, days.today, start=early, leaves_unread=unread)
    waiting = today.left_to_read(crew, days.today, days.moment)
    yield f"today: {waiting} posts wait to be read"
    monday = days.this_monday + timedelta(weeks=1)
    made = today.half_a_week(crew, monday, days.moment)
    if rounds:
        made += len(rounds.plan(monday, start=days.moment - timedelta(hours=1), until=4))
    yield f"next week: {made} posts planned so far"


@contextmanager
def _quietly() -> Iterator[None]:
    """A thousand posts and their receipts would bury the lines that tell how far we are."""
    loggers = [logging.getLogger(name) for name in NOISY]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
