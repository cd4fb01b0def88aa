"""Starts real processes on a data directory of their own, and makes sure none is left."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cms.core import ports
from cms.core.broker import EmbeddedBroker
from cms.core.config import ROOT, settings_from

WORLD = "tests.processes.world"


def eventually(question: Callable[[], Any], *, within: float = 15.0, what: str = "") -> Any:
    """The first true answer; fails when there is none in that time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {within} s: {what or question}")


def is_alive(pid: int) -> bool:
    """Whether it runs; one that ended and waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Home:
    """A data directory and the processes started on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started: list[Running] = []
        self.broker: EmbeddedBroker | None = None
        with ports._bound(0) as free:
            self.port = int(free.getsockname()[1])

    def environ(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        mine = {"SEEDBED_HOME": str(self.path), "SEEDBED_ENV": "test", "PORT": str(self.port)}
        return {**kept, **mine, "SEEDBED_DEMO": "off", **more}

    def run(self, *words: str, **more: str) -> "Running":
        running = Running([*words], self.environ(**more))
        self.started.append(running)
        return running

    def start_broker(self) -> EmbeddedBroker:
        url = settings_from(self.environ()).redis_url
        self.broker = EmbeddedBroker(self.path / "broker", url)
        self.broker.start(self.path / "broker.log")
        return self.broker

    def trace(self, name: str) -> list[str]:
        path = self.path / "traces" / name
        return path.read_text().splitlines() if path.exists() else []

    def log(self, label: str) -> str:
        path = self.path / "logs" / f"{label}.log"
        return path.read_text() if path.exists() else ""

    def close(self) -> None:
        for running in self.started:
            running.close()
        if self.broker:
            self.broker.stop()


class Running:
    """A `flask` command in a process of its own, with what it wrote."""

    def __init__(self, words: list[str], environ: dict[str, str]) -> None:
        argv = [sys.executable, "-m", "flask", "--app", WORLD, *words]
        self.process = subprocess.Popen(
            argv,
            env=environ,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def said(self, part: str) -> list[str]:
        return [line for line in self.lines if part in line]

    def pid_of(self, label: str) -> int:
        """The number of a child's present process, as the supervisor told it."""
        told = [line for line in self.lines if f" {label} " in line and "(process " in line]
        return int(told[-1].rpartition("(process ")[2].rstrip(")")) if told else 0

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, within: float = 15.0) -> int:
        status = self.process.wait(within)
        self._reader.join(2)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(2)
        if self.process.stdout:
            self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))


@pytest.fixture(scope="module")
def module_home() -> Iterator[Home]:
    yield from _home()


@pytest.fixture
def home() -> Iterator[Home]:
    yield from _home()


def _home() -> Iterator[Home]:
    path = Path(tempfile.mkdtemp(prefix="seedbed-"))
    made = Home(path)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(path, ignore_errors=True)
