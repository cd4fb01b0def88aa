"""Tracked links: their own domain, names people can read, what an approval pins, and their end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from flask import Flask

from cms.accounts.models import Role
from cms.core import config
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Forbidden, Invalid
from schedules import approvals, link_names, links, posts, publications, publishing
from schedules.content import content_hash, outgoing
from schedules.models import Post, TrackedLink
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.planning import World
from tests.schedules.ready import account, approved

SHORT = "https://s.example.com"


@pytest.fixture
def world(app: Flask) -> World:
    return World()


@pytest.fixture
def short_domain(app: Flask) -> Iterator[None]:
    before = config.current()
    config.use(replace(before, link_base_url=SHORT))
    yield
    config.use(before)


def by_hand(world: World) -> Post:
    """A post whose carrier gets the link as the last line of its words."""
    return world.plan(account=make.account(world.pool, channel="manual"))


def rename(link: TrackedLink, alias: str, by: object = None) -> None:
    with transaction():
        link_names.rename(link, alias, by=by)


def end(link: TrackedLink, on: date | None, at: time | None, fold: int | None = None) -> None:
    with transaction():
        link_names.end(link, on, at, fold=fold, by=None)


def refusal(link: TrackedLink, alias: str) -> str:
    with pytest.raises(Invalid) as caught:
        rename(link, alias)
    session.rollback()
    assert list(caught.value.fields) == ["alias"]
    return caught.value.problem.code


class TestAddresses:
    def test_the_short_domain_stands_in_the_words_and_pages_stay_where_they_are(
        self, world: World, short_domain: None
    ) -> None:
        post = by_hand(world)
        link = links.own_link(post.publication)
        assert outgoing(post).text.endswith(f"\n{SHORT}/l/{link.code}")
        assert links.reader_page_url(post.publication).startswith("http://localhost/p/")

    def test_code_and_name_lead_to_the_same_post(self, world: World) -> None:
        link = links.own_link(by_hand(world).publication)
        rename(link, "Spring-Sale")
        for typed in (link.code, "spring-sale", "SPRING-SALE"):
            assert links.by_code(typed) is link
        assert links.by_code(link.code.swapcase()) is None
        assert links.lasting_url(link).endswith(link.code)

    def test_a_sample_is_as_long_as_a_real_one(self, world: World) -> None:
        link = links.own_link(by_hand(world).publication)
        assert len(links.sample_url()) == len(links.url_of(link))


class TestNames:
    @pytest.mark.parametrize(
        "alias", ["ab", "a" * 61, "-ab", "ab-", "a b c", "春天", "a_b", "a/b", "a.b", "ａｂｃ"]
    )
    def test_what_cannot_be_read_aloud_is_refused(self, world: World, alias: str) -> None:
        assert refusal(links.own_link(by_hand(world).publication), alias) == "bad_alias"

    def test_words_of_the_site_are_kept_for_it(self, world: World) -> None:
        assert refusal(links.own_link(by_hand(world).publication), "Admin") == "alias_reserved"

    def test_one_name_leads_to_one_place(self, world: World) -> None:
        first = links.own_link(world.plan(at=time(8)).publication)
        second = links.own_link(world.plan(at=time(10)).publication)
        rename(first, "sale")
        assert refusal(second, "sale") == "alias_taken"

    def test_a_name_is_no_other_links_code(self, world: World) -> None:
        first = links.own_link(world.plan(at=time(8)).publication)
        second = links.own_link(world.plan(at=time(10)).publication)
        with transaction():
            first.code = "Ab3-Xyz"
        assert refusal(second, "ab3-xyz") == "alias_like_a_code"

    def test_the_same_name_again_changes_nothing(self, world: World) -> None:
        post = by_hand(world)
        link = links.own_link(post.publication)
        rename(link, "sale")
        revision = post.revision
        rename(link, " SALE ")
        assert post.revision == revision

    def test_a_name_too_long_for_the_carrier_is_refused(self, world: World) -> None:
        robot = make.account(world.pool, channel="wecom_robot", settings={"style": "text"})
        post = world.plan(account=robot)
        link = links.own_link(post.publication)
        room = 2048 - len(f"\n{links.url_of(link)}")
        with transaction():
            posts.edit(post, text="a" * room, expected_revision=post.revision, by=None)
        assert refusal(link, "b" * 60) == "content_too_long"
        rename(link, "b" * len(link.code))


class TestWhatAnApprovalPins:
    """R10: the fingerprint covers the link as readers see it."""

    def test_a_name_given_before_stands_in_the_words(self, world: World) -> None:
        post = by_hand(world)
        before, revision = content_hash(outgoing(post)), post.revision
        rename(links.own_link(post.publication), "sale", world.planner)
        assert outgoing(post).text.endswith("/l/sale")
        assert content_hash(outgoing(post)) != before
        assert post.revision == revision + 1

    def test_who_has_read_the_old_words_reads_again(self, world: World) -> None:
        post = by_hand(world)
        with transaction():
            posts.submit(post, by=world.planner)
        seen = post.revision
        rename(links.own_link(post.publication), "sale", world.planner)
        with pytest.raises(Conflict, match="changed since you read it"), transaction():
            approvals.approve(post, revision=seen, by=make.user(Role.OPERATOR))

    def test_who_chose_the_name_does_not_approve_it(self, world: World) -> None:
        post = by_hand(world)
        with transaction():
            posts.submit(post, by=world.planner)
        operator = make.user(Role.OPERATOR)
        rename(links.own_link(post.publication), "sale", operator)
        with pytest.raises(Forbidden), transaction():
            approvals.approve(post, revision=post.revision, by=operator)

    def test_a_name_given_afterwards_leads_there_and_changes_no_word(self, app: Flask) -> None:
        publication = approved(account=account())
        link, pinned = links.own_link(publication), publication.content_hash
        rename(link, "late-name")
        assert outgoing(publication.post).text.endswith(link.code)
        assert content_hash(outgoing(publication.post)) == pinned
        publishing.publish(publication.id, worker="here")
        assert publication.state is State.PUBLISHED
        assert links.by_code("late-name") is link

    def test_an_end_set_afterwards_changes_no_word(self, app: Flask) -> None:
        publication = approved(account=account())
        end(links.own_link(publication), (now() + timedelta(days=9)).date(), time(12))
        publishing.publish(publication.id, worker="here")
        assert publication.state is State.PUBLISHED

    def test_a_name_behind_the_approvals_back_holds_the_post(self, app: Flask) -> None:
        """Were the words to follow the name after all, the fingerprint would tell."""
        publication = approved(account=account())
        with transaction():
            links.own_link(publication).written = "other"
        publishing.publish(publication.id, worker="here")
        assert publication.state is State.HELD

    def test_an_approved_name_stays_until_the_approval_is_taken_back(self, world: World) -> None:
        post = by_hand(world)
        link = links.own_link(post.publication)
        rename(link, "sale", world.planner)
        with transaction():
            posts.submit(post, by=world.planner)
        with transaction():
            approvals.approve(post, revision=post.revision, by=make.user(Role.OPERATOR))
        assert outgoing(post).text.endswith("/l/sale")
        with pytest.raises(Conflict) as caught:
            rename(link, "sale-2")
        session.rollback()
        assert caught.value.problem.code == "alias_approved"
        with transaction():
            approvals.withdraw_approval(post, by=world.planner)
        rename(link, "sale-2")
        assert outgoing(post).text.endswith("/l/sale-2")

    def test_a_name_that_readers_have_stays_for_good(self, app: Flask) -> None:
        way = account()
        pool = make.pool()
        with transaction():
            way.pools.append(pool)
        publication = approved(account=way, pool=pool)
        with transaction():
            publications.unschedule(publication.post, by=None)
        link = links.own_link(publication)
        rename(link, "sale")
        with transaction():
            publications.schedule(publication, content_hash(outgoing(publication.post)), by=None)
        publishing.publish(publication.id, worker="here")
        assert publication.state is State.PUBLISHED
        with pytest.raises(Conflict) as caught:
            rename(link, "other")
        assert caught.value.problem.code == "alias_with_readers"


class TestEnd:
    def test_it_is_said_in_the_calendars_wall_time(self, world: World) -> None:
        post = by_hand(world)
        link = links.own_link(post.publication)
        end(link, world.day + timedelta(days=30), time(18))
        assert link.expires_at.astimezone(world.zone).isoformat()[:16] == (
            f"{world.day + timedelta(days=30)}T18:00"
        )
        end(link, None, None)
        assert link.expires_at is None

    @pytest.mark.parametrize(
        ("days", "at", "field", "code"),
        [
            (-400, time(9), "ends_on", "time_in_past"),
            (0, time(20, 30), "ends_on", "ends_too_early"),
            (None, time(9), "ends_on", "bad_time"),
            (3, None, "ends_at", "bad_time"),
        ],
    )
    def test_ends_that_cannot_be(
        self, world: World, days: int | None, at: time | None, field: str, code: str
    ) -> None:
        link = links.own_link(by_hand(world).publication)
        on = None if days is None else world.day + timedelta(days=days)
        with pytest.raises(Invalid) as caught:
            end(link, on, at)
        assert list(caught.value.fields) == [field]
        assert caught.value.problem.code == code

    def test_times_that_clocks_skip_or_show_twice(self, app: Flask) -> None:
        world = World(timezone="Europe/Berlin")
        link = links.own_link(by_hand(world).publication)
        year = world.day.year + 1
        spring = max(
            date(year, 3, day) for day in range(25, 32) if date(year, 3, day).weekday() == 6
        )
        autumn = max(
            date(year, 10, day) for day in range(25, 32) if date(year, 10, day).weekday() == 6
        )
        with pytest.raises(Invalid) as caught:
            end(link, spring, time(2, 30))
        assert caught.value.fields["ends_at"].code == "time_does_not_exist"
        session.rollback()
        with pytest.raises(Invalid) as caught:
            end(link, autumn, time(2, 30))
        assert caught.value.fields["fold"].code == "time_ambiguous"
        session.rollback()
        end(link, autumn, time(2, 30), fold=1)
        assert link.expires_at.hour == 1
