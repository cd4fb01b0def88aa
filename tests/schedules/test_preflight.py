"""Pre-flight: each question asked where a person or the ledger would meet it."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from cms.core import sealing, storage
from cms.core.clock import holding, now
from cms.core.db import transaction
from content_library import media
from content_library.models import VersionMedia
from schedules import posts, preflight
from schedules.channels import CHANNELS
from schedules.channels.base import Limits
from schedules.models import CarrierToken, TrackedLink
from schedules.preflight import Asked, Level
from schedules.states import LinkCheck, ReviewState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import stored
from tests.schedules.asking import approve, codes, refused, stopping
from tests.schedules.ready import account, approved, change, submitted, tried

pytestmark = pytest.mark.usefixtures("app")


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
        assert tried(publication).state is State.HELD
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
    def test_a_picture_without_its_row_or_its_file(self):
        kept = stored()
        post = submitted(media_ids=[kept.id])
        assert codes(post) == []
        gone = submitted(media_ids=[999])
        assert stopping(gone) == ["picture_missing"]
        (storage.media().folder / kept.file).unlink()
        assert refused(post) == "picture_lost"

    def test_the_cover_counts_where_articles_are_shown(self):
        kept = stored()
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
        publication = approved(media_ids=[stored().id])
        kept = media.get(publication.post.media_ids[0])
        (storage.media().folder / kept.file).unlink()
        assert tried(publication).state is State.HELD

    def test_a_format_that_no_rendition_can_reach(self, monkeypatch):
        post = submitted(media_ids=[stored().id])
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
        assert tried(publication).state is State.HELD
        assert "shop.example" in publication.reason


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
