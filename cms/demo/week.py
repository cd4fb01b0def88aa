"""How the demo team works through its days: plans a week, hands it in, reads it each morning, sends it."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from audience import pools
from cms.accounts.models import User
from cms.core.clock import holding
from cms.core.db import session, transaction
from cms.demo import team
from cms.demo.choosing import Choice, Planner
from cms.demo.told import Answers
from content_library import assets
from schedules import accounts, approvals, handover, posts, publishing, slots
from schedules.models import Calendar, HandOver, Post, Publication
from schedules.slots import Slot
from schedules.states import HandOverState, PublicationState, ReviewState
from schedules.wall_time import zone_of

PLANS_AT = time(14, 0)  # on the Friday before
READS_AT = time(7, 5)
REJECTS_AT = time(16, 10)  # on the day before
WORKER = "demo:1"
NOTES = (
    "已发，朋友圈第一条。",
    "发了，图按顺序排好。",
    "Posted, pictures in order.",
    "发完截图在相册里。",
    "晚了几分钟，在地铁上。",
    "已发，有两位马上点了赞。",
)
REJECTIONS = (
    "第二句太像广告，换个说法。",
    "这周已经讲过这个数字，换一个开头。",
    "先说对读的人有什么用，再说我们。",
    "The first line repeats yesterday's. Please begin differently.",
)
MENDED = "改好了：先说重点。\n"
SHARE_SKIPPED, SHARE_REJECTED, SHARE_DROPPED = 0.03, 0.03, 0.01

Step = tuple[datetime, int, Callable[[], object]]  # when, the post it is about, what


@dataclass
class Team:
    """The calendar and the people who work with it."""

    calendar: Calendar
    seed: int
    planner: Planner
    choices: dict[int, Choice]
    planners: list[User] = field(default_factory=lambda: members("planner", "mengke"))
    operators: list[User] = field(default_factory=lambda: members("operator", "fang"))
    answers: Answers | None = None  # None: no demo carriers run here

    def chance(self, purpose: object) -> random.Random:
        """A source of chance for that purpose alone, so that no step disturbs another."""
        return random.Random(f"{self.seed}:{purpose}")

    def moment(self, on: date, clock: time) -> datetime:
        """When the calendar's clock shows that time."""
        return datetime.combine(on, clock, tzinfo=zone_of(self.calendar.timezone))


def members(*logins: str) -> list[User]:
    """The people of those logins."""
    return [team.member(login) for login in logins]


@contextmanager
def step_at(moment: datetime) -> Iterator[None]:
    """One step inside a day's transaction; flushed, since the next one locks and reads its rows anew."""
    with holding(moment):
        yield
        session.flush()


def plan(crew: Team, monday: date, *, keeps: Callable[[Slot], bool], start: datetime) -> list[int]:
    """Fill the week's slots that `keeps` wants filled, one every half minute; the posts' numbers."""
    made = []
    with transaction():
        for number, slot in enumerate(slots.of_week(crew.calendar, monday)):
            if keeps(slot):
                author = crew.planners[slot.place.on.toordinal() % 2]
                with step_at(start + timedelta(seconds=30 * number)):
                    made.append(_fill(crew, slot, author).id)
    return made


def hand_in(crew: Team, post_ids: list[int], *, start: datetime) -> None:
    """Submit the posts, each by whoever wrote it."""
    with transaction():
        for number, post in enumerate(_posts(post_ids)):
            with step_at(start + timedelta(seconds=5 * number)):
                posts.submit(post, by=post.created_by or crew.planners[0])


def live_through(
    crew: Team,
    day: date,
    *,
    until: datetime,
    leaves_unread: Callable[[Post], bool] = lambda post: False,
) -> None:
    """One day as it was: the morning's reading, every post, every pack, second thoughts about tomorrow."""
    with transaction():
        steps = [step for step in _steps(crew, day, leaves_unread) if step[0] <= until]
        for moment, _post_id, act in sorted(steps, key=lambda step: step[:2]):
            with step_at(moment):
                act()


def read(crew: Team, day: date, *, start: datetime, leaves_unread: Callable[[Post], bool]) -> None:
    """Approve what was handed in for the day, except what is left for whoever opens the demo."""
    with transaction():
        for moment, _post_id, act in _reading(crew, day, start, leaves_unread):
            with step_at(moment):
                act()


def send(crew: Team, publication_id: int) -> None:
    """What a worker did at a post's minute; demo carriers are not called for what has been."""
    channel = session.get_one(Publication, publication_id).account.channel
    speak = crew.answers.speak if crew.answers and crew.answers.knows(channel) else None
    publishing.publish(publication_id, worker=WORKER, speak=speak)


def confirm(crew: Team, publication_id: int) -> None:
    """The holder of the persona says that the pack is live."""
    pack = session.scalar(
        select(HandOver).where(
            HandOver.publication_id == publication_id, HandOver.state == HandOverState.WAITING
        )
    )
    if pack is not None and pack.assignee is not None:
        note = crew.chance(f"note:{publication_id}").choice(NOTES)
        handover.confirm(pack, by=pack.assignee, note=note)


