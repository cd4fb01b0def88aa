"""A time limit on slow Python work: it strikes in its own thread, once, and never afterwards."""

import threading
import time

import pytest

from cms.core.deadline import TookTooLong, time_limit


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_quick_work_is_left_alone_afterwards_too() -> None:
    with time_limit(0.1):
        pass
    spin(0.3)


def test_slow_work_ends_though_it_catches_everything_ordinary() -> None:
    started = time.monotonic()

    def stubborn() -> None:
        while True:
            try:
                spin(0.01)
            except Exception:
                continue

    with pytest.raises(TookTooLong), time_limit(0.2):
        stubborn()
    assert time.monotonic() - started < 3


def test_only_the_thread_that_is_late_is_struck() -> None:
    outcomes: dict[str, str] = {}

    def work(name: str, seconds: float) -> None:
        try:
            with time_limit(0.5):
                spin(seconds)
            outcomes[name] = "done"
        except TookTooLong:
            outcomes[name] = "late"

    threads = [
        threading.Thread(target=work, args=pair) for pair in (("a", 0.05), ("b", 5), ("c", 0.1))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes == {"a": "done", "b": "late", "c": "done"}


def test_a_limit_reached_just_at_the_end_strikes_inside_or_not_at_all() -> None:
    for _ in range(200):
        try:
            with time_limit(0.002):
                spin(0.002)
        except TookTooLong:
            pass
        sum(range(500))
