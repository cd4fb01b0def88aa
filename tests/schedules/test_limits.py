"""How fast an account may publish, and how long a carrier may make us wait."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import hints, limits, pace, publishing
from schedules.channels import CHANNELS
from schedules.jobs import THREADS
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import account, approved, tried

HOURS = timedelta(hours=6)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("30", timedelta(seconds=30)),
        ("0", timedelta(seconds=1)),
        ("-5", timedelta(seconds=1)),
        ("1000000000", HOURS),
        ("9" * 400, HOURS),
        ("Sat, 21 Nov 2026 08:02:00 GMT", timedelta(minutes=2)),
        ("Sat, 21 Nov 2020 08:02:00 GMT", timedelta(seconds=1)),
        ("Sat, 21 Nov 2099 08:02:00 GMT", HOURS),
        ("Sat, 99 Nov 2099 08:02:00 GMT", None),
    ],
)
def test_retry_after_is_clamped(header: str | None, wait: timedelta | None) -> None:
    with time_machine.travel(datetime(2026, 11, 21, 8, 0, tzinfo=UTC), tick=False):
        assert limits.retry_after(header) == wait


def test_back_off_grows_is_spread_and_has_an_end() -> None:
    assert len({limits.back_off(3) for _ in range(20)}) > 1
    assert limits.back_off(1) <= timedelta(seconds=4)
    assert all(
        timedelta(minutes=2) < limits.back_off(tries) <= limits.LONGEST_BACK_OFF
        for tries in (12, 99, 5000)
    )


def test_in_no_minute_more_go_out_than_the_account_may(app: Flask) -> None:
    way = make.account(per_minute=20)
    start = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    taken: list[int] = []
    with time_machine.travel(start, tick=False) as traveller:
        for second in range(180):
            traveller.move_to(start + timedelta(seconds=second))
            with transaction():
                while pace.take(way.id) is None:
                    taken.append(second)
    for first in range(120):
        assert sum(first <= second < first + 60 for second in taken) <= 20
    assert len(taken) > 40


@pytest.mark.parametrize(
    ("channel", "per_minute"), [("feishu", 100), ("feishu", 20), ("slack", 60), ("telegram", 20)]
)
def test_in_no_second_more_go_out_than_the_carrier_allows(
    app: Flask, channel: str, per_minute: int
) -> None:
    """Whatever was saved up: its burst would be refused, and block the account."""
    way = make.account(channel=channel, per_minute=per_minute)
    allowed = CHANNELS.get(channel).limits.per_second
    start, taken = datetime(2026, 11, 21, 8, 0, tzinfo=UTC), []
    with time_machine.travel(start, tick=False) as traveller:
        course = pace.Course(way, start)
        for tick in range(20 * 70):
            moment = start + timedelta(seconds=tick / 20)
            traveller.move_to(moment)
            with transaction():
                while pace.take(way.id) is None:
                    taken.append(tick)
    for first in range(20 * 60):
        assert sum(first <= tick < first + 20 for tick in taken) <= allowed
    assert sum(tick < 20 * 60 for tick in taken) <= per_minute
    assert len(taken) > per_minute * 0.75
    foretold = [course.leaves(start) - start for _ in range(len(taken))]
    assert abs(foretold[-1] - timedelta(seconds=taken[-1] / 20)) < timedelta(seconds=4)


def test_catching_up_is_no_burst_and_no_account_delays_another(app: Flask) -> None:
    slow, pool = account(per_minute=12), make.pool()
    backlog = [approved(account=slow, pool=pool) for _ in range(8)]
    other = approved()
    due = hints.due_by_account()
    assert len(due[slow.id]) == 2
    assert [sign[0] for sign in due[other.account_id]] == [other.id]
    for publication in backlog:
        publishing.publish(publication.id, worker="here")
    session.expire_all()
    states = [publication.state for publication in backlog]
    assert states.count(State.PUBLISHED) == 2
    assert states.count(State.SCHEDULED) == 6
    assert all(one.due_at > now() for one in backlog if one.state is State.SCHEDULED)


def test_an_account_whose_carrier_hangs_is_not_given_every_thread(app: Flask) -> None:
    way, pool = account(per_minute=6000), make.pool()
    backlog = [approved(account=way, pool=pool) for _ in range(hints.MOST_UNDER_WAY + 4)]
    assert len(hints.due_by_account()[way.id]) == hints.MOST_UNDER_WAY < THREADS
    for publication in backlog[:10]:
        assert publishing.claim(publication.id, worker="here")
    other = approved()
    due = hints.due_by_account()
    assert len(due[way.id]) == hints.MOST_UNDER_WAY - 10
    assert [sign[0] for sign in due[other.account_id]] == [other.id]


def test_paused_accounts_are_left_alone(app: Flask) -> None:
    publication = approved()
    with transaction():
        publication.account.is_paused = True
    assert hints.due_by_account() == {}
    tried(publication)
    assert publication.state is State.SCHEDULED


def test_a_hint_is_repeated_only_after_a_while_unless_the_row_is_news() -> None:
    moment = 0.0
    hinted = hints.Hinted(lambda: moment)
    hinted.note([(1, 0, 5.0)])
    assert hinted.news([(1, 0, 5.0), (1, 1, 5.0), (1, 0, 6.0)]) == [(1, 1, 5.0), (1, 0, 6.0)]
    moment = hints.REMIND_SECONDS + 1
    assert hinted.news([(1, 0, 5.0)]) == [(1, 0, 5.0)]


def test_choosing_what_is_due_costs_three_statements(app: Flask, count_queries: object) -> None:
    pool = make.pool()
    for _ in range(3):
        approved(account=account(), pool=pool)
    session.expire_all()
    with count_queries() as statements:  # type: ignore[operator]
        hints.due_by_account()
    assert len(statements) == 3
