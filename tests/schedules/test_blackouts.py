"""Blackouts: their ends as clocks show them, the posts they meet, and the posts they hold."""

from datetime import date, time, timedelta

import pytest
import time_machine

from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from schedules import approvals, blackouts, board, decisions
from schedules.blackouts import BlackoutFields, Edge
from schedules.models import Blackout
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.planning import World
from tests.schedules.ready import approved, submitted, tried

pytestmark = pytest.mark.usefixtures("app")


def dark(starts, ends, **fields) -> Blackout:
    """A blackout between two instants."""
    values = {"reason": "fair", "starts_at": starts, "ends_at": ends, "created_at": now()}
    return make._add(Blackout(**(values | fields)))


def dark_now(**fields) -> Blackout:
    return dark(now() - timedelta(hours=1), now() + timedelta(hours=1), **fields)


def add(starts, ends, **fields) -> Blackout:
    with transaction():
        return blackouts.add(BlackoutFields(Edge(*starts), Edge(*ends), **fields), by=None)


def test_a_post_inside_is_held_with_the_reason_and_goes_after_lifting():
    publication = approved()
    window = dark_now(reason="day of mourning")
    tried(publication)
    assert publication.state is State.HELD
    assert "day of mourning" in publication.reason
    assert publication.reason_parts["params"]["reason"] == "day of mourning"
    with pytest.raises(Invalid, match="mourning"), transaction():
        decisions.publish_now(publication, by=make.user())
    with transaction():
        blackouts.remove(window, by=None)
        decisions.publish_now(publication, by=make.user())
    assert tried(publication).state is State.PUBLISHED


def test_it_can_be_planned_but_not_approved():
    post = submitted()
    dark(post.publish_at - timedelta(minutes=1), post.publish_at + timedelta(minutes=1))
    with pytest.raises(Invalid) as caught, transaction():
        approvals.approve(post, revision=post.revision, by=make.user())
    assert caught.value.problem.code == "blackout"


def test_its_end_is_open_and_its_beginning_is_not():
    for shift, allowed in ((0, False), (60, True)):
        post = submitted()
        begins = post.publish_at - timedelta(seconds=shift)
        dark(begins, begins + timedelta(seconds=60), account_id=post.account_id)
        if allowed:
            with transaction():
                approvals.approve(post, revision=post.revision, by=make.user())
            continue
        with pytest.raises(Invalid), transaction():
            approvals.approve(post, revision=post.revision, by=make.user())


def test_another_calendars_or_accounts_night_is_not_ours():
    publication = approved()
    dark_now(calendar_id=make.calendar().id)
    dark_now(account_id=make.account().id)
    assert tried(publication).state is State.PUBLISHED


@pytest.mark.parametrize("of", ["calendar", "account"])
def test_our_own_is(of):
    publication = approved()
    own = {"calendar": publication.post.calendar_id, "account": publication.account_id}[of]
    dark_now(**{f"{of}_id": own})
    assert tried(publication).state is State.HELD


def test_adding_one_tells_which_approved_posts_it_meets():
    inside, outside = (
        approved(publish_at=now() + timedelta(hours=hours)).post.publication for hours in (2, 30)
    )
    submitted(publish_at=now() + timedelta(hours=2))
    zone = current().zone
    starts, ends = (now().astimezone(zone) + timedelta(hours=hours) for hours in (1, 4))
    made = add(
        (starts.date(), starts.time().replace(second=0, microsecond=0)),
        (ends.date(), ends.time().replace(second=0, microsecond=0)),
        reason="fair",
    )
    assert session.scalars(blackouts.conflicts(made)).all() == [inside]
    later = dark(outside.due_at, outside.due_at + timedelta(hours=1))
    narrow = dark(inside.due_at, outside.due_at, account_id=outside.account_id)
    counts = blackouts.conflict_counts([made, later, narrow])
    assert counts == {made.id: 1, later.id: 1, narrow.id: 0}


@pytest.mark.parametrize(
    ("starts", "ends", "fields", "field", "code"),
    [
        ((2, 10), (2, 9), {}, "ends_at", "ends_before_start"),
        ((2, 10), (2, 10), {}, "ends_at", "ends_before_start"),
        ((-3, 10), (-2, 10), {}, "ends_at", "time_in_past"),
        ((2, 10), (3, 10), {"reason": "  "}, "reason", "content_empty"),
        ((2, 10), (3, 10), {"reason": "x" * 301}, "reason", "content_too_long"),
        ((2, 10), (3, 10), {"calendar_id": 999}, "scope", "bad_choice"),
        ((2, 10), (3, 10), {"account_id": -1}, "scope", "bad_choice"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(starts, ends, fields, field, code):
    today = now().astimezone(current().zone).date()
    edges = [(today + timedelta(days=day), time(hour)) for day, hour in (starts, ends)]
    with pytest.raises(Invalid) as caught:
        add(*edges, **({"reason": "fair"} | fields))
    assert caught.value.fields[field].code == code
    assert session.query(Blackout).count() == 0


def test_its_ends_are_wall_times_that_exist(monkeypatch):
    monkeypatch.setattr(
        "schedules.blackouts.current", lambda: type("S", (), {"timezone": "Europe/Berlin"})
    )
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        with pytest.raises(Invalid) as skipped:
            add((date(2026, 3, 29), time(2, 30)), (date(2026, 3, 30), time(1)), reason="x")
        with pytest.raises(Invalid) as twice:
            add((date(2026, 10, 24), time(1)), (date(2026, 10, 25), time(2, 30)), reason="x")
        made = add((date(2026, 10, 24), time(1)), (date(2026, 10, 25), time(2, 30), 1), reason="x")
    assert skipped.value.fields["starts_at"].code == "time_does_not_exist"
    assert twice.value.fields["ends_fold"].code == "time_ambiguous"
    assert made.ends_at.isoformat() == "2026-10-25T01:30:00+00:00"


def test_the_board_shows_what_is_dark():
    world = World()
    post = world.plan(at=time(20, 30))
    other = make.account()
    day = post.publish_at.replace(hour=0, minute=0)
    dark(day - timedelta(days=3), day + timedelta(days=4), account_id=other.id)
    starts = post.publish_at - timedelta(minutes=30)
    dark(starts, starts + timedelta(hours=1), calendar_id=world.calendar.id, reason="rehearsal")
    cell = board.week(world.calendar, world.monday).cells[
        board.cell_id(world.pool.stage_id, world.day)
    ]
    (shown,) = cell.closings
    assert (shown.reason, shown.begins, shown.ends) == ("rehearsal", time(20), time(21))
    assert [one.problem.code for one in cell.cards[0].cautions] == ["blackout"]
