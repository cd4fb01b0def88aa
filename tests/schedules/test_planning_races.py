"""Several planners at one moment, each on a connection of their own: one place, one post."""

import threading
from collections.abc import Callable, Iterator
from datetime import time, timedelta

import pytest
from flask import Flask

from audience import pools
from cms.core import config
from cms.core.config import settings_from
from cms.core.db import db, session, transaction
from cms.core.errors import Conflict, Invalid
from cms.factory import create_app
from content_library import assets
from schedules import accounts, calendars, posts
from schedules.models import Post
from tests import factories as make
from tests import postgres
from tests.schedules.planning import World

PLANNERS = 6


@pytest.fixture
def apart(database_url: str, tmp_path) -> Iterator[Flask]:
    """An application on a database of its own, where every commit is a real one."""
    url = f"sqlite:///{tmp_path / 'races.db'}"
    if not database_url.startswith("sqlite"):
        url = postgres.create_database(database_url.rsplit("/", 1)[0], "seedbed_races")
    before = config._current
    made = create_app(
        settings_from(
            {
                "SEEDBED_HOME": str(tmp_path),
                "SEEDBED_ENV": "test",
                "DATABASE_URL": url,
                "SEEDBED_BASE_URL": "http://localhost",
                "REDIS_URL": "unix:///nonexistent/seedbed.sock",
            }
        )
    )
    with made.app_context():
        db.drop_all()
        db.create_all()
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
    if before is not None:
        config.use(before)


def all_at_once(app: Flask, act: Callable[[int], object]) -> list[str]:
    """Run it by several planners together; what each was told."""
    gate, told = threading.Barrier(PLANNERS), [""] * PLANNERS

    def one(number: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                with transaction():
                    act(number)
                told[number] = "done"
            except (Invalid, Conflict) as error:
                told[number] = error.problem.code
            finally:
                db.session.remove()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(PLANNERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


def test_one_place_takes_one_post(apart):
    with apart.app_context():
        world = World()
        ids = (world.calendar.id, world.pool.id, world.account.id, make.asset().id)
        day = world.day

    def plan(number: int) -> None:
        calendar, pool, account, asset = ids
        posts.create(
            calendar=calendars.get(calendar),
            pool=pools.get(pool),
            account=accounts.get(account),
            asset=assets.get(asset),
            wall_date=day,
            wall_time=time(20, number),  # minutes apart, all within the gap
            by=None,
        )

    assert all_at_once(apart, plan) == ["done", *["slot_taken"] * (PLANNERS - 1)]
    with apart.app_context():
        assert session.query(Post).count() == 1


def test_of_several_writers_one_is_heard(apart):
    with apart.app_context():
        world = World()
        post_id = world.plan().id

    def write(number: int) -> None:
        posts.edit(posts.get(post_id), text=f"Words {number}", expected_revision=1, by=None)

    assert all_at_once(apart, write) == [*["changed_meanwhile"] * (PLANNERS - 1), "done"]
    with apart.app_context():
        assert posts.get(post_id).revision == 2


def test_posts_moved_to_one_place_do_not_pile_up(apart):
    with apart.app_context():
        world = World()
        day = world.day
        ids = [world.plan(on=day - timedelta(days=2), at=time(6 + n)).id for n in range(PLANNERS)]

    def move(number: int) -> None:
        posts.move(posts.get(ids[number]), wall_date=day, wall_time=time(20, 30), by=None)

    assert all_at_once(apart, move) == ["done", *["slot_taken"] * (PLANNERS - 1)]
