"""Pre-flight: each question asked where a person or the ledger would meet it."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
import time_machine

from cms.core import sealing, storage
from cms.core.clock import holding, now
from cms.core.db import transaction
from cms.core.errors import Invalid
from content_library import media
from content_library.models import VersionMedia
from schedules import approvals, calendars, posts, preflight
from schedules.channels import CHANNELS
from schedules.channels.base import Limits
from schedules.models import CarrierToken, TrackedLink
from schedules.preflight import Asked, Level
from schedules.states import LinkCheck, ReviewState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import png
from tests.schedules.ready import account, approved, submitted, tried

pytestmark = pytest.mark.usefixtures("app")


def codes(post, level=None):
    found = preflight.concerns(post)
    return [one.problem.code for one in found if level in (None, one.level)]


def approve(post):
    with transaction():
        approvals.approve(post, revision=post.revision, by=make.user())


def refused(post):
    with pytest.raises(Invalid) as caught:
        approve(post)
    return caught.value.problem.code


def change(row, **values):
    with transaction():
        for name, value in values.items():
            setattr(row, name, value)


def stopping(post):
    return codes(post, Level.BLOCKS)


def test_a_sound_post_meets_no_question():
    post = submitted()
    assert codes(post) == []
    approve(post)


class TestAsset:
    def test_the_day_that_counts_is_the_day_it_leaves(self):
        soon = now() + timedelta(days=3)
        ends = submitted(publish_at=soon)
        begins = submitted(publish_at=soon)
        change(ends.asset, valid_until=now().date() + timedelta(days=1))
        change(begins.asset, valid_from=now().date() + timedelta(days=1))
        assert stopping(ends) == ["asset_expired"]
        assert refused(ends) == "asset_expired"
        approve(begins)


class TestAccount:
    def test_a_paused_one_warns_and_lets_posts_wait(self):
        post = submitted()
        change(post.account, is_paused=True)
        assert codes(post, Level.WARNS) == ["account_paused"]
        approve(post)

    def test_a_retired_one_stops_a_post(self):
        post = submitted()
        change(post.account, is_paused=True, retired_at=now())
        assert codes(post) == ["account_retired"]
        assert refused(post) == "account_retired"

    def test_one_that_its_carrier_blocks_for_too_long_stops_a_post(self):
        post = submitted()
        late = post.publication.late_after
        change(post.account, blocked_until=late - timedelta(minutes=1))
        assert codes(post) == []
        change(post.account, blocked_until=late + timedelta(minutes=1))
        assert refused(post) == "account_blocked"

    def test_secrets_that_no_key_opens_hold_a_post_with_the_reason(self):
        publication = approved()
        change(publication.account, sealed="gAAAAA-broken")
        assert stopping(publication.post) == ["secret_unopenable"]
        tried(publication)
        assert publication.state is State.HELD
        assert publication.account.name in publication.reason

    def test_one_that_lacks_what_its_channel_needs_is_named(self):
        pool = make.pool()
        way = make.account(pool, channel="telegram")
        post = submitted(pool=pool, account=way)
        told = [one.problem for one in preflight.concerns(post) if one.level is Level.BLOCKS]
        lacking = {
            field.label
            for field in CHANNELS.get("telegram").fields
            if field.is_required and not field.default
        }
        assert lacking
        assert {problem.code for problem in told} == {"account_incomplete"}
        assert {problem.params["noun"] for problem in told} == lacking
        secrets = {f.name: "1:x" for f in CHANNELS.get("telegram").fields if f.is_secret}
        settings = {f.name: "1" for f in CHANNELS.get("telegram").fields if not f.is_secret}
        change(way, settings=settings, sealed=sealing.seal(secrets))
        assert stopping(post) == []

    def test_a_token_that_ends_before_and_was_not_renewed_warns(self):
        post = submitted()
        change(post.account, sealed=sealing.seal({"any": "x"}))
        realm = CHANNELS.get("reader").realm(
            preflight.account_health.addressing.way_of(post.account)
        )
        token = make._add(
            CarrierToken(
                realm=f"{realm}:agent",
                sealed="x",
                expires_at=post.publish_at - timedelta(minutes=1),
                last_fault="invalid secret",
            )
        )
        assert codes(post, Level.WARNS) == ["token_ends"]
        change(token, last_fault="")
        assert codes(post) == []
        change(token, last_fault="again", expires_at=post.publish_at + timedelta(minutes=1))
        assert codes(post) == []


class TestPictures:
    def picture(self):
        with transaction():
            return media.store(png(), "one.png", by=None)

    def test_a_picture_without_its_row_or_its_file(self):
        kept = self.picture()
        post = submitted(media_ids=[kept.id])
        assert codes(post) == []
        gone = submitted(media_ids=[999])
        assert stopping(gone) == ["picture_missing"]
        (storage.media().folder / kept.file).unlink()
        assert refused(post) == "picture_lost"

    def test_the_cover_counts_where_articles_are_shown(self):
        kept = self.picture()
        asset = make.asset()
        make._add(
            VersionMedia(version_id=asset.versions[0].id, media_id=kept.id, role="cover", alt="")
        )
        pool = make.pool()
        post = submitted(asset=asset, pool=pool, account=make.account(pool, channel="webhook"))
        (storage.media().folder / kept.file).unlink()
        assert "picture_lost" in stopping(post)
        change(post.account, channel="sandbox")
        assert "picture_lost" not in stopping(post)

    def test_a_file_that_vanished_after_approval_holds_the_post(self):
        publication = approved(media_ids=[self.picture().id])
        kept = media.get(publication.post.media_ids[0])
        (storage.media().folder / kept.file).unlink()
        assert tried(publication).state is State.HELD

    def test_a_format_that_no_rendition_can_reach(self, monkeypatch):
        post = submitted(media_ids=[self.picture().id])
        narrow = Limits(text=4000, picture_formats=("bmp",))
        monkeypatch.setattr(type(CHANNELS.get("reader")), "limits", narrow)
        assert stopping(post) == ["picture_format"]
        wide = Limits(text=4000, picture_formats=("jpeg",), picture_bytes=10)
        monkeypatch.setattr(type(CHANNELS.get("reader")), "limits", wide)
        assert stopping(post) == []


class TestLinks:
    def with_link(self, **fields):
        post = submitted(asset=make.asset(content={"url": "https://shop.example/a"}))
        values = {"code": "c0de", "target": "https://shop.example/a", "created_at": now()}
        link = make._add(TrackedLink(publication_id=post.publication.id, **(values | fields)))
        return post, link

    @pytest.mark.parametrize(
        ("check", "code", "level"),
        [
            (LinkCheck.GONE, "link_gone", Level.BLOCKS),
            (LinkCheck.FORBIDDEN, "link_forbidden", Level.BLOCKS),
            (LinkCheck.UNKNOWN, "link_silent", Level.WARNS),
        ],
    )
    def test_what_the_last_look_said(self, check, code, level):
        post, _link = self.with_link(check=check, checked_at=now())
        assert codes(post, level) == [code]
        if level is Level.BLOCKS:
            assert refused(post) == code
        else:
            approve(post)

    def test_a_link_nobody_has_looked_at_is_no_reason_to_worry(self):
        post, link = self.with_link()
        assert codes(post) == []
        change(link, check=LinkCheck.FINE, checked_at=now())
        assert codes(post) == []

    def test_one_that_ends_before_the_post_leaves(self):
        post, link = self.with_link()
        change(link, expires_at=post.publish_at + timedelta(minutes=1))
        assert codes(post) == []
        change(link, expires_at=post.publish_at)
        assert refused(post) == "link_expired"

    def test_a_link_of_an_earlier_version_is_in_nobodys_way(self):
        post, _link = self.with_link(
            target="https://shop.example/old", check=LinkCheck.GONE, checked_at=now()
        )
        assert codes(post) == []

    def test_a_link_found_dead_after_approval_holds_the_post(self):
        publication = approved(asset=make.asset(content={"url": "https://shop.example/a"}))
        make._add(
            TrackedLink(
                publication_id=publication.id,
                code="dead",
                target="https://shop.example/a",
                check=LinkCheck.GONE,
                checked_at=now(),
                created_at=now(),
            )
        )
        tried(publication)
        assert publication.state is State.HELD
        assert "shop.example" in publication.reason


class TestQuietHours:
    @pytest.mark.parametrize(
        ("begins", "ends", "at", "is_quiet"),
        [
            ((22, 0), (7, 0), "2026-05-18T21:59+08:00", False),
            ((22, 0), (7, 0), "2026-05-18T22:00+08:00", True),
            ((22, 0), (7, 0), "2026-05-19T06:59+08:00", True),
            ((22, 0), (7, 0), "2026-05-19T07:00+08:00", False),
            ((12, 0), (14, 0), "2026-05-19T13:00+08:00", True),
            ((12, 0), (14, 0), "2026-05-19T11:59+08:00", False),
        ],
    )
    def test_wall_times_on_both_sides_of_midnight(self, begins, ends, at, is_quiet):
        calendar = make.calendar(quiet_from=time(*begins), quiet_until=time(*ends))
        assert calendars.is_quiet(calendar, datetime.fromisoformat(at)) is is_quiet

    @pytest.mark.parametrize(
        ("at", "is_quiet"),
        [
            # 25 October 2026 in Berlin: 02:00–03:00 comes twice; the longer night is meant.
            ("2026-10-25T00:15+00:00", True),  # 02:15 the first time
            ("2026-10-25T00:45+00:00", True),  # 02:45 the first time
            ("2026-10-25T01:15+00:00", True),  # 02:15 the second time
            ("2026-10-25T01:30+00:00", False),  # 02:30 the second time
            # 29 March 2026: 02:30 does not exist, the jump from 02:00 to 03:00 ends the night.
            ("2026-03-29T00:59+00:00", True),  # 01:59
            ("2026-03-29T01:00+00:00", False),  # 03:00
        ],
    )
    def test_nights_on_which_the_clocks_are_set(self, at, is_quiet):
        calendar = make.calendar(
            timezone="Europe/Berlin", quiet_from=time(23), quiet_until=time(2, 30)
        )
        assert calendars.is_quiet(calendar, datetime.fromisoformat(at)) is is_quiet

    def test_a_day_that_never_was(self):
        """Samoa had no 30 December 2011."""
        calendar = make.calendar(timezone="Pacific/Apia", quiet_from=time(22), quiet_until=time(7))
        midnight = datetime.fromisoformat("2011-12-31T00:00+14:00")
        assert calendars.is_quiet(calendar, midnight)
        assert calendars.is_quiet(calendar, midnight + timedelta(hours=6, minutes=59))
        assert not calendars.is_quiet(calendar, midnight + timedelta(hours=7))

    def test_no_hours_are_never_quiet(self):
        assert not calendars.is_quiet(make.calendar(), now())

    def test_a_post_at_night_is_refused_when_approved_and_held_when_it_comes_late(self):
        with time_machine.travel("2026-05-18T12:00:00Z", tick=False):
            night = make.calendar(quiet_from=time(22), quiet_until=time(7))
            late = submitted(calendar=night, publish_at=now() + timedelta(hours=3))
            assert refused(late) == "quiet_hours"
            publication = approved(calendar=night, publish_at=now() + timedelta(hours=1))
        with time_machine.travel("2026-05-18T14:05:00Z", tick=False):
            tried(publication)
        assert publication.state is State.HELD
        assert publication.reason_parts["params"] == {"begins": "22:00", "ends": "07:00"}


class TestContacts:
    def posts_at(self, pool, calendar, *whens):
        return [submitted(pool=pool, calendar=calendar, publish_at=when) for when in whens]

    def test_a_day_is_a_wall_day_and_a_week_begins_on_monday(self):
        with time_machine.travel("2026-05-18T00:00:00Z", tick=False):  # a Monday, 08:00 there
            pool = make.pool(most_per_day=1, most_per_week=2)
            calendar = make.calendar()
            monday = datetime.fromisoformat("2026-05-18T23:50+08:00")
            same_day, next_day, sunday, next_week = (
                monday - timedelta(hours=1),
                monday + timedelta(minutes=20),
                monday + timedelta(days=6),
                monday + timedelta(days=6, minutes=20),
            )
            first, *others = self.posts_at(
                pool, calendar, monday, same_day, next_day, sunday, next_week
            )
            approve(first)
            assert refused(others[0]) == "contact_policy"
            approve(others[1])
            assert refused(others[2]) == "contact_policy"  # the week's third
            approve(others[3])

    def test_only_what_is_settled_counts_and_not_the_post_itself(self):
        pool, calendar = make.pool(most_per_day=1), make.calendar()
        at = now() + timedelta(minutes=10)
        first, second = self.posts_at(pool, calendar, at, at + timedelta(minutes=1))
        assert codes(first) == codes(second) == []
        approve(first)
        assert codes(first) == []
        assert stopping(second) == ["contact_policy"]
        change(first.publication, state=State.CANCELLED)
        assert codes(second) == []

    @pytest.mark.parametrize(
        ("state", "counts"),
        [
            (State.CLAIMED, True),
            (State.SENDING, True),
            (State.PUBLISHED, True),
            (State.HANDED_OVER, True),
            (State.UNCERTAIN, True),
            (State.HELD, False),
            (State.MISSED, False),
            (State.FAILED, False),
        ],
    )
    def test_which_states_reach_the_pool(self, state, counts):
        pool, calendar = make.pool(most_per_day=1), make.calendar()
        at = now() + timedelta(minutes=1)
        first, second = self.posts_at(pool, calendar, at, at)
        change(first.publication, state=state)
        assert (stopping(second) == ["contact_policy"]) is counts

    def test_when_the_limit_was_lowered_afterwards_the_earlier_post_goes(self):
        pool, calendar = make.pool(), make.calendar()
        first, second = (
            approved(pool=pool, calendar=calendar, publish_at=now() - timedelta(seconds=ago))
            for ago in (40, 20)
        )
        change(pool, most_per_day=1)
        assert tried(second).state is State.HELD
        assert tried(first).state is State.PUBLISHED


class TestWhenItIsAsked:
    def test_an_author_is_not_troubled_with_what_only_others_can_mend(self):
        post = make.post(review=ReviewState.DRAFT)
        change(post.account, sealed="broken")
        with transaction():
            posts.submit(post, by=make.user())
        assert refused(post) == "secret_unopenable"

    def test_planning_and_moving_are_never_refused(self):
        pool = make.pool(most_per_day=1)
        calendar = make.calendar(quiet_from=time(0), quiet_until=time(23, 59))
        post = make.post(pool=pool, calendar=calendar)
        day = date.today() + timedelta(days=9)
        with transaction():
            posts.move(post, wall_date=day, wall_time=time(3), by=None)
        assert stopping(post) == ["quiet_hours"]

    @pytest.mark.parametrize("many", [1, 40])
    def test_a_list_costs_no_more_than_one_post(self, count_queries, many):
        calendar = make.calendar()
        made = [
            submitted(
                pool=make.pool(most_per_day=3),
                calendar=calendar,
                account=account(sealed=sealing.seal({"a": "b"})),
                media_ids=[999],
            )
            for _ in range(many)
        ]
        subjects = [replace(preflight.subject_of(post), post=None) for post in made]
        with count_queries() as statements:
            found = preflight.ask(subjects, Asked.PLANNED)
        assert len(found) == many
        assert len(statements) <= 6  # pictures, tokens, links, blackouts, pools' fill, stops

    def test_the_clock_held_is_the_clock_asked(self):
        publication = approved()
        change(publication.post.asset, valid_until=now().date() + timedelta(days=1))
        with holding(now() + timedelta(days=3)):
            problems = preflight.objections(publication, preflight.outgoing(publication.post))
        assert [problem.code for problem in problems] == ["asset_expired"]
