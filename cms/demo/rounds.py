"""What the demo team sends through the demo carriers: a few posts a week, and some within minutes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from audience import pools
from audience.models import Pool
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from cms.demo import ways
from cms.demo.choosing import Choice, Planner
from cms.demo.week import Team, step_at
from content_library import assets
from schedules import accounts, approvals, posts
from schedules.models import ChannelAccount, Post

TRIES = 6
MOMENT = timedelta(seconds=20)  # the processes need it to start
LATEST = 75  # minutes: no pool is taken for longer than its neighbours on both sides
WRITTEN, READ = timedelta(minutes=70), timedelta(minutes=25)  # before it goes out
LANGUAGES = {"slack": "en"}
KINDS = dict.fromkeys(("wecom_moments", "telegram"), ("poster", "article"))


@dataclass(frozen=True)
class Regular:
    """A post every week; Monday is 0."""

    account: str
    pool: str
    theme: str
    weekday: int
    at: time


@dataclass(frozen=True)
class Soon:
    """A post that goes out so many minutes after the demo was loaded, to whichever pool is free."""

    account: str
    theme: str
    minutes: int


_TEN, _TWO, _FOUR, _FIVE = time(10), time(14, 30), time(16), time(16, 45)
REGULARS = (
    Regular("wecom-moments", "moments-silent", "dry-goods", 0, _TEN),
    Regular("wecom-moments", "moments-churned", "trust", 2, _TWO),
    Regular("wecom-moments", "moments-active", "desire", 4, _TWO),
    Regular("wecom-moments", "moments-silent", "dry-goods", 5, _FOUR),
    Regular("wecom-mass", "moments-churned", "activity", 1, _TEN),
    Regular("wecom-mass", "moments-active", "promotion", 4, _FIVE),
    Regular("wecom-robot", "group-active", "activity", 0, _FIVE),
    Regular("wecom-robot", "group-active", "dry-goods", 3, _FIVE),
    Regular("wecom-robot", "group-new", "trust", 6, _FOUR),
    Regular("oa-publish", "group-silent", "dry-goods", 1, _TWO),
    Regular("oa-publish", "group-silent", "prospects", 3, _TWO),
    Regular("oa-publish", "group-silent", "trust", 6, _TEN),
    Regular("oa-mass", "group-silent", "trust", 5, _TEN),
    Regular("feishu", "group-paying", "dry-goods", 2, _FOUR),
    Regular("feishu", "group-paying", "activity", 6, _FIVE),
    Regular("dingtalk", "group-paying", "prospects", 3, _TEN),
    Regular("slack", "group-paying", "trust", 4, _FIVE),
    Regular("telegram", "moments-churned", "dry-goods", 5, _TWO),
    Regular(ways.LETTERS, "group-silent", "dry-goods", 6, _TWO),
    Regular("website", "group-new", "dry-goods", 2, _FIVE),
)
SOON = (
    Soon("wecom-moments", "dry-goods", 0),
    Soon("oa-publish", "dry-goods", 0),
    Soon("wecom-robot", "activity", 0),
    Soon("feishu", "dry-goods", 1),
    Soon("wecom-mass", "activity", 1),
    Soon("dingtalk", "prospects", 1),
    Soon(ways.LETTERS, "trust", 2),
)


class Rounds:
    """Plans them; its planner's choices disturb nobody else's."""

    def __init__(self, crew: Team, moment: datetime) -> None:
        self.crew = crew
        self.moment = moment  # when the demo was loaded: later ones really go out
        self._planners: dict[tuple[str, tuple[str, ...]], Planner] = {}

    def plan(self, monday: date, *, start: datetime, until: int = 7) -> list[int]:
        """The week's posts up to that weekday as drafts; their numbers.

        Those that are over by now are left out where the carrier's past is not told.
        """
        made = []
        with transaction():
            for number, one in enumerate(self._of_week(monday)):
                if one.weekday >= until:
                    continue
                account, pool = self._account(one.account), pools.by_slug(one.pool)
                if pool is None:
                    raise LookupError(f"the demo world has no pool {one.pool}")
                due = self.crew.moment(monday + timedelta(days=one.weekday), one.at)
                with step_at(start + timedelta(seconds=20 * number)):
                    post = self._placed(account, pool, one.theme, due)
                made += [post.id] if post else []
        return made

    def soon(self, moment: datetime) -> int:
        """Posts that leave while whoever opened the demo looks on; how many."""
        first = (moment + MOMENT).replace(second=0, microsecond=0) + timedelta(minutes=1)
        made = 0
        with transaction():
            for one in SOON:
                made += self._live(one, first + timedelta(minutes=one.minutes))
        return made

    def _of_week(self, monday: date) -> Iterator[Regular]:
        answers = self.crew.answers
        for one in REGULARS:
            due = self.crew.moment(monday + timedelta(days=one.weekday), one.at)
            channel = ways.BY_SLUG[one.account].channel
            if due > self.moment or (answers and answers.knows(channel)):
                yield one

    def _live(self, one: Soon, wanted: datetime) -> bool:
        account = self._account(one.account)
        reached = [pools.by_slug(slug) for slug in ways.BY_SLUG[one.account].pools]
        post = self._first_free(account, [pool for pool in reached if pool], one, wanted)
        if post is None:
            return False
        crew = self.crew
        with step_at(wanted - READ - timedelta(minutes=10)):
            posts.submit(post, by=crew.planners[0])
        with step_at(wanted - READ):
            approvals.approve(post, revision=post.revision, by=crew.operators[0])
        return True

    def _first_free(
        self, account: ChannelAccount, reached: list[Pool], one: Soon, wanted: datetime
    ) -> Post | None:
        """In the wanted minute to any pool; else some minutes later."""
        for later in range(0, LATEST, 3):
            for pool in reached:
                with step_at(wanted - WRITTEN):
                    due = wanted + timedelta(minutes=later)
                    post = self._placed(account, pool, one.theme, due)
                if post is not None:
                    return post
        return None

    def _placed(
        self, account: ChannelAccount, pool: Pool, theme: str, due: datetime
    ) -> Post | None:
        """A draft; None when the place is taken. What the carrier would not take is exchanged."""
        local = due.astimezone(self.crew.moment(date(2026, 1, 1), time()).tzinfo)
        for _try in range(TRIES):
            planner = self._planner(account)
            choice = planner.choose(
                pool=pool.slug, stage=pool.stage.slug, theme=theme, on=local.date()
            )
            for text in self._wordings(planner, choice):
                try:
                    with session.begin_nested():
                        return self._create(account, pool, choice, local=local, text=text)
                except Invalid as error:
                    if error.problem.code == "slot_taken":
                        return None
        return None

    def _wordings(self, planner: Planner, choice: Choice) -> Iterable[str]:
        """What to write above it, then something short."""
        return (planner.words(choice) or choice.title, choice.title)

    def _create(
        self, account: ChannelAccount, pool: Pool, choice: Choice, *, local: datetime, text: str
    ) -> Post:
        return posts.create(
            calendar=self.crew.calendar,
            pool=pool,
            account=account,
            asset=assets.get(choice.id),
            wall_date=local.date(),
            wall_time=local.time(),
            text=text,
            by=self.crew.planners[local.toordinal() % 2],
        )

    def _planner(self, account: ChannelAccount) -> Planner:
        lang = LANGUAGES.get(account.channel, "zh")
        kinds = KINDS.get(account.channel, ("article",))
        if (lang, kinds) not in self._planners:
            fitting = [
                choice
                for choice in self.crew.choices.values()
                if choice.lang == lang and choice.kind in kinds
            ]
            self._planners[lang, kinds] = Planner(fitting, self.crew.seed + 1)
        return self._planners[lang, kinds]

    def _account(self, slug: str) -> ChannelAccount:
        found = accounts.by_slug(slug)
        if found is None:
            raise LookupError(f"the demo world has no account {slug}")
        return found
