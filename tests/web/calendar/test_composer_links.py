"""A link's own page: its name, its end, its QR code, and what it leads to."""

import io
from datetime import timedelta

import pytest
import segno
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from PIL import Image

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import approvals, link_names, links, posts, utm
from schedules.models import TrackedLink
from schedules.states import LinkCheck
from schedules.utm import UtmFields
from tests import factories as make
from tests.schedules.planning import World
from tests.signing_in import sign_in


@pytest.fixture
def link(world: World) -> TrackedLink:
    post = world.plan(account=make.account(world.pool, channel="manual"))
    return links.own_link(post.publication)


def read(client: FlaskClient, link: TrackedLink) -> BeautifulSoup:
    answer = client.get(f"/calendar/links/{link.id}")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def save(client: FlaskClient, link: TrackedLink, **data: str):
    return client.post(f"/calendar/links/{link.id}", data=data)


class TestNameAndEnd:
    def test_both_are_kept_and_shown(
        self, client: FlaskClient, world: World, link: TrackedLink
    ) -> None:
        day = world.day + timedelta(days=3)
        answer = save(client, link, alias="Spring-Sale", ends_on=day.isoformat(), ends_at="18:30")
        assert answer.status_code == 302
        session.expire_all()
        assert link.alias == "spring-sale"
        assert f"{link.expires_at.astimezone(world.zone):%Y-%m-%d %H:%M}" == f"{day} 18:30"
        page = read(client, link)
        assert page.select_one("[name=alias]")["value"] == "spring-sale"
        assert page.select_one("[name=ends_on]")["value"] == day.isoformat()
        assert "http://localhost/l/spring-sale" in page.select_one(".facts").text
        post = client.get(f"/calendar/posts/{link.publication.post_id}").text
        assert "http://localhost/l/spring-sale" in post
        assert "Name of the link changed" in post

    def test_a_fault_keeps_what_was_typed_and_saves_neither(
        self, client: FlaskClient, world: World, link: TrackedLink
    ) -> None:
        answer = save(client, link, alias="good-name", ends_on="2001-01-01", ends_at="10:00")
        page = BeautifulSoup(answer.text, "html.parser")
        assert answer.status_code == 422
        assert page.select_one("[name=alias]")["value"] == "good-name"
        assert "That moment is over" in page.select_one(".field__error").text
        session.expire_all()
        assert (link.alias, link.expires_at) == (None, None)

    def test_an_approved_name_answers_409(
        self, client: FlaskClient, world: World, link: TrackedLink
    ) -> None:
        post = link.publication.post
        with transaction():
            link_names.rename(link, "sale", by=world.planner)
            posts.submit(post, by=world.planner)
        with transaction():
            approvals.approve(post, revision=post.revision, by=make.user(Role.OPERATOR))
        answer = save(client, link, alias="other", ends_on="", ends_at="")
        assert answer.status_code == 409
        assert "Take the approval back" in answer.text
        day = (world.day + timedelta(days=3)).isoformat()
        kept = save(client, link, alias="sale", ends_on=day, ends_at="10:00")
        assert kept.status_code == 302  # an end is no word of the post

    def test_analysts_look_and_do_not_touch(
        self, client: FlaskClient, world: World, link: TrackedLink
    ) -> None:
        sign_in(client, make.user(Role.ANALYST))
        assert read(client, link).select_one("[name=alias]") is None
        assert save(client, link, alias="sale").status_code == 403
        assert client.post(f"/calendar/links/{link.id}/check").status_code == 403


class TestQr:
    def test_it_holds_the_address_that_always_works(
        self, client: FlaskClient, link: TrackedLink
    ) -> None:
        with transaction():
            link_names.rename(link, "sale", by=None)
        expected = segno.make_qr(links.lasting_url(link), error="m")
        answer = client.get(f"/calendar/links/{link.id}/qr.png?size=300")
        assert answer.mimetype == "image/png"
        assert modules(answer.data) == [list(row) for row in expected.matrix_iter(border=4)]
        assert links.lasting_url(link).endswith(link.code)

    @pytest.mark.parametrize("size", [300, 600, 1200])
    def test_it_is_as_large_as_asked_with_a_quiet_zone(
        self, client: FlaskClient, link: TrackedLink, size: int
    ) -> None:
        image = Image.open(
            io.BytesIO(client.get(f"/calendar/links/{link.id}/qr.png?size={size}").data)
        ).convert("L")
        assert size <= image.width == image.height < size * 1.3
        edge = 4 * image.width // segno.make_qr(links.lasting_url(link), error="m").symbol_size()[0]
        assert image.crop((0, 0, image.width, edge - 1)).getextrema() == (255, 255)

    def test_for_print_it_is_drawn_on_white(self, client: FlaskClient, link: TrackedLink) -> None:
        answer = client.get(f"/calendar/links/{link.id}/qr.svg")
        assert answer.mimetype == "image/svg+xml"
        assert b"#fff" in answer.data
        assert "style=" not in answer.text

    def test_other_sizes_and_kinds_are_refused(
        self, client: FlaskClient, link: TrackedLink
    ) -> None:
        answer = client.get(f"/calendar/links/{link.id}/qr.png?size=99999")
        assert answer.status_code == 422
        assert "300, 600, 1200" in answer.text
        assert client.get(f"/calendar/links/{link.id}/qr.gif").status_code == 404


