"""The supervisor with small children of its own kind."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cms.core.processes import Spawn
from cms.core.supervisor import Program, Supervisor

pytestmark = pytest.mark.processes


class Told:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, label: str, what: str) -> None:
        self.lines.append((label, what))

    def of(self, label: str, word: str) -> list[str]:
        return [what for name, what in self.lines if name == label and word in what]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def supervisor(told: Told) -> Iterator[Supervisor]:
    made = Supervisor(told)
    yield made
    made.kill()
    made.stop()


def program(label: str, code: str, *, order: int = 1, log: Path | None = None) -> Program:
    spawn = Spawn(argv=(sys.executable, "-S", "-c", code), log=log)
    return Program(label=label, start=spawn.start, stop_order=order, stop_seconds=1, log=log)


def watch(supervisor: Supervisor, seconds: float, until: Callable[[], object] = bool) -> None:
    ending = threading.Event()
    deadline = time.monotonic() + seconds

    def each_turn() -> None:
        if until() or time.monotonic() > deadline:
            ending.set()

    supervisor.watch(ending, each_turn)


def test_what_keeps_dying_is_started_ever_more_slowly(supervisor: Supervisor, told: Told) -> None:
    supervisor.add(program("sick", "raise SystemExit(3)"))
    watch(supervisor, 2.6)
    assert len(told.of("sick", "ended unexpectedly with status 3")) == 3
    assert [what.rpartition(" in ")[2] for what in told.of("sick", "again in")] == [
        "0.1 s",
        "1 s",
        "2 s",
    ]


def test_the_reason_is_quoted_from_its_log(
    supervisor: Supervisor, told: Told, tmp_path: Path
) -> None:
    log = tmp_path / "sick.log"
    supervisor.add(program("sick", "raise SystemExit('no room on the disk')", log=log))
    watch(supervisor, 5, until=lambda: told.of("sick", "ended unexpectedly"))
    assert "no room on the disk" in told.of("sick", "ended unexpectedly")[0]


def test_what_cannot_be_started_is_tried_again(
    supervisor: Supervisor, told: Told, tmp_path: Path
) -> None:
    missing = Spawn(argv=(str(tmp_path / "absent"),))
    supervisor.add(Program(label="absent", start=missing.start, stop_order=1))
    watch(supervisor, 5, until=lambda: len(told.of("absent", "could not start")) > 1)
    assert len(told.of("absent", "could not start")) > 1


def test_children_end_in_order_and_the_deaf_are_killed(
    supervisor: Supervisor, told: Told, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    deaf = (
        "import signal, time; from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"Path({str(ready)!r}).touch(); time.sleep(60)\n"
    )
    supervisor.add(program("last", "import time; time.sleep(60)", order=2))
    supervisor.add(program("deaf", deaf, order=1))
    watch(supervisor, 10, until=ready.exists)
    supervisor.stop()
    ends = [(label, what) for label, what in told.lines if "started" not in what]
    assert ends == [("deaf", "did not end in time and was killed"), ("last", "ended")]
