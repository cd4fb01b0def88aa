"""`flask clock` in a process of its own: guards due work after a leap, ends politely."""

import json
import signal

import pytest

from cms.core.clock_guard import FLAG
from tests.processes.conftest import WORLD, Home, eventually

pytestmark = pytest.mark.processes


def test_after_a_leap_due_work_waits_for_a_word(home: Home) -> None:
    (home.path / FLAG).write_text(json.dumps({"expected": "earlier", "found": "three days later"}))
    clock = home.run("clock")
    eventually(lambda: len(home.trace("ticks")) > 5, within=20)
    assert home.trace("guarded") == []
    word = home.run("clock", "--accept-jump")
    assert word.wait() == 0
    assert "Confirmed" in word.text
    eventually(lambda: home.trace("guarded"))
    assert clock.said("beat_delayed"), "there is no schema here, and the clock goes on without"
    clock.signal(signal.SIGTERM)
    assert clock.wait() == 0


def test_a_failing_tick_is_told_once_with_its_traceback(home: Home) -> None:
    clock = home.run("clock")
    eventually(
        lambda: len([s for s in clock.said("tick_still_failing") if "stumble" in s]) > 2, within=20
    )
    [first] = [line for line in clock.said('"tick_failed"') if f"{WORLD}.stumble" in line]
    assert "this tick always fails" in first
    assert len(home.trace("ticks")) > 2
