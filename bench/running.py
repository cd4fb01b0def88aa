"""Starts a whole Seedbed, or one process of it, on a data directory that is thrown away."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import ROOT
from cms.core import ports

PATIENCE = 600.0  # a busy machine loads the demo world slowly


def eventually(
    question: Callable[[], Any], *, within: float = 20.0, what: str = "", pause: float = 0.05
) -> Any:
    """The first true answer; raises when there is none in that time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(pause)
    raise AssertionError(f"not within {within} s: {what or question}")


@contextmanager
def throw_away(name: str) -> Iterator[Path]:
    """A folder with a short path, as sockets need, gone at the end."""
    path = Path(tempfile.mkdtemp(prefix=f"seedbed-{name}-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class System:
    """The processes started on one data directory; what they print is kept."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.home = home
        self.port = ports.free()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environ = kept | {"SEEDBED_HOME": str(home), "PORT": str(self.port)} | environ
        self.lines: list[str] = []
        self.began = 0.0
        self.seconds_until_ready = 0.0
        self._processes: list[subprocess.Popen[str]] = []
        self._readers: list[threading.Thread] = []

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `python -m words…`."""
        self.began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            env=self.environ,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._processes.append(process)
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        reader.start()
        self._readers.append(reader)
        return process

    def up(self) -> float:
        """`flask up`, until all is loaded; how many seconds passed until the first page came."""
        self.start("flask", "--app", "wsgi", "up")
        first_page = self.until_answering()
        eventually(lambda: "End with Ctrl-C" in self.text, within=PATIENCE, what="the greeting")
        self.seconds_until_ready = time.monotonic() - self.began
        return first_page

    def flask(self, *words: str) -> str:
        """Run a command to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            env=self.environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"flask {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def until_answering(self, path: str = "/sign-in") -> float:
        """Wait for a page that is right, not merely an answer."""
        eventually(lambda: self._answers(path), within=PATIENCE, what="the first page")
        return time.monotonic() - self.began

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def stop(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self._processes:
            try:
                process.wait(25)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for reader in self._readers:
            reader.join(2)
        for process in self._processes:
            if process.stdout:
                process.stdout.close()
        self._processes.clear()

    def _answers(self, path: str) -> bool:
        if any(process.poll() is not None for process in self._processes):
            raise RuntimeError(f"a process ended early:\n{self.text}")
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except OSError:
            return False

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line.rstrip("\n"))


@contextmanager
def system(name: str, **environ: str) -> Iterator[System]:
    """A system on an empty data directory, not started yet; everything ends with the block."""
    with throw_away(name) as home:
        made = System(home, **environ)
        try:
            yield made
        finally:
            made.stop()
