"""Stops, blackouts and limits as people meet them, through a browser without scripts."""

from datetime import time, timedelta

import pytest
from bs4 import BeautifulSoup

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session, transaction
from schedules import blackouts, dry_run, publishing, stops
from schedules.models import Blackout, Calendar, Stop
from schedules.preflight.quiet_hours import QUIET
from schedules.states import PublicationState as State
from schedules.states import StopScope
from schedules.stops import StopFields
from tests import factories as make
from tests.schedules.planning import World
from tests.schedules.ready import approved
from tests.signing_in import sign_in

EVERYWHERE = ["/today/", "/calendar/slots", "/settings/", "/audience/", "/library", "/insights/"]


def enter(client, role):
    user = make.user(role, name=f"Ada {role.value}")
    sign_in(client, user)
    return user


@pytest.fixture
def operator(client):
    return enter(client, Role.OPERATOR)


def page(client, path, status=200):
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == status
    return BeautifulSoup(answer.text, "html.parser")


def stop_all(client, **fields):
    return client.post("/settings/stops", data={"what": "all", "reason": "wrong price"} | fields)


class TestStop:
    def test_one_button_on_today_stops_everything(self, client, operator):
        make.calendar()
        today = page(client, "/today/")
        link = today.select_one("a[data-dialog=stop-everything]")
        assert link["href"] == "/settings/stops"  # without scripts the page opens instead
        form = today.select_one("#stop-everything form[action='/settings/stops']")
        fields = {one["name"]: one.get("value", "") for one in form.select("input[name]")}
        answer = client.post("/settings/stops", data=fields | {"reason": "wrong price"})
        assert answer.status_code == 302
        (raised,) = stops.in_force()
        assert (raised.scope, raised.reason, raised.by_id) == (
            StopScope.ALL,
            "wrong price",
            operator.id,
        )

    def test_every_page_says_who_stopped_what_when_and_why(self, client, operator):
        make.calendar()
        for path in EVERYWHERE:
            assert page(client, path).select_one(".banner--stop") is None
        stop_all(client)
        for path in EVERYWHERE:
            banner = page(client, path).select_one(".banner--stop")
            words = " ".join(banner.text.split())
            assert "Sending is stopped." in words
            assert operator.name in words
            assert "wrong price" in words
            assert f"{now().astimezone(current().zone):%Y-%m-%d}" in words
            assert banner.select_one("form[action$='/lift']")

    def test_those_who_may_not_lift_it_see_it_all_the_same(self, client, operator):
        stop_all(client)
        stop = stops.in_force()[0]
        enter(client, Role.PLANNER)
        banner = page(client, "/calendar/slots").select_one(".banner--stop")
        assert "wrong price" in banner.text
        assert banner.select_one("form") is None
        assert client.post(f"/settings/stops/{stop.id}/lift").status_code == 403
        assert stop_all(client).status_code == 403
        assert page(client, "/today/").select_one("#stop-everything") is None

    def test_lifting_ends_it_everywhere(self, client, operator):
        stop_all(client)
        stop = stops.in_force()[0]
        client.post(f"/settings/stops/{stop.id}/lift")
        shown = page(client, "/settings/stops")
        assert shown.select_one(".banner--stop") is None
        assert "wrong price" in shown.select_one("table").text
        assert (stop.lifted_by_id, stops.in_force()) == (operator.id, [])

    def test_a_channel_or_an_account_alone(self, client, operator):
        account = make.account(name="Mei’s group")
        stop_all(client, what="channel:reader")
        stop_all(client, what=f"account:{account.id}")
        words = [one.text for one in page(client, "/settings/").select(".banner--stop")]
        assert "Sending through Reader" in words[0]
        assert "Mei’s group" in words[1]

    def test_how_many_calls_no_stop_can_reach_is_said_at_once(self, client, operator):
        publication = approved()
        fence = publishing.claim(publication.id, worker="here")
        assert publishing._prepared(publication.id, fence) is not None
        answer = client.post(
            "/settings/stops", data={"what": "all", "reason": "x"}, follow_redirects=True
        )
        assert "1 post was on its way already" in answer.text
        assert "1 call is still on its way" in answer.text

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"reason": " "}, "Say why"),
            ({"what": "everything"}, "Choose what to stop"),
            ({"what": "channel:pigeon"}, "Choose what to stop"),
            ({"what": "account:99999999999999999999"}, "Choose what to stop"),
        ],
    )
    def test_faults_come_back_with_what_was_typed(self, client, operator, fields, words):
        answer = stop_all(client, **({"reason": "kept words"} | fields))
        assert answer.status_code == 422
        assert words in answer.text
        assert "reason" in fields or "kept words" in answer.text
        assert session.query(Stop).count() == 0

    def test_the_health_page_and_the_machines_are_told(self, client, operator):
        stop_all(client)
        assert "Sending has been stopped: wrong price" in page(client, "/settings/health").text
        checks = client.get("/healthz").json["checks"]
        assert checks["stops"] == {"level": "warning", "stops": 1}


