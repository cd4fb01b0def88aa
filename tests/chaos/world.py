"""A whole installation of real processes that a test may kill, and that comes back each time."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cms.core.broker import BrokerUnavailable, EmbeddedBroker
from cms.core.config import ROOT, settings_from
from tests.chaos.judge import Judge

LEASE = 4
PARTS = ("clock", "publish-1", "publish-2")
COMMANDS = {
    "clock": ["clock"],
    "publish-1": ["worker", "publish"],
    "publish-2": ["worker", "publish"],
}


class World:
    """Clock, two publish workers, the broker and the stub channel on one data directory."""

    def __init__(self, home: Path, database_url: str = "", **environ: str) -> None:
        self.home = home
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
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.broker = EmbeddedBroker(home / "broker", self.settings.redis_url)
        self.ledger = home / "stub.jsonl"
        self.stub = self._python("tests.chaos.stub_channel", str(self.ledger), str(home / "port"))
        self.wait((home / "port").exists, within=20, what="the stub channel")
        self.endpoint = f"http://127.0.0.1:{(home / 'port').read_text()}"
        self.judge = Judge(self.settings.database_url, self.ledger)

    def fill(self, *words: str) -> None:
        done = self._python("tests.chaos.fill", self.endpoint, *words).wait(120)
        assert done == 0, self.log("tests.chaos.fill")

    def decide(self, word: str, number: int) -> int:
        """The exit status of a process that makes one decision."""
        return self._python("tests.chaos.decide", word, str(number)).wait(60)

    def up(self) -> None:
        self.broker.start(self.home / "broker.log")
        self.is_up = True
        self._revive()

    def wait(self, question: Callable[[], object], *, within: float, what: str = "") -> None:
        """Keep everything running until the answer is true."""
        deadline = time.monotonic() + within
        while not question():
            assert time.monotonic() < deadline, f"not within {within} s: {what}\n{self.tail()}"
            self._revive()
            time.sleep(0.1)

    def kill(self, part: str, how: signal.Signals = signal.SIGKILL) -> None:
        process = self.broker.process if part == "broker" else self.processes.get(part)
        if process and process.poll() is None:
            process.send_signal(how)

    def kill_at_random(self, dice: random.Random, kills: int, pause: tuple[float, float]) -> None:
        for _kill in range(kills):
            part = dice.choice([*PARTS, "broker"])
            self.kill(part)
            until = time.monotonic() + dice.uniform(*pause)
            self.wait(lambda until=until: time.monotonic() > until, within=30)

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
        self.broker.stop()
        self.judge.close()

    def log(self, name: str) -> str:
        path = self.home / f"{name}.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def tail(self) -> str:
        return "\n".join(f"--- {part}\n{self.log(part)}" for part in PARTS)

    def _revive(self) -> None:
        if not self.is_up:
            return
        if self.broker.process is None or self.broker.process.poll() is not None:
            with suppress(BrokerUnavailable):  # the dead one's lock may be held a moment longer
                self.broker.launch(self.home / "broker.log")
        for part in PARTS:
            process = self.processes.get(part)
            if process is None or process.poll() is not None:
                argv = [sys.executable, "-m", "flask", "--app", "wsgi", *COMMANDS[part]]
                self.processes[part] = self._start(argv, part)

    def _python(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        return self._start([sys.executable, "-m", module, *words], module)

    def _start(self, argv: list[str], name: str) -> subprocess.Popen[bytes]:
        with open(self.home / f"{name}.log", "ab") as log:
            return subprocess.Popen(argv, env=self.environ, cwd=ROOT, stdout=log, stderr=log)
