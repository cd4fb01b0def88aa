"""The guard between a wall clock that may leap and work that waits for its moment."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cms.core.clock_guard import ClockGuard, accept_jump


class Clocks:
    """A wall clock that can be set and a steady one that cannot."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.steady = 1000.0

    def passes(self, **amount: float) -> None:
        self.wall += timedelta(**amount)
        self.steady += timedelta(**amount).total_seconds()

    def leaps(self, **amount: float) -> None:
        self.wall += timedelta(**amount)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def guard_of(home: Path, clocks: Clocks) -> ClockGuard:
    guard = ClockGuard(home, wall=lambda: clocks.wall, steady=lambda: clocks.steady)
    guard.look()
    return guard


def test_time_that_merely_passes_is_no_leap(tmp_path: Path, clocks: Clocks) -> None:
    guard = guard_of(tmp_path, clocks)
    for _ in range(3):
        clocks.passes(hours=9)  # the machine slept: the steady clock went on
        assert guard.look() is None
    assert not guard.is_closed


def test_three_days_ahead_closes_until_confirmed(tmp_path: Path, clocks: Clocks) -> None:
    guard = guard_of(tmp_path, clocks)
    clocks.leaps(days=3)
    jump = guard.look()
    assert jump is not None
    assert jump.by == timedelta(days=3)
    clocks.passes(seconds=1)
    guard.look()
    assert guard.is_closed
    assert accept_jump(tmp_path)
    for _ in range(2):
        clocks.passes(seconds=1)
        guard.look()
        assert not guard.is_closed
    assert not accept_jump(tmp_path)


def test_a_restarted_process_confirms_nothing(tmp_path: Path, clocks: Clocks) -> None:
    guard = guard_of(tmp_path, clocks)
    clocks.leaps(hours=2)
    guard.look()
    again = guard_of(tmp_path, clocks)
    clocks.passes(seconds=1)
    again.look()
    assert again.is_closed
    accept_jump(tmp_path)
    again.look()
    assert not again.is_closed


def test_a_clock_that_comes_back_reopens_by_itself(tmp_path: Path, clocks: Clocks) -> None:
    guard = guard_of(tmp_path, clocks)
    clocks.leaps(days=3)
    guard.look()
    clocks.passes(minutes=5)
    clocks.leaps(days=-3)
    guard.look()
    assert not guard.is_closed
    assert guard.look() is None


def test_backwards_is_told_and_goes_on(tmp_path: Path, clocks: Clocks) -> None:
    guard = guard_of(tmp_path, clocks)
    clocks.leaps(hours=-2)
    jump = guard.look()
    assert jump is not None
    assert jump.by == timedelta(hours=-2)
    assert not guard.is_closed
    clocks.passes(seconds=1)
    assert guard.look() is None


def test_small_steps_of_a_time_service_add_up_to_nothing(tmp_path: Path, clocks: Clocks) -> None:
    guard = guard_of(tmp_path, clocks)
    for _ in range(200):
        clocks.passes(seconds=1)
        clocks.leaps(seconds=30)
        assert guard.look() is None
    assert not guard.is_closed
