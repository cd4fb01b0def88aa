"""Posts: planning, changing, dropping and handing in, through the operations everybody uses."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from audience.models import PoolKind
from cms.accounts.models import AuditEntry, Role
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid
from content_library.models import AssetStatus, AssetVersion
from schedules import approvals, posts
from schedules.content import outgoing
from schedules.models import Post
from schedules.states import PublicationState, ReviewState
from tests import factories as make
from tests.schedules.planning import World


@pytest.fixture
def world(app) -> World:
    return World()


def code_of(call: Any, error: type[Invalid | Conflict] = Invalid) -> str:
    with pytest.raises(error) as refused, transaction():
        call()
    return refused.value.problem.code


def actions(post: Post) -> list[str]:
    rows = select(AuditEntry.action).where(
        AuditEntry.object_type == "posts", AuditEntry.object_id == post.id
    )
    return list(session.scalars(rows.order_by(AuditEntry.id)))


class TestPlanning:
    def test_a_post_starts_with_its_assets_words_and_its_publication(self, world):
        asset = make.asset(title="转行三步", summary="给上班族的一张时间表。")
        post = world.plan(asset=asset)
        assert post.text == "转行三步\n给上班族的一张时间表。"
        assert (post.review, post.revision) == (ReviewState.DRAFT, 1)
        assert post.publication.state is PublicationState.PLANNED
        assert post.publication.due_at == post.publish_at
        assert post.publication.late_after == post.publish_at + timedelta(minutes=30)
        assert len(post.publication.links) == 1
        assert actions(post) == ["post.created"]

    def test_the_instant_is_what_clocks_show_in_the_calendars_zone(self, world):
        post = world.plan(at=time(20, 30))
        assert post.publish_at.astimezone().utcoffset() is not None
        local = post.publish_at.astimezone(world.zone)
        assert (local.date(), local.time()) == (world.day, time(20, 30))

    @pytest.mark.parametrize("text", ["", "  \n ", "\u200b\u2060", "\u3164"])
    def test_words_nobody_can_see_are_no_words(self, world, text):
        assert code_of(lambda: world.plan(text=text)) == "content_empty"
        assert session.scalar(select(Post)) is None

    def test_the_carriers_limit_counts_the_link_that_goes_along(self, world):
        by_hand = make.account(world.pool, channel="manual")  # takes 2,000 characters
        post = world.plan(account=by_hand, text="x" * 1000)
        link = len(outgoing(post).text) - 1000
        assert (
            code_of(lambda: world.plan(account=by_hand, text="x" * (2001 - link), at=time(9)))
            == "content_too_long"
        )
        world.plan(account=by_hand, text="x" * (2000 - link), at=time(9))

    @pytest.mark.parametrize("minutes", [0, 1, 29, -29])
    def test_a_pool_gets_no_two_posts_within_its_gap(self, world, minutes):
        first = world.plan(at=time(12, 0))
        near = (datetime(2026, 1, 1, 12) + timedelta(minutes=minutes)).time()
        with pytest.raises(Invalid) as refused, transaction():
            world.plan(at=near)
        assert refused.value.problem.code == "slot_taken"
        assert refused.value.problem.params["title"] == first.version.title
        assert refused.value.problem.params["post"] == first.id

    def test_the_gap_itself_other_pools_and_dropped_posts_leave_room(self, world):
        first = world.plan(at=time(12, 0))
        world.plan(at=time(12, 30))
        world.plan(at=time(12, 0), pool=world.other_pool)
        with transaction():
            posts.withdraw(first, by=world.planner)
        world.plan(at=time(11, 59))

    def test_a_calendar_without_a_gap_still_keeps_the_minute(self, app):
        world = World(gap_minutes=0)
        world.plan(at=time(12, 0))
        world.plan(at=time(12, 1))
        assert code_of(lambda: world.plan(at=time(12, 0))) == "slot_taken"

    def test_what_is_over_is_refused_unless_it_tells_history(self, world):
        yesterday = world.today - timedelta(days=1)
        assert code_of(lambda: world.plan(on=yesterday)) == "time_in_past"
        assert world.plan(on=yesterday, is_history=True).publish_at < now()

    def test_assets_out_of_use_are_refused(self, world):
        retired = make.asset(status=AssetStatus.RETIRED)
        expired = make.asset(valid_until=world.day - timedelta(days=1))
        early = make.asset(valid_from=world.day + timedelta(days=1))
        assert code_of(lambda: world.plan(asset=retired)) == "asset_retired"
        assert code_of(lambda: world.plan(asset=expired)) == "asset_expired"
        assert code_of(lambda: world.plan(asset=early)) == "asset_too_early"
        world.plan(asset=make.asset(valid_until=world.day, valid_from=world.day))

    def test_the_account_must_reach_the_pool_and_the_pool_be_in_use(self, world):
        stranger, closed = make.account(), make.pool(is_active=False)
        speaker = make.account(closed)
        assert code_of(lambda: world.plan(account=stranger)) == "pool_not_reached"
        assert code_of(lambda: world.plan(pool=closed, account=speaker)) == "pool_inactive"

    def test_clocks_that_jump_are_asked_about(self, app):
        world = World(timezone="Europe/Berlin")
        year = world.today.year + 1
        spring = max(
            date(year, 3, 25 + n) for n in range(7) if date(year, 3, 25 + n).weekday() == 6
        )
        autumn = max(
            date(year, 10, 25 + n) for n in range(7) if date(year, 10, 25 + n).weekday() == 6
        )
        assert code_of(lambda: world.plan(on=spring, at=time(2, 30))) == "time_does_not_exist"
        assert code_of(lambda: world.plan(on=autumn, at=time(2, 30))) == "time_ambiguous"
        second = world.plan(on=autumn, at=time(2, 30), fold=1)
        first = world.plan(on=autumn, at=time(2, 30), fold=0)
        assert second.publish_at - first.publish_at == timedelta(hours=1)


class TestChanging:
    def test_editing_raises_the_revision_and_withdraws_the_approval(self, world):
        post = world.approved()
        with transaction():
            posts.edit(post, text="Other words", expected_revision=1, by=world.planner)
        assert (post.text, post.revision, post.review) == ("Other words", 2, ReviewState.DRAFT)
        assert post.publication.state is PublicationState.PLANNED
        assert post.publication.content_hash is None
        assert post.submitted_by is None
        assert actions(post)[-1] == "post.edited"

    def test_saying_the_same_changes_nothing(self, world):
        post = world.approved()
        with transaction():
            posts.edit(post, text=post.text, expected_revision=1, by=world.planner)
        assert (post.revision, post.review) == (1, ReviewState.APPROVED)

    def test_two_writers_cannot_overwrite_each_other(self, world):
        post = world.plan()
        with transaction():
            posts.edit(post, text="First", expected_revision=1, by=world.planner)
        late = lambda: posts.edit(post, text="Second", expected_revision=1, by=None)  # noqa: E731
        assert code_of(late, Conflict) == "changed_meanwhile"
        assert post.text == "First"

    def test_a_picture_that_does_not_exist_is_refused(self, world):
        post = world.plan()
        assert (
            code_of(
                lambda: posts.edit(
                    post, text="x", media_ids=[999_999], expected_revision=1, by=world.planner
                )
            )
            == "picture_missing"
        )

    def test_moving_takes_the_publication_along(self, world):
        post = world.approved()
        day = world.day + timedelta(days=1)
        with transaction():
            posts.move(post, wall_date=day, wall_time=time(8), by=world.planner)
        assert (post.wall_date, post.wall_time) == (day, time(8))
        assert post.publication.due_at == post.publish_at
        assert (post.review, post.revision) == (ReviewState.DRAFT, 2)
        assert post.publication.state is PublicationState.PLANNED

    def test_moving_to_where_it_stands_changes_nothing(self, world):
        post = world.approved()
        with transaction():
            posts.move(post, wall_date=post.wall_date, wall_time=post.wall_time, by=world.planner)
        assert (post.review, post.revision) == (ReviewState.APPROVED, 1)

    def test_it_may_move_by_less_than_the_gap(self, world):
        post = world.plan(at=time(12))
        with transaction():
            posts.move(post, wall_date=world.day, wall_time=time(12, 5), by=world.planner)
        assert post.wall_time == time(12, 5)

    def test_moving_onto_another_post_is_refused(self, world):
        world.plan(at=time(8))
        post = world.plan(at=time(12))
        call = lambda: posts.move(  # noqa: E731
            post, wall_date=world.day, wall_time=time(8), by=world.planner
        )
        assert code_of(call) == "slot_taken"
        assert post.wall_time == time(12)

    def test_another_pool_brings_an_account_that_reaches_it(self, world):
        far = make.pool(kind=PoolKind.MOMENTS)
        speaker = make.account(far, channel="manual")
        post = world.plan()
        with transaction():
            posts.move(post, wall_date=world.day, wall_time=time(9), pool=far, by=world.planner)
        assert (post.pool_id, post.account_id) == (far.id, speaker.id)
        assert (post.publication.pool_id, post.publication.account_id) == (far.id, speaker.id)
        assert post.publication.late_after == post.publish_at + timedelta(minutes=120)

    def test_a_pool_nobody_reaches_is_refused(self, world):
        post, lonely = world.plan(), make.pool()
        call = lambda: posts.move(  # noqa: E731
            post, wall_date=world.day, wall_time=time(9), pool=lonely, by=None
        )
        assert code_of(call) == "pool_not_reached"

    def test_another_asset_brings_its_words(self, world):
        post = world.approved()
        other = make.asset(title="Other", summary="Something else")
        with transaction():
            posts.replace_asset(post, other, by=world.planner)
        assert (post.asset_id, post.version_id) == (other.id, other.versions[0].id)
        assert post.text == "Other\nSomething else"
        assert post.review is ReviewState.DRAFT
        assert actions(post)[-1] == "post.asset_replaced"

    def test_the_newest_version_may_keep_the_words(self, world):
        post = world.plan(text="My own words")
        with transaction():
            newer = AssetVersion(
                asset_id=post.asset_id, number=2, title="Newer", created_at=now(), lang="en"
            )
            session.add(newer)
            post.asset.latest_number = 2
        with transaction():
            posts.replace_asset(post, post.asset, keeps_text=True, by=world.planner)
        assert (post.version.number, post.text) == (2, "My own words")

    @pytest.mark.parametrize(
        "state",
        [
            PublicationState.CLAIMED,
            PublicationState.SENDING,
            PublicationState.PUBLISHED,
            PublicationState.HANDED_OVER,
            PublicationState.UNCERTAIN,
        ],
    )
    def test_what_is_going_out_cannot_change(self, world, state):
        post, other = world.plan(), make.asset()
        with transaction():
            post.publication.state = state
        for call in (
            lambda: posts.edit(post, text="Late", expected_revision=1, by=None),
            lambda: posts.move(post, wall_date=world.day, wall_time=time(9), by=None),
            lambda: posts.replace_asset(post, other, by=None),
            lambda: posts.withdraw(post, by=None),
            lambda: posts.submit(post, by=world.planner),
        ):
            assert code_of(call, Conflict) == "already_going_out"
        assert (post.revision, post.publication.state) == (1, state)


class TestDroppingAndHandingIn:
    def test_dropping_and_taking_back(self, world):
        post = world.approved()
        with transaction():
            posts.withdraw(post, by=world.planner)
            posts.withdraw(post, by=world.planner)
        assert post.publication.state is PublicationState.CANCELLED
        assert actions(post).count("post.dropped") == 1
        edit = lambda: posts.edit(post, text="x", expected_revision=1, by=None)  # noqa: E731
        assert code_of(edit, Conflict) == "post_dropped"
        with transaction():
            posts.restore(post, by=world.planner)
        assert post.publication.state is PublicationState.PLANNED
        assert post.review is ReviewState.DRAFT

    def test_a_place_taken_meanwhile_is_not_taken_back(self, world):
        post = world.plan(at=time(12))
        with transaction():
            posts.withdraw(post, by=world.planner)
        world.plan(at=time(12))
        assert code_of(lambda: posts.restore(post, by=None)) == "slot_taken"

    def test_handing_in_twice_counts_once(self, world):
        post = world.plan()
        with transaction():
            posts.submit(post, by=world.planner)
            posts.submit(post, by=world.planner)
        assert post.review is ReviewState.SUBMITTED
        assert post.submitted_by_id == world.planner.id
        assert actions(post).count("post.submitted") == 1

    def test_what_could_not_go_out_is_not_handed_in(self, world):
        post = world.plan(asset=make.asset(status=AssetStatus.DRAFT))
        assert code_of(lambda: posts.submit(post, by=world.planner)) == "asset_not_ready"
        assert post.review is ReviewState.DRAFT

    def test_a_week_is_handed_in_and_the_rest_is_told(self, world):
        good = [world.plan(at=time(8)), world.plan(at=time(20))]
        bad = world.plan(at=time(12), asset=make.asset(status=AssetStatus.DRAFT))
        monday = world.day - timedelta(days=world.day.weekday())
        with transaction():
            report = posts.submit_week(world.calendar, monday, by=world.planner)
        assert report.submitted == good
        assert [(one.post, one.problem.code) for one in report.refused] == [
            (bad, "asset_not_ready")
        ]
        assert [post.review for post in good] == [ReviewState.SUBMITTED] * 2

    def test_whoever_moved_a_post_last_may_not_approve_it(self, world):
        """The approval asks the trail which of my operations wrote last."""
        operator = make.user(Role.OPERATOR)
        post = world.plan()
        with transaction():
            posts.move(post, wall_date=world.day, wall_time=time(9), by=operator)
            posts.submit(post, by=world.planner)
        assert approvals.is_own(post, operator)
        assert not approvals.is_own(post, make.user(Role.OPERATOR))
