"""The calendar's screens, with forms only: the board, whole weeks, the pattern."""

from datetime import time, timedelta

import pytest

from cms.accounts.models import Role
from cms.core.db import session
from content_library.models import AssetStatus
from schedules import calendars
from schedules.models import Post, SlotTemplate
from schedules.states import ReviewState
from tests import factories as make
from tests.signing_in import sign_in
from tests.web.calendar.week import board_of, place_of
from tests.web.reading import checked


class TestBoard:
    def test_the_calendar_opens_the_week_to_plan(self, client, world):
        answer = client.get("/calendar/")
        assert answer.status_code == 302
        monday = calendars.week_to_plan(world.calendar).isoformat()
        assert answer.location.endswith(f"/weeks/{monday}")

    def test_an_empty_house_gets_its_calendar(self, client):
        sign_in(client, make.user(Role.PLANNER))
        assert client.get("/calendar/", follow_redirects=True).status_code == 200
        assert calendars.first().timezone == "Asia/Shanghai"

    def test_posts_and_empty_slots_stand_in_the_week(self, client, world, one_slot):
        asset = make.asset(title="转行三步", lang="zh")
        post = world.plan(asset=asset, at=time(8))
        page = client.get(board_of(world)).text
        assert f'data-post="{post.id}"' in page
        assert "转行三步" in page
        assert "trust wanted" in page
        assert f'data-slot="{place_of(world)}"' in page

    def test_any_day_leads_to_its_week_and_nonsense_to_nothing(self, client, world):
        answer = client.get(f"/calendar/weeks/{world.day.isoformat()}")
        assert answer.location.endswith(world.monday.isoformat())
        for text in ("2026-02-30", "yesterday", "9999-12-31", "0000-00-00"):
            assert client.get(f"/calendar/weeks/{text}").status_code == 404

    def test_filters_narrow_and_unknown_ones_are_ignored(self, client, world):
        post = world.plan()
        card = f'data-post="{post.id}"'
        assert card not in client.get(f"{board_of(world)}?kind=moments").text
        assert card in client.get(f"{board_of(world)}?kind=group&state=draft").text
        assert card in client.get(f"{board_of(world)}?kind=nonsense&state=%00").text

    def test_density_is_remembered_and_leads_nowhere_else(self, client, world):
        answer = client.post(
            "/calendar/density", data={"density": "dots", "next": "//evil.example/"}
        )
        assert answer.location == "/"
        assert 'data-density="dots"' in client.get(board_of(world)).text

    def test_analysts_look_but_do_not_touch(self, client, world):
        post = world.plan()
        sign_in(client, make.user(Role.ANALYST))
        page = client.get(board_of(world)).text
        assert f'data-post="{post.id}"' in page
        assert "data-move-url" not in page
        assert "data-create-url" not in page
        for path in ("copy", "submit"):
            assert client.post(f"{board_of(world)}/{path}").status_code == 403
        assert client.post(f"/calendar/posts/{post.id}/drop").status_code == 403
        assert client.get("/calendar/posts/new").status_code == 403

    def test_the_page_asks_as_much_for_many_as_for_one(
        self, client, world, one_slot, count_queries
    ):
        world.plan(at=time(6))
        client.get(board_of(world))
        with count_queries() as few:
            client.get(board_of(world))
        for hour in range(7, 20):
            world.plan(at=time(hour))
        with count_queries() as many:
            client.get(board_of(world))
        assert len(many) <= len(few) <= 30


class TestWeeks:
    def test_copying_shows_first_what_it_would_do(self, client, world):
        world.plan(at=time(8), asset=make.asset(title="Comes along"))
        world.plan(at=time(12), asset=make.asset(title="Stays behind", valid_until=world.day))
        target = f"/calendar/weeks/{(world.monday + timedelta(days=7)).isoformat()}"
        preview = client.get(f"{target}/copy").text
        assert "Comes along" in preview
        assert "may be used until" in preview
        assert session.query(Post).count() == 2
        answer = client.post(f"{target}/copy", follow_redirects=True)
        assert "1 post copied." in answer.text
        assert "Stays behind" in answer.text
        assert session.query(Post).count() == 3

    def test_submitting_a_week_tells_what_was_left(self, client, world):
        good = world.plan(at=time(8))
        bad = world.plan(at=time(12), asset=make.asset(status=AssetStatus.DRAFT))
        answer = client.post(f"{board_of(world)}/submit", follow_redirects=True)
        assert "1 post waits for approval." in answer.text
        assert "still a draft" in answer.text
        assert (good.review, bad.review) == (ReviewState.SUBMITTED, ReviewState.DRAFT)


class TestPattern:
    @pytest.fixture
    def admin(self, client, world):
        sign_in(client, make.user(Role.ADMINISTRATOR))

    def test_slots_are_added_changed_and_removed(self, client, world, one_slot, admin):
        data = {
            "account": world.account.id,
            "weekday": 4,
            "wall_time": "12:30",
            "wanted_theme": 0,
        }
        assert client.post("/calendar/slots", data=data).status_code == 302
        twice = client.post("/calendar/slots", data=data)
        assert twice.status_code == 422
        assert "has a slot at that time" in twice.text
        assert "12:30" in client.get("/calendar/slots").text
        made = session.query(SlotTemplate).filter_by(weekday=4).one()
        theme = make.tag(slug="desire")
        client.post(f"/calendar/slots/{made.id}/theme", data={"wanted_theme": theme.id})
        assert made.wanted_theme_id == theme.id
        client.post(f"/calendar/slots/{made.id}/remove")
        assert session.query(SlotTemplate).filter_by(weekday=4).count() == 0

    def test_the_zone_is_checked_and_its_neighbours_are_named(self, client, world, admin):
        data = {
            "name": "Ours",
            "timezone": "Berlin",
            "late_group_minutes": 30,
            "late_moments_minutes": 120,
            "gap_minutes": 15,
        }
        answer = client.post("/calendar/settings", data=data)
        assert answer.status_code == 422
        assert "Europe/Berlin" in answer.text
        client.post("/calendar/settings", data=data | {"timezone": "Europe/Berlin"})
        assert (world.calendar.timezone, world.calendar.gap_minutes) == ("Europe/Berlin", 15)

    def test_planners_see_the_pattern_and_leave_it(self, client, world):
        assert client.get("/calendar/slots").status_code == 200
        assert client.post("/calendar/slots", data={}).status_code == 403
        assert client.get("/calendar/settings").status_code == 403


def test_every_page_has_a_title_unique_ids_and_labelled_fields(client, world, one_slot):
    sign_in(client, make.user(Role.ADMINISTRATOR))
    post, asset = world.plan(), make.asset()
    for path in (
        board_of(world),
        f"{board_of(world)}/copy",
        f"/calendar/posts/{post.id}",
        f"/calendar/posts/{post.id}/swap",
        "/calendar/posts/new",
        f"/calendar/posts/new?asset={asset.id}&slot={place_of(world, time(9))}",
        "/calendar/slots",
        "/calendar/settings",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        checked(answer)
