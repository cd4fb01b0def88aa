"""The calendar's screens, with forms only: what works in a browser without scripts."""

import re
from datetime import time, timedelta
from html.parser import HTMLParser

import pytest

from cms.accounts.models import Role
from cms.core.db import session, transaction
from content_library.models import AssetStatus
from schedules import calendars, posts, slots
from schedules.models import Post, SlotTemplate
from schedules.states import PublicationState, ReviewState
from tests import factories as make
from tests.schedules.planning import World
from tests.signing_in import sign_in


@pytest.fixture
def world(client) -> World:
    world = World()
    theme = make.tag(slug="trust", name_en="Trust", hue=2)
    with transaction():
        slots.add(
            world.calendar,
            world.account,
            weekday=world.day.weekday(),
            wall_time=time(20, 30),
            wanted_theme=theme,
            by=None,
        )
    sign_in(client, world.planner)
    return world


def board_of(world):
    return f"/calendar/weeks/{world.monday.isoformat()}"


def place_of(world, at=time(20, 30)):
    return slots.Place(world.day, at, world.pool.id, world.account.id).name


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

    def test_posts_and_empty_slots_stand_in_the_week(self, client, world):
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

    def test_the_page_asks_as_much_for_many_as_for_one(self, client, world, count_queries):
        world.plan(at=time(6))
        client.get(board_of(world))
        with count_queries() as few:
            client.get(board_of(world))
        for hour in range(7, 20):
            world.plan(at=time(hour))
        with count_queries() as many:
            client.get(board_of(world))
        assert len(many) <= len(few) <= 30


class TestPlanning:
    def test_a_slot_leads_through_plain_forms_to_a_post(self, client, world):
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

    def test_a_taken_slot_names_the_other(self, client, world):
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

    def test_moving_by_slot_and_by_hand(self, client, world):
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

    def test_slots_are_added_changed_and_removed(self, client, world, admin):
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


class Reading(HTMLParser):
    """What a page promises to people who hear it: title, ids, labels."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[dict[str, str]] = []
        self.inside_label = 0
        self.title = ""
        self.in_title = False

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "label":
            self.inside_label += 1
            self.labels.add(found.get("for", ""))
        self.in_title = tag == "title"
        is_field = tag in ("input", "select", "textarea") and found.get("type") != "hidden"
        if is_field and not self.inside_label and "aria-label" not in found:
            self.fields.append(found)

    def handle_endtag(self, tag):
        self.inside_label -= tag == "label"

    def handle_data(self, data):
        if self.in_title:
            self.title += data
            self.in_title = False


def test_every_page_has_a_title_unique_ids_and_labelled_fields(client, world):
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
        page = Reading()
        page.feed(client.get(path).text)
        assert len(page.title) > len(" · Seedbed"), path
        assert len(page.ids) == len(set(page.ids)), path
        assert [one for one in page.fields if one.get("id") not in page.labels] == [], path
