"""The next twenty-four hours, played through: every verdict with its reason, and the truth of it."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from cms.core.clock import holding, now
from cms.core.db import session, transaction
from schedules import dry_run, hints, late, publishing, stops
from schedules.dry_run import Verdict
from schedules.models import Blackout
from schedules.states import PublicationState as State
from schedules.states import ReviewState, StopScope
from schedules.stops import StopFields
from tests import factories as make
from tests.schedules.ready import account, approved, change, submitted

pytestmark = pytest.mark.usefixtures("app")


def told():
    """Verdict and codes by publication."""
    found = dry_run.forecast()
    return {
        line.publication.id: (line.verdict.value, [one.code for one in line.reasons])
        for line in found.lines
    }


def soon(**fields):
    return approved(publish_at=now() + timedelta(hours=1), **fields)


def test_an_approved_post_goes_out_at_its_minute():
    publication = soon()
    (line,) = dry_run.forecast().lines
    assert (line.verdict, line.at) == (Verdict.GOES, publication.due_at)


def test_only_what_is_due_in_the_next_day_is_told_in_order_of_time():
    later, first = soon(), approved(publish_at=now() + timedelta(minutes=1))
    approved(publish_at=now() + timedelta(hours=25))
    make.post(publish_at=now() - timedelta(hours=1))  # over, and nobody approved it
    change(soon(), state=State.PUBLISHED)
    change(soon(), state=State.CANCELLED)
    assert [line.publication for line in dry_run.forecast().lines] == [first, later]


@pytest.mark.parametrize(
    ("review", "words"),
    [
        (ReviewState.DRAFT, "It is a draft"),
        (ReviewState.SUBMITTED, "It waits for approval"),
        (ReviewState.REJECTED, "It was sent back"),
    ],
)
def test_what_nobody_approved_stays(review, words):
    submitted(review=review, publish_at=now() + timedelta(hours=1))
    (line,) = dry_run.forecast().lines
    assert line.verdict is Verdict.STAYS
    assert str(line.reasons[0]).startswith(words)


def test_each_reason_to_stay_is_named():
    at = now() + timedelta(hours=1)
    stopped, paused, dark, changed, gone, held = (soon() for _ in range(6))
    night = make.calendar(quiet_from=(at - timedelta(hours=1)).time(), quiet_until=at.time())
    quiet = soon()
    with transaction():
        stops.raise_stop(
            StopFields(StopScope.ACCOUNT, "fire", account_id=stopped.account_id), by=None
        )
    change(paused.account, is_paused=True)
    make._add(
        Blackout(
            account_id=dark.account_id,
            starts_at=at - timedelta(hours=1),
            ends_at=at + timedelta(hours=1),
            reason="fair",
            created_at=now(),
        )
    )
    change(changed.post, text="Secretly other words")
    change(gone.post.asset, status="retired")
    change(held, state=State.HELD, reason="It was held: 3", reason_parts={})
    change(night, timezone="UTC", quiet_until=(at + timedelta(hours=1)).time())
    change(quiet.post, calendar=night)
    assert told() == {
        stopped.id: ("stays", ["stopped"]),
        paused.id: ("stays", ["account_paused"]),
        dark.id: ("stays", ["blackout"]),
        changed.id: ("stays", ["content_changed"]),
        gone.id: ("stays", ["asset_retired"]),
        held.id: ("stays", ["held"]),
        quiet.id: ("stays", ["quiet_hours"]),
    }


def test_a_limit_lowered_lets_the_earlier_ones_go_and_those_that_stay_take_no_place():
    pool = make.pool()
    first, second, third, fourth = (
        approved(pool=pool, calendar=make.calendar(), publish_at=now() + timedelta(minutes=n))
        for n in range(1, 5)
    )
    change(pool, most_per_week=2)
    change(first.post.asset, status="retired")
    assert [told()[one.id][0] for one in (first, second, third, fourth)] == [
        "stays",
        "goes",
        "goes",
        "stays",
    ]
    assert told()[fourth.id][1] == ["contact_policy"]


def test_an_account_lets_only_so_many_leave_in_a_minute():
    slow, pool = account(per_minute=6), make.pool()
    due = now() + timedelta(minutes=10)
    many = [approved(account=slow, pool=pool, publish_at=due) for _ in range(12)]
    other = approved(publish_at=due)
    change(many[11], late_after=due + timedelta(minutes=1))
    lines = {line.publication.id: line for line in dry_run.forecast().lines}
    leave = [lines[one.id].at for one in many[:11]]
    assert leave == sorted(leave)
    assert min(later - earlier for earlier, later in pairwise(leave)) >= timedelta(seconds=11)
    assert [lines[one.id].verdict.value for one in many[:7]] == ["goes"] * 6 + ["late"]
    assert lines[many[6].id].reasons[0].code == "paced"
    assert [one.code for one in lines[many[11].id].reasons] == ["missed", "paced"]
    assert lines[other.id].verdict is Verdict.GOES


def test_a_block_of_the_carrier_makes_late_what_can_still_go():
    publication = approved(publish_at=now() + timedelta(minutes=1))
    change(publication.account, blocked_until=now() + timedelta(minutes=20))
    (line,) = dry_run.forecast().lines
    assert (line.verdict, line.at) == (Verdict.LATE, publication.account.blocked_until)
    assert [one.code for one in line.reasons] == ["account_blocked"]


def test_what_it_says_is_what_then_happens():
    """Played through first, then really, second by second, with the clock held."""
    pool, slow = make.pool(), account(per_minute=12)
    start = now().replace(microsecond=0)
    with holding(start):
        rows = [
            approved(account=slow, pool=pool, publish_at=start + timedelta(seconds=n // 4))
            for n in range(24)
        ]
        change(rows[3].post.asset, status="retired")
        change(rows[-1], late_after=start + timedelta(seconds=30))
        foretold = {line.publication.id: line for line in dry_run.forecast().lines}
    play(start, start + timedelta(minutes=4))
    for row in rows:
        line = foretold[row.id]
        assert (row.state is State.PUBLISHED) is (line.verdict is not Verdict.STAYS), row.id
        if row.published_at:
            assert abs(row.published_at - line.at) <= timedelta(seconds=3)
    assert rows[3].state is State.HELD
    assert rows[-1].state is State.MISSED


def test_what_is_missed_takes_nobodys_turn():
    """After an outage: what is too late is missed at once, and what is not goes in its turn."""
    pool, slow = make.pool(), account(per_minute=6)
    start = now().replace(microsecond=0)
    with holding(start):
        rows = [
            approved(account=slow, pool=pool, publish_at=start - timedelta(minutes=12 - n))
            for n in range(10)
        ]
        for row in rows[:8]:
            change(row, late_after=start - timedelta(seconds=1))
        for row in rows[8:]:
            change(row, late_after=start + timedelta(seconds=30))
        foretold = {line.publication.id: line for line in dry_run.forecast().lines}
    play(start, start + timedelta(minutes=1))
    assert [row.state for row in rows] == [State.MISSED] * 8 + [State.PUBLISHED] * 2
    for row in rows[8:]:
        line = foretold[row.id]
        assert line.verdict is Verdict.LATE, line.reasons
        assert abs(row.published_at - line.at) <= timedelta(seconds=3)


def play(start: datetime, end: datetime, step: timedelta = timedelta(seconds=1)) -> None:
    """Clock and worker of a quiet machine: at each step what is due is hinted and carried out."""
    moment = start
    while moment <= end:
        with holding(moment):
            for signs in hints.due_by_account().values():
                for publication_id, _fence, _due in signs:
                    publishing.publish(publication_id, worker="here")
            late.miss_overdue()
        moment += step
    session.expire_all()


def test_after_downtime_catching_up_keeps_every_accounts_pace():
    """100 overdue posts on an account of 20 a minute; another account is not kept waiting."""
    slow, swift, pool = account(per_minute=20), account(per_minute=6000), make.pool()
    start = now().replace(microsecond=0)
    overdue = start - timedelta(minutes=5)
    known = {
        "pool": pool,
        "publish_at": overdue,
        "calendar": make.calendar(),
        "asset": make.asset(),
    }
    known |= {"author_id": make.user().id, "by": make.user()}
    change(slow, pools=[pool])
    change(swift, pools=[pool])
    with transaction(), holding(overdue - timedelta(minutes=1)):
        crowd = [approved(account=slow, **known) for _ in range(100)]
        others = [approved(account=swift, **known) for _ in range(20)]
        for one in (*crowd, *others):
            one.late_after = start + timedelta(hours=1)
    play(start, start + timedelta(minutes=7), step=timedelta(seconds=3))
    assert {one.state for one in (*crowd, *others)} == {State.PUBLISHED}
    assert max(one.published_at for one in others) <= start + timedelta(seconds=1)
    moments = sorted(one.published_at for one in crowd)
    within = [
        sum(first <= at < first + timedelta(minutes=1) for at in moments) for first in moments
    ]
    assert max(within) <= 20
    # Paced, but not dawdling: the bucket gives five sixths of the limit a minute for ever.
    assert moments[-1] <= start + timedelta(minutes=6, seconds=15)
    assert Counter(one.fence for one in others) == {1: 20}


@pytest.mark.parametrize("many", [3, 60])
def test_a_long_day_costs_no_more_queries_than_a_short_one(count_queries, many):
    calendar, tag = make.calendar(), {"url": "https://shop.example/a"}
    for n in range(many):
        approved(
            calendar=calendar,
            asset=make.asset(content=tag),
            pool=make.pool(most_per_day=2),
            publish_at=now() + timedelta(minutes=n),
        )
    session.expire_all()
    with count_queries() as statements:
        found = dry_run.forecast()
    assert len(found.lines) == many
    assert len(statements) <= 13


def test_a_day_too_full_says_how_much_it_left_out(monkeypatch):
    monkeypatch.setattr(dry_run, "MOST", 2)
    for _ in range(3):
        soon()
    found = dry_run.forecast()
    assert (len(found.lines), found.left_out) == (2, 1)


def test_an_empty_day_is_an_empty_forecast():
    assert dry_run.forecast().lines == []
