"""Posts planned, worded, moved and dropped on the calendar's pages, with forms only."""

import re
from datetime import time, timedelta

import pytest

from cms.core.db import session, transaction
from content_library.models import AssetStatus
from schedules import posts
from schedules.models import Post
from schedules.states import PublicationState, ReviewState
from tests import factories as make
from tests.web.calendar.week import place_of


class TestPlanning:
    def test_a_slot_leads_through_plain_forms_to_a_post(self, client, world, one_slot):
        asset = make.asset(title="Three steps", summary="A timetable.")
        slot = place_of(world)
        step = client.get(f"/calendar/posts/new?slot={slot}").text
        href = re.search(rf'href="([^"]*asset={asset.id}[^"]*)"', step)[1].replace("&amp;", "&")
        form = client.get(href).text
        assert "Three steps\nA timetable." in form
        data = {"asset": asset.id, "slot": slot, "text": "In my words"}
        answer = client.post("/calendar/posts", data=data)
        assert answer.status_code == 302
        post = session.query(Post).one()
        assert (post.text, post.wall_date, post.wall_time) == (
            "In my words",
            world.day,
            time(20, 30),
        )
        assert post.created_by_id == world.planner.id

    def test_a_time_by_hand_finds_an_account(self, client, world):
        data = {
            "asset": make.asset().id,
            "slot": "",
            "pool": str(world.pool.id),
            "wall_date": world.day.isoformat(),
            "wall_time": "07:45",
            "text": "x",
        }
        assert client.post("/calendar/posts", data=data).status_code == 302
        assert session.query(Post).one().account_id == world.account.id

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            ({"text": " \u200b"}, "There is nothing to read here"),
            ({"wall_date": "2026-02-30"}, "Write a day as"),
            ({"wall_date": "2020-01-01"}, "is over"),
            ({"wall_time": "25:00"}, "Write a day as"),
            ({"pool": "x"}, "Choose one of the pools offered"),
            ({"slot": "nonsense"}, "That is no slot"),
            ({"text": "x" * 5001}, "5,001/5,000"),
        ],
    )
    def test_faults_come_back_with_everything_typed(self, client, world, fault, words):
        data = {
            "asset": make.asset().id,
            "slot": "",
            "pool": str(world.pool.id),
            "wall_date": world.day.isoformat(),
            "wall_time": "07:45",
            "text": "Kept words",
        }
        answer = client.post("/calendar/posts", data=data | fault)
        assert answer.status_code == 422
        assert words in answer.text
        assert "text" in fault or "Kept words" in answer.text
        assert session.query(Post).count() == 0

    def test_a_taken_slot_names_the_other(self, client, world, one_slot):
        other = world.plan(asset=make.asset(title="Was here first"))
        data = {"asset": make.asset().id, "slot": place_of(world), "text": "x"}
        answer = client.post("/calendar/posts", data=data)
        assert answer.status_code == 422
        assert "Was here first" in answer.text
        assert session.query(Post).all() == [other]

    def test_a_time_shown_twice_is_asked(self, client, world):
        with transaction():
            world.calendar.timezone = "Europe/Berlin"
        year = world.today.year + 1
        autumn = max(
            day
            for n in range(300)
            if (day := world.today.replace(year=year, month=10, day=25) + timedelta(days=n)).month
            == 10
            and day.weekday() == 6
        )
        data = {
            "asset": make.asset().id,
            "slot": "",
            "pool": str(world.pool.id),
            "wall_date": autumn.isoformat(),
            "wall_time": "02:30",
            "text": "x",
        }
        answer = client.post("/calendar/posts", data=data)
        assert answer.status_code == 422
        assert 'name="fold"' in answer.text
        assert client.post("/calendar/posts", data=data | {"fold": "1"}).status_code == 302
        assert session.query(Post).one().fold == 1

    @pytest.mark.parametrize("address", ["asset=999999", "asset=x", "slot=nonsense", "asset=１"])
    def test_unknown_addresses_are_not_found(self, client, world, address):
        assert client.get(f"/calendar/posts/new?{address}").status_code == 404


