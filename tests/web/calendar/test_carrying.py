"""What the board's script asks: plan and move by slot, foresee, and get the changed cells."""

from datetime import time, timedelta

import pytest

from cms.core.db import session, transaction
from content_library.models import AssetStatus
from schedules import landing, slots
from schedules.board import cell_id
from schedules.models import Post
from schedules.states import PublicationState
from tests import factories as make

FETCH = {"X-Requested-With": "fetch", "Accept": "application/json"}


def place(world, at, day=None):
    return slots.Place(day or world.day, at, world.pool.id, world.account.id).name


def carry(client, world, post, slot):
    return client.post(
        f"/calendar/posts/{post.id}/carry?week={world.monday.isoformat()}",
        data={"slot": slot},
        headers=FETCH,
    )


def test_an_asset_put_into_a_slot_becomes_a_post(client, world):
    asset = make.asset(title="Dropped here")
    answer = client.post(
        f"/calendar/weeks/{world.monday.isoformat()}/posts",
        data={"asset": asset.id, "slot": place(world, time(20, 30))},
        headers=FETCH,
    )
    assert answer.status_code == 200
    post = session.query(Post).one()
    assert list(answer.json["cells"]) == [cell_id(world.pool.stage_id, world.day)]
    html = next(iter(answer.json["cells"].values()))
    assert f'data-post="{post.id}"' in html
    assert "Dropped here" in html
    assert "20:30" in answer.json["message"]


def test_moving_sends_the_cell_it_left_and_the_cell_it_reached(client, world):
    post = world.plan(at=time(8))
    tomorrow = world.day + timedelta(days=1)
    answer = carry(client, world, post, place(world, time(9), tomorrow))
    assert (post.wall_date, post.wall_time) == (tomorrow, time(9))
    left, reached = (cell_id(world.pool.stage_id, day) for day in (world.day, tomorrow))
    assert set(answer.json["cells"]) == {left, reached}
    assert f'data-post="{post.id}"' not in answer.json["cells"][left]
    assert f'data-post="{post.id}"' in answer.json["cells"][reached]


def test_a_whole_day_takes_the_post_at_its_own_time(client, world):
    post = world.plan(at=time(21, 15))
    tomorrow = world.day + timedelta(days=1)
    carry(client, world, post, landing.cell_name(world.pool.stage_id, tomorrow))
    assert (post.wall_date, post.wall_time) == (tomorrow, time(21, 15))


def test_a_warning_that_moves_along_refreshes_its_cell_too(client, world):
    asset = make.asset()
    first = world.plan(asset=asset, on=world.monday)
    second = world.plan(asset=asset, on=world.monday + timedelta(days=3))
    answer = carry(client, world, first, place(world, time(9), world.monday + timedelta(days=5)))
    third = cell_id(world.pool.stage_id, second.wall_date)
    assert third in answer.json["cells"]  # it is no longer the repeat
    assert "triangle-alert" not in answer.json["cells"][third]


def test_refusals_have_the_one_shape(client, world):
    world.plan(at=time(9))
    post = world.plan(at=time(12))
    answer = carry(client, world, post, place(world, time(9)))
    assert answer.status_code == 422
    assert answer.json["error"] == "slot_taken"
    assert set(answer.json) == {"error", "message", "field", "request_id"}
    assert carry(client, world, post, "nonsense").json["error"] == "bad_slot"
    empty_day = landing.cell_name(make.stage().id, world.day)
    assert carry(client, world, post, empty_day).json["error"] == "no_free_slot"
    with transaction():
        post.publication.state = PublicationState.CLAIMED
    late = carry(client, world, post, place(world, time(15)))
    assert (late.status_code, late.json["error"]) == (409, "already_going_out")
    assert post.wall_time == time(12)


def test_what_it_would_meet_is_told_and_nothing_changes(client, world):
    world.plan(at=time(9))
    post = world.plan(at=time(12), asset=make.asset(status=AssetStatus.DRAFT))
    ask = {"post": post.id, "slot": place(world, time(15))}
    fine = client.get("/calendar/check.json", query_string=ask, headers=FETCH).json
    assert "error" not in fine
    assert len(fine["warnings"]) == 1
    ask["slot"] = place(world, time(9, 10))
    assert client.get("/calendar/check.json", query_string=ask).json["error"] == "slot_taken"
    ask = {"asset": make.asset().id, "slot": place(world, time(18))}
    assert client.get("/calendar/check.json", query_string=ask).json["warnings"] == []
    assert post.wall_time == time(12)
    assert session.query(Post).count() == 2


@pytest.mark.parametrize("asset", ["", "x", "-1", "99999999999", "１"])
def test_what_is_no_asset_is_refused(client, world, asset):
    answer = client.post(
        f"/calendar/weeks/{world.monday.isoformat()}/posts",
        data={"asset": asset, "slot": place(world, time(9))},
        headers=FETCH,
    )
    assert answer.status_code == 422
    assert answer.json["error"] == "bad_choice"
