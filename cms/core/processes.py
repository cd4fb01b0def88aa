"""How one process starts another so that no child outlives its parent, however that one ends."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PARENT_VARIABLE = "SEEDBED_PARENT"
ORPHANED = 70  # the exit status of a child that found itself without a parent
_POLL_SECONDS = 0.3
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, kw_only=True)
class Spawn:
    """What a child process is started with."""

    argv: Sequence[str]
    log: Path | None = None  # None: the child writes where its parent writes
    cwd: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()
    death_signal: signal.Signals = signal.SIGKILL

    def start(self) -> subprocess.Popen[bytes]:
        """Start it in a session of its own, so that Ctrl-C reaches the parent alone.

        Linux kills the child when the *thread* that started it ends: call this from the main thread.
        """
        if self.log is None:
            return self._start(None)
        with open(self.log, "ab", opener=_private) as output:
            return self._start(output.fileno())

    def _start(self, output: int | None) -> subprocess.Popen[bytes]:
        parent = os.getpid()
        return subprocess.Popen(
            self.argv,
            cwd=self.cwd,
            env={**os.environ, **self.environ, PARENT_VARIABLE: str(parent)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=self.descriptors,
            start_new_session=True,
            # Two system calls and nothing else run there, so threads of ours cannot get in its way.
            preexec_fn=_tied_to(parent, self.death_signal),  # noqa: PLW1509
        )


def die_with_parent(parent: int | None = None) -> None:
    """End this process, at once and without farewell, as soon as its parent is gone.

    The parent is the one that Spawn wrote into the environment; a process started by hand has
    none and is left alone. The kernel does it on Linux; a polling thread does it everywhere.
    """
    if parent is None:
        written = os.environ.get(PARENT_VARIABLE, "")
        parent = int(written) if written.isdigit() else 0
    if not parent:
        return
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(ORPHANED)  # it died before we could ask to be told
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(ORPHANED)


def is_running(pid: int) -> bool:
    """Whether a process of that number exists on this host."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tied_to(parent: int, death_signal: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None
    prctl = _libc.prctl

    def tie() -> None:  # runs between fork and exec: no allocation of locks, no logging
        prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            os._exit(ORPHANED)

    return tie


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