def blackout_form(**fields):
    day = (now() + timedelta(days=3)).date().isoformat()
    values = {"scope": "all", "reason": "fair", "starts_on": day, "ends_on": day}
    return values | {"starts_at": "10:00", "ends_at": "12:00"} | fields


class TestBlackouts:
    def test_adding_one_shows_the_approved_posts_inside_with_links(self, client, operator):
        day = (now() + timedelta(days=3)).astimezone(current().zone)
        inside = approved(publish_at=day.replace(hour=11, minute=0, second=0, microsecond=0))
        answer = client.post("/settings/blackouts", data=blackout_form(), follow_redirects=True)
        assert "1 approved post falls inside" in answer.text
        shown = BeautifulSoup(answer.text, "html.parser")
        assert shown.select_one(f"a[href='/calendar/posts/{inside.post_id}#move']")
        listed = page(client, "/settings/blackouts")
        assert "fair" in listed.select_one(".dark").text
        assert "1 approved post inside" in listed.select_one(".dark__inside").text

    def test_lifting_one_lets_posts_go_again(self, client, operator):
        client.post("/settings/blackouts", data=blackout_form())
        made = session.query(Blackout).one()
        assert client.post(f"/settings/blackouts/{made.id}/remove").status_code == 302
        assert session.query(Blackout).count() == 0

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"ends_at": "09:00"}, "The end lies before the beginning."),
            ({"starts_at": "25:00"}, "Write a day as"),
            ({"ends_on": "2026-02-30"}, "Write a day as"),
            ({"reason": ""}, "Say why"),
            ({"scope": "calendar:99999"}, "Choose one of those offered."),
            ({"scope": "moon"}, "Choose one of those offered."),
        ],
    )
    def test_faults_come_back_with_what_was_typed(self, client, operator, fields, words):
        answer = client.post(
            "/settings/blackouts", data=blackout_form(**{"reason": "kept"} | fields)
        )
        assert answer.status_code == 422
        assert words in answer.text
        assert "reason" in fields or "kept" in answer.text
        assert session.query(Blackout).count() == 0

    def test_planners_see_them_and_change_nothing(self, client):
        enter(client, Role.PLANNER)
        assert "Add the blackout" not in page(client, "/settings/blackouts").text
        assert client.post("/settings/blackouts", data=blackout_form()).status_code == 403

    def test_publish_now_waits_for_the_lifting_and_says_so(self, client, operator):
        publication = approved()
        window = make._add(
            Blackout(
                starts_at=now() - timedelta(hours=1),
                ends_at=now() + timedelta(hours=1),
                reason="day of mourning",
                created_at=now(),
            )
        )
        publishing.publish(publication.id, worker="here")
        path = f"/today/publications/{publication.id}"
        assert "day of mourning" in page(client, path).text
        answer = client.post(f"{path}/publish-now")
        assert answer.status_code == 422
        assert answer.text.count("day of mourning") >= 2  # as the reason, and as the answer
        with transaction():
            blackouts.remove(window, by=None)
        assert client.post(f"{path}/publish-now").status_code == 302
        assert publication.state is State.SCHEDULED


