"""The journal: one file of JSON lines a process, durable before a reader gets an answer.

A line is one `write` of a file opened for appending, so kill -9 leaves it whole or, at worst, torn at
the very end. The writer holds a shared lock on its file for as long as it may write; whoever gets the
exclusive lock knows that nothing will be added and may remove the file once it has been read.
"""

import errno
import fcntl
import os
import secrets
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from cms.core.config import current

ROTATE_BYTES = 4 * 1024 * 1024
SUFFIX = ".jsonl"


class Writer:
    """Appends to this process's own file; threads share it, a forked child opens its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._descriptor = -1
        self._owner = 0
        self._written = 0

    def append(self, line: bytes) -> None:
        """Put one whole line on disk, or raise OSError."""
        with self._lock:
            if self._owner != os.getpid() or self._written >= ROTATE_BYTES:
                self._begin()
            written = os.write(self._descriptor, line)
            self._written += written
            if written != len(line):
                # The next line must not be glued to this torso, which readers will drop.
                self._written = ROTATE_BYTES
                raise OSError(errno.ENOSPC, "the journal took only part of a line")

    def close(self) -> None:
        """Let go of the file, so that it may be removed once it has been read."""
        with self._lock:
            self._leave()

    def _begin(self) -> None:
        """Lock the file before it gets the name under which readers look for it."""
        self._leave()
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(6)}"
        hidden = self.folder / f".{name}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(hidden, flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.rename(hidden, self.folder / f"{name}{SUFFIX}")
        self._descriptor, self._owner, self._written = descriptor, os.getpid(), 0

    def _leave(self) -> None:
        if self._descriptor >= 0 and self._owner == os.getpid():
            os.close(self._descriptor)
        self._descriptor, self._owner = -1, 0


@dataclass(frozen=True)
class Chunk:
    """Whole lines read from a file and where they end."""

    lines: tuple[bytes, ...]
    end: int


_writers: dict[Path, Writer] = {}
_making = threading.Lock()


def folder() -> Path:
    """Where the journals of this installation lie."""
    return current().folder("journal")


def append(line: bytes) -> None:
    """Make the line durable against the death of any process; raises OSError when it could not."""
    place = current().home / "journal"
    writer = _writers.get(place)
    if writer is None:
        with _making:
            writer = _writers.setdefault(place, Writer(folder()))
    writer.append(line)


def files() -> list[Path]:
    """All journal files, those of dead processes included."""
    return sorted(folder().glob(f"*{SUFFIX}"))


def read(path: Path, offset: int, most: int) -> Chunk:
    """Whole lines from `offset` on, about `most` bytes of them; a torn last line stays unread."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read(most)
            if block and b"\n" not in block:
                block += file.readline()
    except FileNotFoundError:
        return Chunk((), offset)
    end = block.rfind(b"\n") + 1
    return Chunk(tuple(block[:end].splitlines()), offset + end)


def remove_if_abandoned(path: Path, offset: int) -> bool:
    """Remove a file that nobody writes any more and that has been read to its last whole line."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if read(path, offset, ROTATE_BYTES).lines:
            return False
        path.unlink(missing_ok=True)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
