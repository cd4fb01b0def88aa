"""The machine's clock is set back two hours, or ahead three days: nothing twice, nothing in a rush."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from cms.cli.clock import ClockLoop
from cms.core.clock import now
from cms.core.clock_guard import ClockGuard
from cms.core.db import session, transaction
from cms.core.jobs import Job
from schedules import hints, late, pace, publishing, reconciling
from schedules.hints import Hinted
from schedules.jobs import publish_batch
from schedules.models import Publication
from schedules.states import PublicationState as State
from tests.faults.engine import ticks_of
from tests.schedules.ready import account, approved

BACK = timedelta(hours=2)
AHEAD = timedelta(days=3)


def effects(home: Path) -> Counter[str]:
    """How often each publication has really happened, by its key."""
    ledgers = (home / "sandbox").glob("*.jsonl")
    lines = [line for ledger in ledgers for line in ledger.read_text().splitlines()]
    return Counter(json.loads(line)["key"] for line in lines)


def turn() -> None:
    """What clock and workers do in a second."""
    session.expire_all()
    reconciling.settle_expired()
    late.miss_overdue()
    for signs in hints.due_by_account().values():
        for publication_id, _fence, _due in signs:
            publishing.publish(publication_id, worker="here")
    session.expire_all()


@pytest.mark.parametrize("repeat", ["K", "Q", "N"])
def test_back_two_hours_nothing_goes_out_twice(app: Flask, data_home: Path, repeat: str) -> None:
    """What was out stays out; what dead workers held is settled when its time comes again."""
    start = now()
    before = effects(data_home)
    with time_machine.travel(start, tick=False) as clock:
        out = [approved(account=account("ok", repeat)) for _ in range(3)]
        turn()
        riddle = approved(account=account("uncertain_accepted ok", repeat))
        claimed, sending = (approved(account=account("ok", repeat)) for _ in range(2))
        publishing.publish(riddle.id, worker="here")
        for dying in (claimed, sending):
            fence = publishing.claim(dying.id, worker="dying")
            assert fence is not None
        assert publishing._prepared(sending.id, fence) is not None
        for minutes in (*range(-120, 0, 10), *range(0, 12, 1)):
            clock.move_to(start + timedelta(minutes=minutes))
            turn()
    happened = effects(data_home) - before
    everything = [*out, riddle, claimed, sending]
    assert all(happened[one.idempotency_key] <= 1 for one in everything)
    assert {one.state for one in (*out, claimed)} == {State.PUBLISHED}
    asked = State.UNCERTAIN if repeat == "N" else State.PUBLISHED
    assert (riddle.state, sending.state) == (asked, asked)
    assert happened[riddle.idempotency_key] == 1


def test_back_two_hours_an_account_that_was_busy_is_not_silent_till_then(app: Flask) -> None:
    """Its tokens were counted up to a moment that now lies ahead; a new post must not wait for it."""
    start, way = now(), account(per_minute=1)
    with time_machine.travel(start, tick=False) as clock:
        first = approved(account=way)
        turn()
        assert first.state is State.PUBLISHED
        clock.move_to(start - BACK)
        second = approved(account=way)
        turn()
        assert second.state is State.PUBLISHED
        with transaction():
            assert pace.take(way.id) is not None, "only one goes; then the pace is kept again"


@pytest.fixture
def leap(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that hints nobody but us: `leap.turn()` is one round, `leap.hinted` what it said."""
    hinted: list[int] = []
    monkeypatch.setattr("schedules.jobs._hinted", Hinted())
    monkeypatch.setattr("schedules.jobs.is_broker_there", lambda: True)
    monkeypatch.setattr(Job, "_send", lambda _job, ids, _key: hinted.extend(ids))
    home = app.config["SEEDBED"].home
    guard = ClockGuard(home, steady=lambda: 1000.0)  # between two looks no time passes

    class Leap:
        is_closed = property(lambda _self: guard.is_closed)

        @staticmethod
        def turn() -> list[int]:
            """The ids it hinted in this round."""
            hinted.clear()
            ClockLoop(
                ticks_of("hint_due", "reconcile"),
                guard=guard,
                context=app.app_context,
                touch=lambda **_detail: None,
            ).turn()
            session.expire_all()
            return list(hinted)

    yield Leap()
    (home / "clock_jumped.json").unlink(missing_ok=True)


def test_ahead_three_days_everything_waits_for_a_word(
    app: Flask, data_home: Path, leap: Any
) -> None:
    start = now().replace(microsecond=0)
    before = effects(data_home)
    with time_machine.travel(start, tick=False) as clock:
        crowd = [approved(publish_at=start + timedelta(hours=hours)) for hours in (1, 30, 60)]
        soon = approved(publish_at=start + AHEAD - timedelta(minutes=1))
        assert leap.turn() == []
        clock.move_to(start + AHEAD)
        for _ in range(3):
            assert leap.turn() == []
        assert leap.is_closed
        assert {one.state for one in (*crowd, soon)} == {State.SCHEDULED}
        told = app.test_cli_runner().invoke(args=["clock", "--accept-jump"])
        assert told.exit_code == 0
        assert "Confirmed" in told.output
        publish_batch(*leap.turn())
        session.expire_all()
        assert not leap.is_closed
    assert {one.state for one in crowd} == {State.MISSED}
    assert all(one.reason for one in crowd)
    assert soon.state is State.PUBLISHED
    assert effects(data_home) - before == Counter({soon.idempotency_key: 1})


def test_ahead_and_put_right_again_nothing_was_missed(app: Flask, leap: Any) -> None:
    start = now().replace(microsecond=0)
    with time_machine.travel(start, tick=False) as clock:
        waiting = approved(publish_at=start + timedelta(hours=1))
        leap.turn()
        clock.move_to(start + AHEAD)
        leap.turn()
        clock.move_to(start)
        leap.turn()
        assert not leap.is_closed
        assert leap.turn() == []
    assert session.get_one(Publication, waiting.id).state is State.SCHEDULED