def modules(png: bytes) -> list[list[int]]:
    """Each module of the picture as 1 (dark) or 0, read in its middle."""
    image = Image.open(io.BytesIO(png)).convert("L")
    row = [image.getpixel((x, image.height // 2)) for x in range(image.width)]
    scale = next(
        scale
        for scale in range(30, 1, -1)
        if image.width % scale == 0
        and all(len(set(row[at : at + scale])) == 1 for at in range(0, len(row), scale))
    )
    return [
        [
            int(image.getpixel((x + scale // 2, y + scale // 2)) < 128)
            for x in range(0, image.width, scale)
        ]
        for y in range(0, image.height, scale)
    ]


class TestTarget:
    @pytest.fixture
    def outside(self, world: World) -> TrackedLink:
        asset = make.asset(kind="video", content={"url": "https://a.example/v"})
        post = world.plan(asset=asset)
        return next(one for one in post.publication.links if one.target)

    def test_what_was_found_is_said_and_may_be_looked_at_again(
        self, client: FlaskClient, outside: TrackedLink
    ) -> None:
        assert "Nobody has looked at it yet" in read(client, outside).text
        with transaction():
            outside.check, outside.checked_at, outside.check_note = LinkCheck.GONE, now(), "404"
        said = read(client, outside).text
        assert "leads nowhere" in said
        assert "It answered with 404." in said
        post = client.get(f"/calendar/posts/{outside.publication.post_id}").text
        assert "leads nowhere" in post
        assert client.post(f"/calendar/links/{outside.id}/check").status_code == 302
        session.expire_all()
        assert (outside.check, outside.checked_at) == (LinkCheck.GONE, None)

    def test_it_shows_the_address_readers_get(
        self, client: FlaskClient, outside: TrackedLink
    ) -> None:
        with transaction():
            utm.save(UtmFields(source="{channel}"), by=None)
        assert "https://a.example/v?utm_source=reader" in read(client, outside).text


class TestSettings:
    @pytest.fixture
    def admin(self, client: FlaskClient) -> FlaskClient:
        return sign_in(client, make.user(Role.ADMINISTRATOR))

    def test_a_rule_is_saved_changed_and_removed(self, admin: FlaskClient) -> None:
        data = {"channel": "slack", "source": "{channel}", "medium": "chat", "is_active": "y"}
        assert admin.post("/settings/links/rules", data=data).status_code == 302
        page = admin.get("/settings/links").text
        assert (
            "https://example.com/course?lesson=1&amp;utm_source=slack&amp;utm_medium=chat" in page
        )
        [rule] = utm.rules()
        form = BeautifulSoup(admin.get(f"/settings/links?rule={rule.id}").text, "html.parser")
        assert form.select_one("[name=medium]")["value"] == "chat"
        assert form.select_one("[name=channel] option[selected]")["value"] == "slack"
        assert admin.post(f"/settings/links/rules/{rule.id}/remove").status_code == 302
        assert utm.rules() == []

    def test_faults_stand_beside_their_fields(self, admin: FlaskClient) -> None:
        data = {"channel": "", "source": "{chanel}", "is_active": "y"}
        answer = admin.post("/settings/links/rules", data=data)
        page = BeautifulSoup(answer.text, "html.parser")
        assert answer.status_code == 422
        assert "There is no {chanel}" in page.select_one("#source-error").text
        assert page.select_one("[name=source]")["value"] == "{chanel}"
        assert utm.rules() == []

    def test_the_example_follows_the_form_with_and_without_scripts(
        self, admin: FlaskClient
    ) -> None:
        data = {"channel": "", "campaign": "spring-{week}", "do": "example", "is_active": "y"}
        answer = admin.post("/settings/links/rules", data=data)
        assert answer.status_code == 200
        shown = BeautifulSoup(answer.text, "html.parser").select_one("[data-example]").text
        assert "utm_campaign=spring-20" in shown
        assert utm.rules() == []
        said = admin.get("/settings/links/example.json?campaign=spring-{week}")
        assert said.json["address"] == shown
        wrong = admin.get("/settings/links/example.json?campaign={x}")
        assert (wrong.status_code, wrong.json["error"]) == (422, "bad_place")

    def test_links_in_trouble_are_listed(self, admin: FlaskClient) -> None:
        world = World()
        asset = make.asset(kind="video", content={"url": "https://a.example/v"})
        post = world.plan(asset=asset, on=world.day)
        link = next(one for one in post.publication.links if one.target)
        with transaction():
            link.check, link.checked_at = LinkCheck.GONE, now()
        assert "https://a.example/v" in admin.get("/settings/links").text
        with transaction():
            link.check = LinkCheck.FINE
        assert "https://a.example/v" not in admin.get("/settings/links").text

    def test_planners_read_the_rules_and_do_not_write_them(self, client: FlaskClient) -> None:
        sign_in(client, make.user(Role.PLANNER))
        assert 'data-module="utm"' not in client.get("/settings/links").text
        assert client.post("/settings/links/rules", data={}).status_code == 403