class TestReasonsInChinese:
    def test_a_held_post_tells_its_reason_in_the_readers_language(self, client, monkeypatch):
        """The stored sentence is English; its template is what the catalogue knows."""
        user = enter(client, Role.OPERATOR)
        pool = make.pool(name="Java 1 群")
        publication = approved(pool=pool)
        with transaction():
            user.locale = "zh"
            publication.post.calendar.quiet_from = time(0)
            publication.post.calendar.quiet_until = time(23, 59)
        known = {QUIET: "静默 %(begins)s–%(ends)s"}
        monkeypatch.setattr("cms.web.forms.gettext", lambda text: known.get(text, text))
        publishing.publish(publication.id, worker="here")
        shown = page(client, f"/today/publications/{publication.id}")
        assert "静默 00:00–23:59" in shown.text
        assert "静默 00:00–23:59" in page(client, "/today/waiting").text


class TestLimits:
    def test_quiet_hours_are_set_kept_and_taken_back(self, client):
        enter(client, Role.ADMINISTRATOR)
        calendar = make.calendar()
        form = {
            "name": calendar.name,
            "timezone": "Asia/Shanghai",
            "late_group_minutes": "30",
            "late_moments_minutes": "120",
            "gap_minutes": "30",
        }
        quiet = {"quiet_from": "22:00", "quiet_until": "07:00"}
        assert client.post("/calendar/settings", data=form | quiet).status_code == 302
        assert (calendar.quiet_from, calendar.quiet_until) == (time(22), time(7))
        shown = page(client, "/calendar/settings")
        assert shown.select_one("[name=quiet_from]")["value"] == "22:00"
        client.post("/calendar/settings", data=form)
        assert calendar.quiet_from == time(22)  # a form that does not speak of them changes nothing
        client.post("/calendar/settings", data=form | {"quiet_from": "", "quiet_until": ""})
        assert session.query(Calendar).one().quiet_from is None

    @pytest.mark.parametrize(
        ("quiet", "words"),
        [
            (("22:00", ""), "Give both ends"),
            (("", "07:00"), "Give both ends"),
            (("07:00", "07:00"), "would last all day"),
            (("24:00", "07:00"), "Write a day as"),
        ],
    )
    def test_quiet_hours_that_make_no_sense(self, client, quiet, words):
        enter(client, Role.ADMINISTRATOR)
        calendar = make.calendar()
        form = {"name": "Kept name", "timezone": "UTC", "gap_minutes": "30"}
        form |= {"late_group_minutes": "30", "late_moments_minutes": "120"}
        given = dict(zip(("quiet_from", "quiet_until"), quiet, strict=True))
        answer = client.post("/calendar/settings", data=form | given)
        assert answer.status_code == 422
        assert words in answer.text
        assert "Kept name" in answer.text
        assert calendar.quiet_from is None

    def pool_form(self, pool, **fields):
        form = {"name": pool.name, "kind": "group", "stage_id": pool.stage_id, "size": "10"}
        return form | fields

    def test_a_pool_takes_so_many_posts_or_any_number(self, client):
        enter(client, Role.ADMINISTRATOR)
        pool = make.pool()
        path = f"/audience/pools/{pool.id}"
        form = self.pool_form(pool, most_per_day="2", most_per_week="5")
        assert client.post(path, data=form).status_code == 302
        assert (pool.most_per_day, pool.most_per_week) == (2, 5)
        client.post(path, data=form | {"most_per_day": "", "most_per_week": ""})
        assert (pool.most_per_day, pool.most_per_week) == (None, None)

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"most_per_day": "0"}, "from 1 to 999"),
            ({"most_per_day": "1000"}, "from 1 to 999"),
            ({"most_per_week": "-1"}, "from 1 to 999"),
            ({"most_per_week": "many"}, "Not a valid integer"),
            ({"most_per_day": "5", "most_per_week": "4"}, "fewer posts than a day"),
        ],
    )
    def test_numbers_out_of_range(self, client, fields, words):
        enter(client, Role.ADMINISTRATOR)
        pool = make.pool()
        answer = client.post(f"/audience/pools/{pool.id}", data=self.pool_form(pool, **fields))
        assert answer.status_code == 422
        assert words in answer.text
        assert (pool.most_per_day, pool.most_per_week) == (None, None)


