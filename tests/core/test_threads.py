"""A crew: asked things begin as soon as a thread is free, and nobody waits for their end."""

import threading
import time

import pytest
from flask import Flask, current_app, has_app_context

from cms.core import threads
from cms.core.threads import Crew


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


def test_asking_does_not_wait_for_the_end(app: Flask, gate: threading.Event) -> None:
    crew, done = Crew(2), []
    crew.begin(lambda item: (gate.wait(5), done.append(item)), [1])
    crew.begin(done.append, [2])
    assert not gate.is_set()
    gate.set()
    crew.finish()
    assert sorted(done) == [1, 2]


def test_asking_waits_for_a_free_thread(app: Flask, gate: threading.Event) -> None:
    """What a worker cannot begin stays in the queue for others, not in its memory."""
    crew, begun = Crew(2), []

    def step(item: int) -> None:
        begun.append(item)
        gate.wait(5)

    asking = threading.Thread(target=_inside(app, lambda: crew.begin(step, range(5))))
    asking.start()
    asking.join(0.3)
    assert asking.is_alive()
    assert len(begun) == 2
    gate.set()
    asking.join(5)
    crew.finish()
    assert sorted(begun) == [0, 1, 2, 3, 4]


def test_told_to_stop_it_ends_what_has_begun_and_begins_nothing(
    app: Flask, gate: threading.Event
) -> None:
    crew, done = Crew(1), []
    crew.begin(lambda item: (gate.wait(5), done.append(item)), ["begun"])
    asking = threading.Thread(target=_inside(app, lambda: crew.begin(done.append, ["late"])))
    asking.start()
    crew.stop()
    gate.set()
    asking.join(5)
    crew.finish()
    assert done == ["begun"]


def test_one_that_stumbles_is_logged_and_its_thread_is_free_again(
    app: Flask, capfd: pytest.CaptureFixture[str]
) -> None:
    crew, done = Crew(1), []
    crew.begin(lambda item: 1 / item, [0])
    crew.begin(done.append, [2])
    crew.finish()
    assert done == [2]
    assert "crew_stumbled" in capfd.readouterr().out


def test_each_has_a_context_of_its_own(app: Flask) -> None:
    crew, seen = Crew(1), []
    crew.begin(lambda _item: seen.append(has_app_context() and current_app.name), [1])
    crew.finish()
    assert seen == ["seedbed"]


def test_without_a_crew_all_are_waited_for(app: Flask, gate: threading.Event) -> None:
    done: list[int] = []
    threads.begin_each(done.append, [1, 2, 3], threads=2)
    assert sorted(done) == [1, 2, 3]
    crew = Crew(1)
    threads.employ(crew)
    try:
        threads.begin_each(lambda item: (gate.wait(5), done.append(item)), [4], threads=2)
        assert len(done) == 3
        gate.set()
        crew.finish()
    finally:
        threads.employ(None)
    assert len(done) == 4


def _inside(app: Flask, step):  # type: ignore[no-untyped-def]
    def run() -> None:
        with app.app_context():
            step()

    return run


def test_what_goes_aside_takes_no_sending_thread_and_waits_for_none(
    app: Flask, gate: threading.Event
) -> None:
    """What there is no room for is left; whoever asked asks again."""
    crew, begun = Crew(1, aside=2), list[int]()
    room = 2 * threads.WAITING_ASIDE
    crew.begin_aside(lambda item: (begun.append(item), gate.wait(5)), range(room + 5))
    sent = threading.Event()
    crew.begin(lambda _item: sent.set(), [0])
    assert sent.wait(5)
    assert len(begun) == 2
    gate.set()
    while len(begun) < room:
        time.sleep(0.01)
    crew.finish()
    assert sorted(begun) == list(range(room))
