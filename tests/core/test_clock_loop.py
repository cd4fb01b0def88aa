"""The clock's loop: who looks at the time between its steps, and what it says of a step that fails."""

from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cms.cli import clock as clock_command
from cms.cli.clock import ClockLoop
from cms.core.clock import now
from cms.core.clock_guard import ClockGuard
from cms.core.ticks import Tick


def test_a_leap_during_one_step_reaches_no_later_one(tmp_path: Path) -> None:
    """A step may take a minute, and people set clocks when they like."""
    wall, called, said = [now()], [], dict[str, Any]()
    guard = ClockGuard(tmp_path, wall=lambda: wall[0], steady=lambda: 0.0)

    def leaping() -> None:
        wall[0] += timedelta(days=3)

    steps = [Tick("leaps", 1, leaping, False), Tick("sends", 1, lambda: called.append(1), True)]
    loop = ClockLoop(steps, guard=guard, context=nullcontext, touch=said.update)
    loop.turn()
    assert guard.is_closed
    assert called == []
    assert said["is_paused"] is True


def test_a_step_that_fails_for_long_is_told_until_it_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_command, "LASTING_SECONDS", 0.0)
    said, faults = dict[str, Any](), [RuntimeError("no")]

    def step() -> None:
        if faults:
            raise faults.pop()

    loop = ClockLoop(
        [Tick("step", 0, step, False)],
        guard=ClockGuard(tmp_path),
        context=nullcontext,
        touch=said.update,
    )
    loop.turn()
    assert (said["failing"], said["failing_for_long"]) == (["step"], ["step"])
    loop.turn()
    assert (said["failing"], said["failing_for_long"]) == ([], [])
