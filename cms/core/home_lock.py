"""Keeps a data directory to one supervisor at a time."""

import fcntl
import os
from pathlib import Path
from types import TracebackType


class HomeInUse(Exception):
    """Another supervisor holds the data directory."""

    def __init__(self, home: Path, pid: str) -> None:
        who = f" (process {pid})" if pid else ""
        super().__init__(
            f"Seedbed is already running on {home}{who}.\n"
            "Stop it first, or give this one a data directory of its own with SEEDBED_HOME."
        )


class HomeLock:
    """Held while the `with` block runs; the system frees it however the process ends."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.was_left_behind = False  # the last holder was killed; its children may be just dying
        self._file = -1

    def __enter__(self) -> "HomeLock":
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self.home / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        holder = os.read(self._file, 32).decode(errors="replace").strip()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise HomeInUse(self.home, holder) from None
        self.was_left_behind = bool(holder)
        self._write(str(os.getpid()))
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._write("")
        os.close(self._file)

    def _write(self, text: str) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text.encode(), 0)
