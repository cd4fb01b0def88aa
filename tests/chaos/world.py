"""A whole installation of real processes that a test may kill, and that comes back each time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from cms.core.broker import BrokerUnavailable, EmbeddedBroker
from cms.core.config import ROOT, settings_from
from tests.chaos.judge import Judge

LEASE = 4
CLOCK, WORKER = ["clock"], ["worker", "publish"]
SMALL = {"clock": CLOCK, "publish-1": WORKER, "publish-2": WORKER}


class World:
    """Clock, publish workers, the broker and the stub channel on one data directory.

    `parts` names the processes and the words of their `flask` commands; with REDIS_URL given there
    is no embedded broker.
    """

    def __init__(
        self,
        home: Path,
        database_url: str = "",
        *,
        parts: dict[str, list[str]] = SMALL,
        **environ: str,
    ) -> None:
        self.home = home
        self.parts = parts
        self.resting: set[str] = set()  # parts that are dead on purpose
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environ = {
            **kept,
            "SEEDBED_HOME": str(home),
            "SEEDBED_ENV": "test",
            "SEEDBED_LEASE_SECONDS": str(LEASE),
            **({"DATABASE_URL": database_url} if database_url else {}),
            **environ,
        }
        self.settings = settings_from(self.environ)
        self.is_up = False
        self.commands: dict[str, list[str]] = {}  # further programs, whole, kept running as well
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.broker = (
            EmbeddedBroker(home / "broker", self.settings.redis_url)
            if self.settings.is_redis_embedded
            else None
        )
        self.ledger = home / "stub.jsonl"
        self.stub = self._python("tests.chaos.stub_channel", str(self.ledger), str(home / "port"))
        self.wait((home / "port").exists, within=20, what="the stub channel")
        self.endpoint = f"http://127.0.0.1:{(home / 'port').read_text()}"
        self.judge = Judge(self.settings.database_url, self.ledger)

    def fill(self, *words: str, within: float = 120) -> None:
        done = self._python("tests.chaos.fill", self.endpoint, *words).wait(within)
        assert done == 0, self.log("tests.chaos.fill")

    def decide(self, word: str, number: int) -> int:
        """The exit status of a process that makes one decision."""
        return self._python("tests.chaos.decide", word, str(number)).wait(60)

    def run(self, module: str, within: float = 60) -> None:
        """Let a program of its own do what it does, to its end."""
        assert self._python(module).wait(within) == 0, self.log(module)

    def up(self) -> None:
        if self.broker:
            self.broker.start(self.home / "broker.log")
        self.is_up = True
        self._revive()

    def wait(
        self, question: Callable[[], object], *, within: float, what: str = "", pause: float = 0.1
    ) -> None:
        """Keep everything running until the answer is true."""
        deadline = time.monotonic() + within
        while not question():
            assert time.monotonic() < deadline, f"not within {within} s: {what}\n{self.tail()}"
            self._revive()
            time.sleep(pause)

    def wait_for(self, seconds: float, each_turn: Callable[[], object]) -> None:
        """Keep everything running for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            each_turn()
            self._revive()
            time.sleep(0.05)

    def child_of(self, process: subprocess.Popen[bytes]) -> Callable[[signal.Signals], None] | None:
        """How to signal one child of the process; None while it has none."""
        with suppress(OSError):
            listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            return partial(_signal, int(listed[0])) if listed else None
        return None

    def kill(self, part: str, how: signal.Signals = signal.SIGKILL) -> None:
        process = self.process_of(part)
        if process and process.poll() is None:
            process.send_signal(how)

    def process_of(self, part: str) -> subprocess.Popen[bytes] | None:
        if part == "broker":
            return self.broker.process if self.broker else None
        return self.processes.get(part)

    def frozen(self) -> int | None:
        """The process that a fault has stopped."""
        for process in self.processes.values():
            status = Path(f"/proc/{process.pid}/stat")
            if process.poll() is None and status.read_text().rpartition(")")[2].split()[0] == "T":
                return process.pid
        return None

    def close(self) -> None:
        for process in [*self.processes.values(), self.stub]:
            if process.poll() is None:
                process.kill()
                process.wait()
        if self.broker:
            self.broker.stop()
        self.judge.close()

    def log(self, name: str) -> str:
        path = self.home / f"{name}.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def tail(self) -> str:
        return "\n".join(f"--- {part}\n{self.log(part)}" for part in self.parts)

    def _revive(self) -> None:
        if not self.is_up:
            return
        if self.broker and (self.broker.process is None or self.broker.process.poll() is not None):
            with suppress(BrokerUnavailable):  # the dead one's lock may be held a moment longer
                self.broker.launch(self.home / "broker.log")
        for part, words in self.parts.items():
            process = self.processes.get(part)
            if part not in self.resting and (process is None or process.poll() is not None):
                self.processes[part] = self.launch(part, words)
        for part, argv in self.commands.items():
            process = self.processes.get(part)
            if part not in self.resting and (process is None or process.poll() is not None):
                self.processes[part] = self._start(argv, part)

    def launch(self, part: str, words: list[str]) -> subprocess.Popen[bytes]:
        return self._start([sys.executable, "-m", "flask", "--app", "wsgi", *words], part)

    def _python(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        return self._start([sys.executable, "-m", module, *words], module)

    def _start(self, argv: list[str], name: str) -> subprocess.Popen[bytes]:
        with open(self.home / f"{name}.log", "ab") as log:
            return subprocess.Popen(argv, env=self.environ, cwd=ROOT, stdout=log, stderr=log)


def _signal(pid: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, how)
