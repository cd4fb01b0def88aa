"""Small worlds to measure in: an application on an empty database, and posts in numbers."""

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import flask_migrate
import structlog
from flask import Flask

from cms.accounts.models import Role, User
from cms.core.config import settings_from
from cms.core.db import db, transaction
from cms.factory import create_app
from schedules import approvals
from schedules.models import Calendar, ChannelAccount, Post
from schedules.states import PublicationState, ReviewState
from tests import factories as make

ZONE = ZoneInfo("Asia/Shanghai")
NO_BROKER = "unix:///nonexistent/seedbed.sock"


@contextmanager
def application(home: Path, **environ: str) -> Iterator[Flask]:
    """The application with its context open and its tables made; no broker unless one is named."""
    given = {"SEEDBED_HOME": str(home), "SEEDBED_ENV": "test", "REDIS_URL": NO_BROKER} | environ
    app = create_app(settings_from(given))
    with app.app_context():
        _bring_schema_up_to_date()
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def _bring_schema_up_to_date() -> None:
    """By migrations, as `flask up` does, so that it finds its own work done."""
    flask_migrate.upgrade()
    # Nobody listens on the broker here; saying so at every commit would hide the figures.
    logging.getLogger().setLevel(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@dataclass(frozen=True)
class Way:
    """A calendar, an account and whom they reach."""

    calendar: Calendar
    account: ChannelAccount
    author: User
    approver: User


def way(**account: object) -> Way:
    """Everything a post needs to go out."""
    pool = make.pool(kind="group")
    return Way(
        make.calendar(),
        make.account(pool, **account),
        make.user(Role.PLANNER),
        make.user(Role.OPERATOR),
    )


def approved_posts(one: Way, count: int, *, due: datetime) -> list[Post]:
    """Posts that somebody submitted and somebody else approved, all due at that moment."""
    asset = make.asset()
    [pool] = one.account.pools
    made = []
    with transaction():
        for _ in range(count):
            post = make.post(
                asset=asset,
                pool=pool,
                account=one.account,
                calendar=one.calendar,
                publish_at=due,
                review=ReviewState.SUBMITTED,
                created_by_id=one.author.id,
                submitted_by_id=one.author.id,
            )
            approvals.approve(post, revision=post.revision, by=one.approver)
            made.append(post)
    return made


def filled_week(calendar: Calendar, monday: datetime, count: int, *, seed: int) -> None:
    """A week of posts over six stages, of 200 assets with tags, in every state a plan can have."""
    dice = random.Random(seed)
    states = (ReviewState.DRAFT, ReviewState.SUBMITTED, ReviewState.APPROVED)
    pools = [make.pool() for _ in range(6)]
    accounts = [make.account(pool) for pool in pools]
    tags = [make.tag(hue=hue) for hue in range(1, 7)]
    with transaction():
        assets = [make.asset(*dice.sample(tags, 2)) for _ in range(200)]
        for _ in range(count):
            place = dice.randrange(len(pools))
            review = dice.choice(states)
            is_approved = review is ReviewState.APPROVED
            make.post(
                asset=dice.choice(assets),
                pool=pools[place],
                account=accounts[place],
                calendar=calendar,
                publish_at=monday + timedelta(minutes=30 * dice.randrange(7 * 48)),
                review=review,
                state=PublicationState.SCHEDULED if is_approved else PublicationState.PLANNED,
            )


def next_monday() -> datetime:
    """Monday 00:00 of next week on the clocks of the calendars made here."""
    today = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())