class TestOnePost:
    def test_the_page_shows_what_the_pool_will_see(self, client, world):
        post = world.plan(text="{{7*7}} <b>bold</b>")
        page = client.get(f"/calendar/posts/{post.id}").text
        assert "{{7*7}} &lt;b&gt;bold&lt;/b&gt;" in page
        assert "<b>bold" not in page
        assert client.get("/calendar/posts/999999").status_code == 404

    def test_wording_is_saved(self, client, world):
        post = world.plan()
        data = {"text": "Better words", "revision": "1"}
        assert client.post(f"/calendar/posts/{post.id}", data=data).status_code == 302
        assert (post.text, post.revision) == ("Better words", 2)
        assert "Wording changed" in client.get(f"/calendar/posts/{post.id}").text

    def test_two_writers_see_both_texts(self, client, world):
        post = world.plan()
        with transaction():
            posts.edit(post, text="Their words", expected_revision=1, by=None)
        answer = client.post(
            f"/calendar/posts/{post.id}", data={"text": "My words", "revision": "1"}
        )
        assert answer.status_code == 409
        assert "Their words" in answer.text
        assert "My words" in answer.text
        assert post.text == "Their words"
        again = re.search(r'name="revision" type="hidden" value="(\d+)"', answer.text)[1]
        client.post(f"/calendar/posts/{post.id}", data={"text": "My words", "revision": again})
        assert post.text == "My words"

    def test_fields_not_offered_change_nothing(self, client, world):
        post = world.plan()
        path = f"/calendar/posts/{post.id}"
        for endpoint, data in {
            path: {"text": "x", "revision": "1", "status": "published"},
            f"{path}/move": {"slot": place_of(world, time(9)), "revision": "1", "review": "x"},
            f"{path}/swap": {"asset": str(post.asset_id), "approved_by": "1"},
            f"{path}/carry?week={world.monday}": {"slot": place_of(world, time(9)), "pool": "1"},
        }.items():
            answer = client.post(endpoint, data=data, headers={"Accept": "application/json"})
            assert (answer.status_code, answer.json["error"]) == (422, "unknown_field")
        assert (post.review, post.revision) == (ReviewState.DRAFT, 1)
        assert post.publication.state is PublicationState.PLANNED

    def test_moving_by_slot_and_by_hand(self, client, world, one_slot):
        post = world.plan(at=time(8))
        path = f"/calendar/posts/{post.id}/move"
        client.post(path, data={"slot": place_of(world), "revision": "1"})
        assert post.wall_time == time(20, 30)
        data = {
            "slot": "",
            "pool": str(world.other_pool.id),
            "wall_date": world.day.isoformat(),
            "wall_time": "09:15",
            "revision": "2",
        }
        client.post(path, data=data)
        assert (post.wall_time, post.pool_id) == (time(9, 15), world.other_pool.id)
        stale = client.post(path, data=data | {"wall_time": "10:00"})
        assert stale.status_code == 409
        assert post.wall_time == time(9, 15)

    def test_another_asset_takes_its_place(self, client, world):
        post, other = world.plan(), make.asset(title="Other")
        assert "Other" in client.get(f"/calendar/posts/{post.id}/swap").text
        client.post(f"/calendar/posts/{post.id}/swap", data={"asset": other.id})
        assert post.asset_id == other.id
        assert (
            client.post(f"/calendar/posts/{post.id}/swap", data={"asset": "x"}).status_code == 404
        )

    def test_drop_restore_submit(self, client, world):
        post = world.plan()
        path = f"/calendar/posts/{post.id}"
        client.post(f"{path}/drop")
        assert post.publication.state is PublicationState.CANCELLED
        client.post(f"{path}/restore")
        client.post(f"{path}/submit")
        assert post.review is ReviewState.SUBMITTED
        assert post.submitted_by_id == world.planner.id

    def test_what_cannot_be_submitted_says_why(self, client, world):
        post = world.plan(asset=make.asset(status=AssetStatus.DRAFT))
        answer = client.post(f"/calendar/posts/{post.id}/submit")
        assert answer.status_code == 422
        assert "still a draft" in answer.text

    def test_what_is_going_out_offers_no_change_and_refuses_one(self, client, world):
        post = world.plan()
        with transaction():
            post.publication.state = PublicationState.SENDING
        path = f"/calendar/posts/{post.id}"
        assert "Save the wording" not in client.get(path).text
        answer = client.post(path, data={"text": "Late", "revision": "1"})
        assert answer.status_code == 409
        assert "already going out" in answer.text
