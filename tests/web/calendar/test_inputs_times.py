"""Times nobody can keep and steps nobody may skip, met over HTTP."""

from datetime import timedelta

import pytest

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules.models import Post
from schedules.states import PublicationState, ReviewState
from tests import factories as make
from tests.schedules.planning import World
from tests.signing_in import sign_in


def plan(client, world, day, at, **more):
    data = {"asset": make.asset().id, "slot": "", "pool": world.pool.id, "text": "Kept words"}
    return client.post("/calendar/posts", data=data | {"wall_date": day, "wall_time": at} | more)


def last_sunday(year, month):
    day = now().date().replace(year=year, month=month, day=31)
    return day - timedelta(days=(day.weekday() + 1) % 7)


def test_a_skipped_time_names_both_neighbours(client, world):
    with transaction():
        world.calendar.timezone = "Europe/Berlin"
    spring = last_sunday(world.today.year + 1, 3)
    answer = plan(client, world, spring.isoformat(), "02:30")
    assert answer.status_code == 422
    assert "01:59" in answer.text
    assert "03:00" in answer.text
    assert "Kept words" in answer.text
    assert session.query(Post).count() == 0


@pytest.mark.parametrize(
    "day", ["0000-01-01", "0001-01-01", "9999-12-31", "2027-02-30", "20270101", "tomorrow", ""]
)
def test_days_nobody_plans_are_refused_with_the_words_kept(client, world, day):
    answer = plan(client, world, day, "09:00")
    assert answer.status_code == 422
    assert "Kept words" in answer.text
    assert session.query(Post).count() == 0


@pytest.mark.parametrize("minutes", [0, 1, 14])
def test_a_second_post_within_the_gap_is_refused(client, world, minutes):
    world.plan()  # at 20:30, for the same pool
    answer = plan(client, world, world.day.isoformat(), f"20:{30 + minutes}")
    assert answer.status_code == 422
    assert session.query(Post).count() == 1


@pytest.mark.parametrize("review", [ReviewState.DRAFT, ReviewState.REJECTED])
def test_no_step_is_skipped_by_a_direct_call(client, world, review):
    sign_in(client, make.user(Role.OPERATOR))
    post = world.plan()
    with transaction():
        post.review = review
    approved = client.post(f"/today/posts/{post.id}/approve", data={"revision": post.revision})
    sent = client.post(f"/today/publications/{post.publication.id}/publish-now")
    assert (approved.status_code, sent.status_code) == (409, 409)
    assert post.review is review
    assert post.publication.state is PublicationState.PLANNED


def test_one_cannot_approve_what_one_wrote_oneself(client):
    world = World()
    boss = make.user(Role.ADMINISTRATOR)
    sign_in(client, boss)
    post = world.plan(by=boss)
    client.post(f"/calendar/posts/{post.id}/submit")
    answer = client.post(
        f"/today/posts/{post.id}/approve",
        data={"revision": post.revision},
        headers={"Accept": "application/json"},
    )
    assert (answer.status_code, answer.json["error"]) == (403, "own_post")
    assert post.publication.state is PublicationState.PLANNED


def test_an_unseen_move_is_not_overwritten(client, world):
    """Two people move one post: the second hears of the first, and nothing moves."""
    post = world.plan()
    data = {
        "slot": "", "pool": world.pool.id, "wall_date": world.day.isoformat(),
        "wall_time": "09:15", "revision": post.revision,
    }  # fmt: skip
    path = f"/calendar/posts/{post.id}/move"
    assert client.post(path, data=data).status_code == 302
    late = client.post(path, data=data | {"wall_time": "11:45"})
    assert late.status_code == 409
    assert f"{post.wall_time:%H:%M}" == "09:15"
