"""The board's view model: what stands where, what is free, what is warned of, at what price."""

from datetime import time, timedelta

import pytest

from audience.models import PoolKind
from cms.core.clock import now
from cms.core.db import session, transaction
from content_library.models import AssetStatus
from schedules import board, foresight, landing, posts, slots
from schedules.board import Wanted
from schedules.slots import Place
from schedules.states import PublicationState
from tests import factories as make
from tests.schedules.planning import World


@pytest.fixture
def world(app) -> World:
    return World()


def cards_of(shown, world, on=None):
    cell = shown.cells[board.cell_id(world.pool.stage_id, on or world.day)]
    return list(cell.cards)


def codes(card):
    return [one.problem.code for one in card.cautions]


def slot(world, at, *, weekday=None, theme=None, account=None):
    with transaction():
        return slots.add(
            world.calendar,
            account or world.account,
            weekday=world.day.weekday() if weekday is None else weekday,
            wall_time=at,
            wanted_theme=theme,
            by=None,
        )


class TestStanding:
    def test_posts_stand_in_their_stages_day_in_order(self, world):
        late, early = world.plan(at=time(20, 30)), world.plan(at=time(8))
        shown = board.week(world.calendar, world.monday)
        assert [card.post_id for card in cards_of(shown, world)] == [early.id, late.id]
        assert [day.count for day in shown.days] == [0, 0, 2, 0, 0, 0, 0]
        assert board.week(world.calendar, world.monday + timedelta(days=7)).days[2].count == 0

    def test_dropped_posts_leave_the_board(self, world):
        post = world.plan()
        with transaction():
            posts.withdraw(post, by=None)
        assert cards_of(board.week(world.calendar, world.monday), world) == []

    def test_other_calendars_keep_to_themselves(self, world):
        world.plan(calendar=make.calendar())
        assert cards_of(board.week(world.calendar, world.monday), world) == []

    def test_a_post_late_on_sunday_belongs_to_its_wall_date(self, app):
        world = World(timezone="Pacific/Kiritimati")  # fourteen hours ahead
        sunday = world.monday + timedelta(days=6)
        world.plan(on=sunday, at=time(23, 59))
        world.plan(on=world.monday, at=time(0, 5))
        shown = board.week(world.calendar, world.monday)
        assert [day.count for day in shown.days] == [1, 0, 0, 0, 0, 0, 1]

    def test_one_word_says_where_a_post_stands(self, world):
        draft, approved = world.plan(at=time(8)), world.approved(at=time(12))
        failed = world.plan(at=time(16))
        with transaction():
            failed.publication.state = PublicationState.FAILED
        shown = board.week(world.calendar, world.monday)
        states = {card.post_id: card.state for card in cards_of(shown, world)}
        assert states == {draft.id: "draft", approved.id: "scheduled", failed.id: "failed"}
        assert shown.counts == {"draft": 1, "scheduled": 1, "failed": 1}

    def test_filters_narrow_what_is_shown(self, world):
        moments = make.pool(kind=PoolKind.MOMENTS, stage_id=world.pool.stage_id)
        world.plan(at=time(8))
        world.plan(at=time(9), pool=moments, account=make.account(moments))
        shown = board.week(world.calendar, world.monday, Wanted(kind="moments"))
        assert [card.pool.kind for card in cards_of(shown, world)] == [PoolKind.MOMENTS]
        only = board.week(world.calendar, world.monday, Wanted(stage=world.pool.stage.slug))
        assert [row.stage.slug for row in only.rows] == [world.pool.stage.slug]
        none = board.week(world.calendar, world.monday, Wanted(state="published"))
        assert cards_of(none, world) == []