def of_day(day: date, *reviews: ReviewState) -> list[Post]:
    """The day's posts in those states of review, in order of time."""
    found = (
        select(Post)
        .join(Post.publication)
        .where(Post.wall_date == day, Post.review.in_(reviews))
        .where(Publication.state.in_([PublicationState.PLANNED, PublicationState.SCHEDULED]))
        .options(joinedload(Post.publication), joinedload(Post.account))
        .order_by(Post.publish_at, Post.id)
    )
    return list(session.scalars(found))


def _fill(crew: Team, slot: Slot, author: User) -> Post:
    place, theme = slot.place, slot.wanted_theme.slug if slot.wanted_theme else ""
    pool, account = pools.get(place.pool_id), accounts.get(place.account_id)
    choice = crew.planner.choose(pool=pool.slug, stage=pool.stage.slug, theme=theme, on=place.on)
    return posts.create(
        calendar=crew.calendar,
        pool=pool,
        account=account,
        asset=assets.get(choice.id),
        wall_date=place.on,
        wall_time=place.at,
        text=crew.planner.words(choice),
        by=author,
    )


def _steps(crew: Team, day: date, leaves_unread: Callable[[Post], bool]) -> list[Step]:
    steps = _second_thoughts(crew, day + timedelta(days=1))
    reading = _reading(crew, day, crew.moment(day, READS_AT), leaves_unread)
    for _moment, post_id, _act in reading:
        steps += _sending(crew, post_id)
    for post in of_day(day, ReviewState.APPROVED):
        steps += _sending(crew, post.id)
    return steps + reading


def _second_thoughts(crew: Team, day: date) -> list[Step]:
    """An operator sends some of tomorrow's posts back; the author mends them within the hour."""
    start = crew.moment(day - timedelta(days=1), REJECTS_AT)
    steps: list[Step] = []
    for number, post in enumerate(of_day(day, ReviewState.SUBMITTED)):
        chance = crew.chance(f"thoughts:{day}:{number}")
        fate, minute = chance.random(), start + timedelta(minutes=number)
        if fate < SHARE_REJECTED:
            steps.append((minute, post.id, _Reject(crew, post.id, chance.choice(REJECTIONS))))
            steps.append((minute + timedelta(minutes=41), post.id, _Mend(post.id)))
        elif fate < SHARE_REJECTED + SHARE_DROPPED:
            steps.append((minute, post.id, _Drop(crew, post.id)))
    return steps


def _reading(
    crew: Team, day: date, start: datetime, leaves_unread: Callable[[Post], bool]
) -> list[Step]:
    operator = crew.operators[day.toordinal() % 2]
    waiting = [post for post in of_day(day, ReviewState.SUBMITTED) if not leaves_unread(post)]
    return [
        (start + timedelta(seconds=35 * number), post.id, _Approve(post.id, operator))
        for number, post in enumerate(waiting)
    ]


def _sending(crew: Team, post_id: int) -> list[Step]:
    publication = posts.get(post_id).publication
    chance = crew.chance(f"sending:{publication.due_at.isoformat()}:{publication.pool_id}")
    leaves = publication.due_at + timedelta(seconds=chance.uniform(0.4, 2.5))
    steps: list[Step] = [(leaves, post_id, lambda: send(crew, publication.id))]
    channel, answers = publication.account.channel, crew.answers
    if channel == "manual":
        confirmed = leaves + timedelta(minutes=chance.triangular(2, 50, 7))
        steps.append((confirmed, post_id, lambda: confirm(crew, publication.id)))
    elif answers and (wait := answers.waits(channel)):
        steps.append((leaves + wait, post_id, lambda: answers.end(publication.id)))
    return steps


@dataclass(frozen=True)
class _Approve:
    post_id: int
    operator: User

    def __call__(self) -> None:
        post = posts.get(self.post_id)
        if post.review is ReviewState.SUBMITTED:
            approvals.approve(post, revision=post.revision, by=self.operator)


@dataclass(frozen=True)
class _Reject:
    crew: Team
    post_id: int
    reason: str

    def __call__(self) -> None:
        post = posts.get(self.post_id)
        operator = self.crew.operators[self.post_id % 2]
        approvals.reject(post, revision=post.revision, reason=self.reason, by=operator)


@dataclass(frozen=True)
class _Mend:
    post_id: int

    def __call__(self) -> None:
        post = posts.get(self.post_id)
        author = post.created_by
        if post.review is ReviewState.REJECTED and author is not None:
            words = MENDED + post.text
            posts.edit(post, text=words, expected_revision=post.revision, by=author)
            posts.submit(post, by=author)


@dataclass(frozen=True)
class _Drop:
    crew: Team
    post_id: int

    def __call__(self) -> None:
        posts.withdraw(posts.get(self.post_id), by=self.crew.planners[0], reason="这天已经够多了")


def _posts(post_ids: list[int]) -> list[Post]:
    found = select(Post).where(Post.id.in_(post_ids)).options(joinedload(Post.created_by))
    return list(session.scalars(found.order_by(Post.id)))
