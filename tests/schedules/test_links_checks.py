"""Looking at what links lead to: a real server answers, and the next post goes first."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask

from cms.core import clock
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.http import Client
from schedules import link_checks, links, publications
from schedules.models import TrackedLink
from schedules.states import LinkCheck
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.planning import World

SITE = "shop.example"


class Site:
    """Answers each path as it is told, by method; counts what it was asked."""

    def __init__(self) -> None:
        self.says: dict[str, tuple[int, str]] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                site.asked.append(f"{self.command} {self.path}")
                known = site.says.get(f"{self.command} {self.path}") or site.says.get(self.path)
                status, location = known or (200, "")
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_HEAD = answer

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.base = f"http://{SITE}:{self.server.server_port}"
        self.client = Client(
            allow_private=frozenset({(SITE, self.server.server_port)}),
            resolve=lambda _host, _port: ["127.0.0.1"],
            seconds=3,
            most_bytes=1000,
        )


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


def look(site: Site, path: str) -> link_checks.Look:
    return link_checks.look_at(f"{site.base}{path}", site.client)


@pytest.mark.parametrize(
    ("status", "check"),
    [
        (200, LinkCheck.FINE),
        (204, LinkCheck.FINE),
        (401, LinkCheck.FINE),
        (403, LinkCheck.FINE),
        (429, LinkCheck.FINE),
        (404, LinkCheck.GONE),
        (410, LinkCheck.GONE),
        (400, LinkCheck.UNKNOWN),
        (500, LinkCheck.UNKNOWN),
        (503, LinkCheck.UNKNOWN),
    ],
)
def test_what_an_answer_says(site: Site, status: int, check: LinkCheck) -> None:
    site.says["/"] = (status, "")
    assert look(site, "/") == link_checks.Look(check, str(status))


def test_a_plain_yes_is_asked_once_and_a_no_to_head_is_asked_again(site: Site) -> None:
    look(site, "/")
    assert site.asked == ["HEAD /"]
    site.says |= {"HEAD /page": (405, ""), "HEAD /lost": (404, "")}
    assert look(site, "/page").check is LinkCheck.FINE
    assert look(site, "/lost").check is LinkCheck.FINE
    assert site.asked[1:] == ["HEAD /page", "GET /page", "HEAD /lost", "GET /lost"]


def test_it_goes_where_readers_are_sent(site: Site) -> None:
    site.says |= {"/a": (301, "/b"), "/b": (302, f"{site.base}/gone"), "/gone": (404, "")}
    assert look(site, "/a").check is LinkCheck.GONE
    site.says["/round"] = (302, "/round")
    assert look(site, "/round") == link_checks.Look(LinkCheck.UNKNOWN, link_checks.ROUND)


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/", "http://10.0.0.1/", "http://[::1]/", "ftp://shop.example/"]
)
def test_a_private_address_is_forbidden_also_behind_another(site: Site, target: str) -> None:
    real = Client(seconds=3)
    assert link_checks.look_at(target, real).check is LinkCheck.FORBIDDEN
    site.says["/out"] = (302, target)
    assert look(site, "/out").check is LinkCheck.FORBIDDEN


def test_nobody_there_is_not_known(site: Site) -> None:
    site.server.shutdown()
    site.server.server_close()
    seen = look(site, "/")
    assert seen.check is LinkCheck.UNKNOWN
    assert seen.note


class TestLinks:
    @pytest.fixture
    def world(self, app: Flask) -> World:
        return World()

    def link(self, world: World, url: str, **fields: object) -> TrackedLink:
        asset = make.asset(kind="video", content={"url": url})
        post = world.plan(asset=asset, **fields)
        return next(one for one in post.publication.links if one.target)

    def test_what_was_seen_is_noted_for_every_waiting_post_that_leads_there(
        self, world: World, site: Site
    ) -> None:
        site.says["/v"] = (410, "")
        asset = make.asset(kind="video", content={"url": f"{site.base}/v"})
        first, second = (
            world.plan(asset=asset),
            world.plan(asset=asset, on=world.day + timedelta(days=1)),
        )
        one, other = (
            next(link for link in post.publication.links if link.target) for post in (first, second)
        )
        link_checks.check(one.id, client=site.client)
        session.expire_all()
        for link in (one, other):
            assert (link.check, link.check_note) == (LinkCheck.GONE, "410")
            assert link.checked_at is not None
        assert len(site.asked) == 2  # one look: HEAD, then GET

    def test_a_link_to_our_own_page_is_never_looked_at(self, world: World, site: Site) -> None:
        own = links.own_link(world.plan().publication)
        link_checks.check(own.id, client=site.client)
        link_checks.check(10**9, client=site.client)
        assert own.checked_at is None
        assert own.id not in link_checks.due()

    def test_new_ones_are_due_at_once_and_each_address_once(self, world: World) -> None:
        asset = make.asset(kind="video", content={"url": "https://shop.example/v"})
        for days in range(3):
            world.plan(asset=asset, on=world.day + timedelta(days=days))
        self.link(world, "https://shop.example/w", on=world.day - timedelta(days=1))
        targets = [session.get(TrackedLink, one).target for one in link_checks.due()]
        assert targets == ["https://shop.example/w", "https://shop.example/v"]

    def test_they_are_due_once_more_within_a_day_of_the_post(self, world: World) -> None:
        link = self.link(world, "https://shop.example/v")
        due = link.publication.due_at
        with transaction():
            link.check, link.checked_at = LinkCheck.FINE, now()
        assert link_checks.due() == []
        with clock.holding(due - timedelta(hours=25)):
            assert link_checks.due() == []
        with clock.holding(due - timedelta(hours=23)):
            assert link_checks.due() == [link.id]
            with transaction():
                link.checked_at = now()
            assert link_checks.due() == []
        with clock.holding(due - timedelta(hours=1)):
            assert link_checks.due() == []

    def test_they_are_due_a_last_time_shortly_before_the_post(self, world: World) -> None:
        """A post that is planned in the morning for the evening would have had one look."""
        link = self.link(world, "https://shop.example/v")
        due = link.publication.due_at
        with transaction():
            link.check, link.checked_at = LinkCheck.FINE, due - timedelta(hours=9)
        with clock.holding(due - timedelta(minutes=31)):
            assert link_checks.due() == []
        with clock.holding(due - timedelta(minutes=29)):
            assert link_checks.due() == [link.id]
            with transaction():
                link.checked_at = now() - timedelta(minutes=59)
            assert link_checks.due() == []
            with transaction():
                link.checked_at = now()
        with clock.holding(due):
            assert link_checks.due() == []

    def test_the_last_look_is_noted_before_the_post_leaves(self, world: World, site: Site) -> None:
        link = self.link(world, f"{site.base}/v")
        with clock.holding(link.publication.due_at - timedelta(hours=9)):
            link_checks.check(link.id, client=site.client)
        session.expire_all()
        assert link.check is LinkCheck.FINE
        site.says["/v"] = (404, "")
        with clock.holding(link.publication.due_at - timedelta(minutes=20)):
            for link_id in link_checks.due():
                link_checks.check(link_id, client=site.client)
        session.expire_all()
        assert link.check is LinkCheck.GONE
        assert link in link_checks.in_trouble()

    def test_what_leaves_next_goes_first_however_many_are_due(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(link_checks, "MOST_AT_ONCE", 1)
        soon = self.link(world, "https://shop.example/v")
        self.link(world, "https://shop.example/new", on=world.day + timedelta(days=1))
        with clock.holding(soon.publication.due_at - timedelta(minutes=20)):
            with transaction():
                soon.check, soon.checked_at = LinkCheck.FINE, now() - timedelta(hours=2)
            assert link_checks.due() == [soon.id]

    @pytest.mark.parametrize("check", [LinkCheck.GONE, LinkCheck.UNKNOWN, LinkCheck.FORBIDDEN])
    def test_a_bad_answer_is_asked_for_again_within_the_day(
        self, world: World, check: LinkCheck
    ) -> None:
        link = self.link(world, "https://shop.example/v")
        with clock.holding(link.publication.due_at - timedelta(hours=3)):
            with transaction():
                link.check, link.checked_at = check, now() - timedelta(minutes=59)
            assert link_checks.due() == []
            with transaction():
                link.checked_at = now() - timedelta(minutes=61)
            assert link_checks.due() == [link.id]

    def test_what_is_dropped_or_out_is_left_alone(self, world: World) -> None:
        link = self.link(world, "https://shop.example/v")
        with transaction():
            publications.drop(link.publication, by=None)
        assert link.publication.state is State.CANCELLED
        assert link_checks.due() == []

    def test_a_made_up_world_asks_nobody(
        self, world: World, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(link_checks, "_invented", [lambda: frozenset({f"{site.base}/v"})])
        link = self.link(world, f"{site.base}/v")
        link_checks.check(link.id, client=site.client)
        assert site.asked == []
        assert link_checks.due() == []