class TestFreeSlots:
    def test_a_slot_is_free_until_a_post_stands_within_the_gap(self, world):
        theme = make.tag(slug="trust", hue=2)
        slot(world, time(12, 30), theme=theme)
        cell_id = board.cell_id(world.pool.stage_id, world.day)
        (free,) = board.week(world.calendar, world.monday).cells[cell_id].free
        assert (free.place.at, free.wanted_theme) == (time(12, 30), theme)
        world.plan(at=time(12, 1))
        assert board.week(world.calendar, world.monday).cells[cell_id].free == ()

    def test_an_account_offers_its_slot_to_each_of_its_pools(self, world):
        slot(world, time(12, 30))
        free = landing.free_of_week(world.calendar, world.day)
        assert {one.place.pool_id for one in free} == {world.pool.id, world.other_pool.id}

    def test_slots_that_are_over_are_not_offered(self, world):
        slot(world, time(0, 0), weekday=0)
        this_monday = world.today - timedelta(days=world.today.weekday())
        assert landing.free_of_week(world.calendar, this_monday) == []
        assert landing.free_of_week(world.calendar, world.monday) != []

    def test_a_slot_that_clocks_skip_is_not_offered(self, app):
        world = World(timezone="Europe/Berlin")
        sunday = next(
            day
            for n in range(400)
            if (day := world.today + timedelta(days=n)).month == 3
            and day.weekday() == 6
            and day.day > 24
            and n > 6
        )
        slot(world, time(2, 30), weekday=6)
        slot(world, time(9), weekday=6)
        free = landing.free_of_week(world.calendar, sunday)
        assert {one.place.at for one in free} == {time(9)}

    def test_a_day_of_the_board_leads_to_its_first_free_slot(self, world):
        slot(world, time(8))
        slot(world, time(12, 30))
        name = landing.cell_name(world.pool.stage_id, world.day)
        assert landing.resolve(world.calendar, name).at == time(8)
        world.plan(at=time(8))
        assert landing.resolve(world.calendar, name).at == time(12, 30)

    def test_a_moved_post_keeps_its_time_where_it_can(self, world):
        slot(world, time(8))
        post = world.plan(at=time(21, 15))
        tomorrow = world.day + timedelta(days=1)
        name = landing.cell_name(world.pool.stage_id, tomorrow)
        place = landing.resolve(world.calendar, name, moving=post)
        assert place == Place(tomorrow, time(21, 15), world.pool.id, world.account.id)

    def test_slot_names_come_back_as_places(self):
        place = Place(now().date(), time(20, 30), 7, 12)
        assert slots.parse(place.name) == place