class TestNextHours:
    def test_it_tells_what_goes_what_is_late_and_what_stays(self, client, operator):
        soon = now() + timedelta(minutes=30)
        goes, stays, late = (approved(publish_at=soon) for _ in range(3))
        with transaction():
            stays.account.is_paused = True
            late.account.blocked_until = soon + timedelta(minutes=10)
        shown = page(client, "/today/next")
        numbers = [one.text for one in shown.select(".forecast__number")]
        assert numbers == ["1", "1", "1"]
        lines = shown.select(".forecast__line")
        assert [line["class"][1] for line in lines] == [
            "forecast--goes",
            "forecast--stays",
            "forecast--late",
        ]
        assert "is paused" in lines[1].text
        assert lines[0].select_one(f"a[href='/calendar/posts/{goes.post_id}']")
        only = page(client, "/today/next?verdict=late").select(".forecast__line")
        assert len(only) == 1
        assert client.get("/today/next?verdict=perhaps").status_code == 422

    def test_it_comes_in_pages(self, client, operator, monkeypatch):
        monkeypatch.setattr("cms.web.today.dry_run.PER_PAGE", 2)
        for _ in range(3):
            approved(publish_at=now() + timedelta(minutes=30))
        assert len(page(client, "/today/next").select(".forecast__line")) == 2
        assert len(page(client, "/today/next?page=2").select(".forecast__line")) == 1

    def test_what_is_beyond_it_is_counted(self, client, operator, monkeypatch):
        monkeypatch.setattr(dry_run, "MOST", 2)
        for _ in range(5):
            approved(publish_at=now() + timedelta(hours=1))
        words = page(client, "/today/next").text
        assert "Only the first 2 posts are played through; 3 more are due." in words

    def test_an_empty_day_says_so(self, client, operator):
        assert "No post is planned for the next 24 hours." in page(client, "/today/next").text


def test_the_board_shows_the_dark_and_its_warning_leads_to_the_account(client):
    world = World()
    sign_in(client, world.planner)
    post = world.plan()
    with transaction():
        world.account.is_paused = True
        session.add(
            Blackout(
                starts_at=post.publish_at - timedelta(days=2),
                ends_at=post.publish_at + timedelta(days=2),
                reason="spring festival",
                created_at=now(),
            )
        )
    with transaction():
        stops.raise_stop(StopFields(StopScope.ALL, "fire"), by=None)
    shown = page(client, f"/calendar/weeks/{world.monday}")
    cell = shown.select_one(f"[data-cell$='-{world.day:%Y%m%d}']")
    assert "Nothing goes out all day: spring festival" in cell.select_one(".board__closing").text
    fixes = {link.text: link["href"] for link in cell.select(".post__fix a")}
    assert fixes["See the account"] == f"/settings/accounts/{world.account.id}"
    assert fixes["See the stop"] == "/settings/stops"
    told = page(client, f"/calendar/posts/{post.id}")
    faults = [one.text for one in told.select(".caution--fault")]
    assert len(faults) == 1
    assert "spring festival" in faults[0]
    assert "is paused" in told.text
