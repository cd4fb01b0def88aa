"""Copying a week: what comes along, what stays behind and why."""

from datetime import date, time, timedelta

import pytest

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from content_library.models import AssetStatus, AssetVersion
from schedules import copying, posts
from schedules.states import PublicationState, ReviewState
from tests import factories as make
from tests.schedules.planning import World

WEEK = timedelta(days=7)


@pytest.fixture
def world(app) -> World:
    return World()


def copy(world):
    with transaction():
        return copying.copy_week(
            world.calendar, world.monday, world.monday + WEEK, by=world.planner
        )


def of_week(world, monday):
    return session.scalars(posts.of_week(world.calendar, monday)).all()


def test_posts_become_drafts_at_the_same_wall_time(world):
    source = world.approved(at=time(20, 30), text="Own words")
    with transaction():
        source.publication.state = PublicationState.PUBLISHED
    report = copy(world)
    (made,) = of_week(world, world.monday + WEEK)
    assert [one.made for one in report.copied] == [made]
    assert (made.wall_date, made.wall_time) == (source.wall_date + WEEK, time(20, 30))
    assert (made.text, made.review, made.revision) == ("Own words", ReviewState.DRAFT, 1)
    assert made.publication.state is PublicationState.PLANNED
    assert made.publication.id != source.publication.id


def test_the_newest_version_comes_along_with_its_words(world):
    taken, own = world.plan(at=time(8)), world.plan(at=time(9), text="Own words")
    with transaction():
        for post in (taken, own):
            newer = {"number": 2, "title": "Newer", "created_at": now(), "lang": "en"}
            session.add(AssetVersion(asset_id=post.asset_id, **newer))
            post.asset.latest_number = 2
    report = copy(world)
    made = of_week(world, world.monday + WEEK)
    assert [post.version.number for post in made] == [2, 2]
    assert [post.text for post in made] == ["Newer", "Own words"]
    assert [one.is_newer for one in report.copied] == [True, True]


def test_taken_places_and_assets_out_of_use_are_told(world):
    world.plan(at=time(8))
    retired = world.plan(at=time(12))
    fine = world.plan(at=time(20))
    blocker = world.plan(on=world.day + WEEK, at=time(8, 10))
    with transaction():
        retired.asset.status = AssetStatus.RETIRED
    report = copy(world)
    assert [one.problem.code for one in report.skipped] == ["slot_taken", "asset_retired"]
    assert [one.source for one in report.copied] == [fine]
    assert len(of_week(world, world.monday + WEEK)) == 2
    assert blocker.wall_time == time(8, 10)


def test_copying_twice_adds_nothing(world):
    world.plan(at=time(8))
    copy(world)
    assert [one.problem.code for one in copy(world).skipped] == ["slot_taken"]
    assert len(of_week(world, world.monday + WEEK)) == 1


def test_the_preview_says_the_same_and_writes_nothing(world):
    world.plan(at=time(8))
    world.plan(at=time(12), asset=make.asset(valid_until=world.day))
    report = copying.preview(world.calendar, world.monday, world.monday + WEEK)
    assert of_week(world, world.monday + WEEK) == []
    done = copy(world)
    assert [one.source for one in report.copied] == [one.source for one in done.copied]
    assert [one.problem.code for one in report.skipped] == ["asset_expired"]


def test_times_that_clocks_skip_or_repeat_are_told(app):
    world = World(timezone="Europe/Berlin")
    year = world.today.year + 1
    for month, code in ((3, "time_does_not_exist"), (10, "time_ambiguous")):
        change = max(day for n in range(25, 32) if (day := date(year, month, n)).weekday() == 6)
        world.plan(on=change - WEEK, at=time(2, 30))
        monday = change - WEEK - timedelta(days=6)
        with transaction():
            report = copying.copy_week(world.calendar, monday, monday + WEEK, by=None)
        assert [one.problem.code for one in report.skipped] == [code]


def test_a_week_is_not_copied_onto_itself(world):
    for target in (world.monday, world.monday + timedelta(days=1)):
        with pytest.raises(Invalid) as refused, transaction():
            copying.copy_week(world.calendar, world.monday, target, by=None)
        assert refused.value.problem.code == "bad_week"
