"""Several planners at one moment, each on a connection of their own: one place, one post."""

import itertools
from collections.abc import Callable
from datetime import time, timedelta

from flask import Flask

from audience import pools
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid
from content_library import assets
from schedules import accounts, calendars, posts
from schedules.models import Post
from tests import factories as make
from tests.schedules.planning import World
from tests.schedules.side_by_side import WORKERS, in_threads


def all_at_once(app: Flask, act: Callable[[int], object]) -> list[str]:
    """Run it by several planners together, each with a number; what they were told."""
    numbers = itertools.count()

    def one() -> str:
        try:
            with transaction():
                act(next(numbers))
        except (Invalid, Conflict) as error:
            return error.problem.code
        return "done"

    return sorted(in_threads(app, one))


def test_one_place_takes_one_post(own_database: Flask):
    with own_database.app_context():
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

    assert all_at_once(own_database, plan) == ["done", *["slot_taken"] * (WORKERS - 1)]
    with own_database.app_context():
        assert session.query(Post).count() == 1


def test_of_several_writers_one_is_heard(own_database: Flask):
    with own_database.app_context():
        world = World()
        post_id = world.plan().id

    def write(number: int) -> None:
        posts.edit(posts.get(post_id), text=f"Words {number}", expected_revision=1, by=None)

    assert all_at_once(own_database, write) == [*["changed_meanwhile"] * (WORKERS - 1), "done"]
    with own_database.app_context():
        assert posts.get(post_id).revision == 2


def test_posts_moved_to_one_place_do_not_pile_up(own_database: Flask):
    with own_database.app_context():
        world = World()
        day = world.day
        ids = [world.plan(on=day - timedelta(days=2), at=time(6 + n)).id for n in range(WORKERS)]

    def move(number: int) -> None:
        posts.move(posts.get(ids[number]), wall_date=day, wall_time=time(20, 30), by=None)

    assert all_at_once(own_database, move) == ["done", *["slot_taken"] * (WORKERS - 1)]
