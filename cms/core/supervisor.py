"""Runs a set of programs as children: restarts what dies, ends all of them in order."""

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cms.core.broker import BrokerUnavailable

HEALTHY_SECONDS = 30.0
LONGEST_PAUSE = 15.0
FIRST_PAUSE = 0.1
LARGEST_LOG = 20 * 1024 * 1024
_LOG_CHECK_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """One child: how it is started, when it ends relative to the others, where it writes."""

    label: str
    start: Callable[[], subprocess.Popen[bytes]]
    stop_order: int  # lower numbers end first
    stop_seconds: float = 8.0
    log: Path | None = None


@dataclass
class Child:
    """A program's present life."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    deaths: int = 0  # since it was last healthy
    restarts: int = 0
    next_start: float = field(default_factory=time.monotonic)

    @property
    def is_running(self) -> bool:
        return self.process is not None


class Supervisor:
    """Call everything from the main thread: children are tied to the thread that starts them."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self.tell = tell
        self.children: list[Child] = []
        self._logs_checked = time.monotonic()

    def add(self, program: Program) -> None:
        """Start the program and keep it running."""
        child = Child(program)
        self.children.append(child)
        self._start(child)

    def watch(self, ending: threading.Event, each_turn: Callable[[], None] = lambda: None) -> None:
        """Look after the children until the event is set."""
        while not ending.wait(0.1):
            self.turn()
            each_turn()

    def turn(self) -> None:
        """Start what is due for a start, notice what has died."""
        for child in self.children:
            self._look_after(child)
        if time.monotonic() - self._logs_checked > _LOG_CHECK_SECONDS:
            self._logs_checked = time.monotonic()
            self._trim_logs()

    def state(self) -> dict[str, Any]:
        """What is told beside the supervisor's own beat."""
        return {
            child.program.label: {
                "pid": child.process.pid if child.process else None,
                "restarts": child.restarts,
            }
            for child in self.children
        }

    def stop(self) -> None:
        """End all children, those of one order at the same time, the next order after them."""
        for order in sorted({child.program.stop_order for child in self.children}):
            group = [c for c in self.children if c.program.stop_order == order and c.process]
            for child in group:
                self._signal(child, signal.SIGTERM)
            deadline = time.monotonic() + max((c.program.stop_seconds for c in group), default=0)
            for child in group:
                self._await_end(child, deadline)

    def kill(self) -> None:
        """End all children at once and without farewell."""
        for child in self.children:
            self._signal(child, signal.SIGKILL)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.next_start:
                child.restarts += 1
                self._start(child)
            return
        status = child.process.poll()
        if status is None:
            if now - child.born > HEALTHY_SECONDS:
                child.deaths = 0
            return
        child.process = None
        self._plan_restart(child, _cause_of(status) + _last_words(child.program.log))

    def _start(self, child: Child) -> None:
        try:
            child.process = child.program.start()
        except (OSError, BrokerUnavailable) as error:
            self._plan_restart(child, f"could not start: {error}")
            return
        child.born = time.monotonic()
        again = "started again" if child.restarts else "started"
        self.tell(child.program.label, f"{again} (process {child.process.pid})")

    def _plan_restart(self, child: Child, cause: str) -> None:
        pause = min(2.0 ** (child.deaths - 1), LONGEST_PAUSE) if child.deaths else FIRST_PAUSE
        child.deaths += 1
        child.next_start = time.monotonic() + pause
        self.tell(child.program.label, f"{cause}; starting it again in {pause:g} s")

    def _signal(self, child: Child, number: signal.Signals) -> None:
        if child.process is not None and child.process.poll() is None:
            child.process.send_signal(number)

    def _await_end(self, child: Child, deadline: float) -> None:
        process = child.process
        if process is None:
            return
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
            self.tell(child.program.label, "ended")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.tell(child.program.label, "did not end in time and was killed")

    def _trim_logs(self) -> None:
        """Keep one older file beside each log; children append, so cutting it under them is safe."""
        for log in {child.program.log for child in self.children if child.program.log}:
            try:
                if log.stat().st_size > LARGEST_LOG:
                    shutil.copyfile(log, log.with_suffix(".log.1"))
                    with open(log, "r+b") as file:
                        file.truncate(0)
            except OSError as error:
                self.tell("logs", f"cannot shorten {log}: {error.strerror}")


def _cause_of(status: int) -> str:
    if status >= 0:
        return f"ended unexpectedly with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _last_words(log: Path | None) -> str:
    """The last line of a log, short: often the reason itself."""
    if log is None:
        return ""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 2000))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return f" ({lines[-1][:200]})" if lines else ""