class TestWarnings:
    def test_an_asset_that_comes_back_within_a_week(self, world):
        asset = make.asset()
        friday = world.monday + timedelta(days=4)
        first = world.plan(asset=asset, on=friday)
        again = world.plan(asset=asset, on=friday + timedelta(days=6))
        later = board.week(world.calendar, world.monday + timedelta(days=7))
        (card,) = cards_of(later, world, friday + timedelta(days=6))
        assert (card.post_id, codes(card)) == (again.id, ["repeated"])
        assert card.cautions[0].problem.params["day"] == first.wall_date.isoformat()
        (own,) = cards_of(board.week(world.calendar, world.monday), world, friday)
        assert codes(own) == []

    def test_eight_days_later_it_is_fresh_again(self, world):
        asset = make.asset()
        world.plan(asset=asset, on=world.monday)
        later = world.monday + timedelta(days=8)
        world.plan(asset=asset, on=later)
        shown = board.week(world.calendar, later - timedelta(days=later.weekday()))
        assert codes(cards_of(shown, world, later)[0]) == []

    def test_two_pools_of_a_stage_on_one_day_are_no_repeat(self, world):
        asset, near = make.asset(), make.pool(stage_id=world.pool.stage_id)
        world.plan(asset=asset, at=time(8))
        world.plan(asset=asset, at=time(9), pool=near, account=make.account(near))
        shown = board.week(world.calendar, world.monday)
        assert [codes(card) for card in cards_of(shown, world)] == [[], []]

    def test_the_third_promotion_of_a_week_is_too_many(self, world):
        selling = make.tag(slug="promotion")
        for hour in (8, 12, 16):
            world.plan(asset=make.asset(selling), at=time(hour))
        shown = board.week(world.calendar, world.monday)
        assert [codes(card) for card in cards_of(shown, world)] == [[], [], ["overload"]]

    def test_an_asset_meant_for_another_stage(self, world):
        other = make.tag("stage", slug="some-other-stage")
        own = make.tag("stage", slug=world.pool.stage.slug)
        world.plan(asset=make.asset(other), at=time(8))
        world.plan(asset=make.asset(other, own), at=time(9))
        shown = board.week(world.calendar, world.monday)
        assert [codes(card) for card in cards_of(shown, world)] == [["wrong_stage"], []]

    def test_assets_that_could_not_go_out(self, world):
        draft = make.asset(status=AssetStatus.DRAFT)
        gone, old = make.asset(), make.asset()
        world.plan(asset=draft, at=time(8))
        world.plan(asset=gone, at=time(9))
        world.plan(asset=old, at=time(10))
        with transaction():
            gone.status = AssetStatus.RETIRED
            old.valid_until = world.day - timedelta(days=1)
        found = [codes(card) for card in cards_of(board.week(world.calendar, world.monday), world)]
        assert found == [["asset_not_ready"], ["asset_retired"], ["asset_expired"]]

    def test_a_newer_version_is_told(self, world):
        post = world.plan()
        with transaction():
            post.asset.latest_number = 2
        shown = board.week(world.calendar, world.monday)
        assert codes(cards_of(shown, world)[0]) == ["asset_newer"]

    def test_what_went_out_is_not_warned_of(self, world):
        post = world.plan(asset=make.asset(status=AssetStatus.DRAFT))
        with transaction():
            post.publication.state = PublicationState.PUBLISHED
        assert codes(cards_of(board.week(world.calendar, world.monday), world)[0]) == []

    def test_an_empty_day_is_a_gap_once_the_week_has_begun_to_fill(self, world):
        slot(world, time(8))
        cell_id = board.cell_id(world.pool.stage_id, world.day)
        assert board.week(world.calendar, world.monday).cells[cell_id].caution is None
        world.plan(on=world.monday)
        assert board.week(world.calendar, world.monday).cells[cell_id].caution.problem.code == "gap"

    def test_the_same_is_foreseen_before_anything_is_planned(self, world):
        asset = make.asset(make.tag("stage", slug="elsewhere"), status=AssetStatus.DRAFT)
        world.plan(asset=asset, on=world.monday)
        place = Place(world.day, time(9), world.pool.id, world.account.id)
        found = foresight.cautions_at(world.calendar, asset, place)
        assert [one.problem.code for one in found] == ["repeated", "wrong_stage", "asset_not_ready"]


@pytest.mark.parametrize("posts_of_week", [150, 1000])
def test_the_boards_price_does_not_grow(app, count_queries, posts_of_week):
    world = World(gap_minutes=0)
    theme = make.tag(slug="trust", hue=2)
    assets = [make.asset(theme) for _ in range(20)]
    with transaction():
        for n in range(posts_of_week):
            day, minute = world.monday + timedelta(days=n % 7), n // 7
            make.post(
                calendar=world.calendar,
                pool=world.pool,
                account=world.account,
                asset=assets[n % 20],
                publish_at=_instant(world, day, time(6 + minute // 60, minute % 60)),
            )
    session.expire_all()
    with count_queries() as statements:
        shown = board.week(world.calendar, world.monday)
    assert sum(day.count for day in shown.days) == posts_of_week
    assert len(statements) <= 12


def _instant(world, day, at):
    return (
        now()
        .astimezone(world.zone)
        .replace(
            year=day.year,
            month=day.month,
            day=day.day,
            hour=at.hour,
            minute=at.minute,
            second=0,
            microsecond=0,
        )
    )
