"""The folder that holds the index: numbered generations, the pointer to the current one, the locks."""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from content_library.search.schema import SCHEMA_VERSION

_POINTER = "current"
_TOUCHED = "touched"
_LAST = "last"
_PAUSE = 0.02
_REBUILD_WAIT = 0.5


class IndexMissing(Exception):
    """There is no index that can be read now; answer from the database and rebuild.

    `reason` is one of "absent", "other_version" and "broken".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"no usable search index: {reason}")
        self.reason = reason


class IndexBusy(Exception):
    """Another process kept the writing lock longer than the caller wanted to wait."""


@dataclass(frozen=True)
class Pointer:
    """Which generation is current."""

    generation: int
    folder: Path


class Generations:
    """Finds, adds and swaps generations. A generation that nothing points to does not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> Pointer:
        """The generation to read; raises IndexMissing when none fits this code."""
        try:
            content = json.loads((self.folder / _POINTER).read_bytes())
            generation, version = int(content["generation"]), int(content["schema"])
        except FileNotFoundError:
            raise IndexMissing("absent") from None
        except (OSError, ValueError, TypeError, LookupError) as error:
            raise IndexMissing("broken") from error
        if version != SCHEMA_VERSION:
            raise IndexMissing("other_version")
        return Pointer(generation, self._named(generation))

    def begin(self) -> Pointer:
        """An empty folder for the generation after all that were ever begun."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never a number twice, even after everything was dropped: readers know a generation by it.
        generation = 1 + max([self._last_begun(), *self._numbers()])
        (self.folder / _LAST).write_text(str(generation))
        folder = self._named(generation)
        folder.mkdir(mode=0o700)
        return Pointer(generation, folder)

    def point_to(self, pointer: Pointer) -> None:
        """Make a finished generation current, durably: its files first, then the one rename."""
        for path in [*pointer.folder.iterdir(), pointer.folder]:
            _sync(path)
        fresh = self.folder / f"{_POINTER}.new"
        content = {"generation": pointer.generation, "schema": SCHEMA_VERSION}
        fresh.write_text(json.dumps(content))
        _sync(fresh)
        os.replace(fresh, self.folder / _POINTER)
        _sync(self.folder)

    def drop_others(self, kept: Pointer | None) -> None:
        """Remove every other generation; readers that still hold one keep their open files."""
        for generation in self._numbers():
            if kept is None or generation != kept.generation:
                shutil.rmtree(self._named(generation), ignore_errors=True)

    # While a rebuild reads the database, writers note the ids they touch, so that the rebuild
    # can fetch exactly those again before it swaps.

    @contextmanager
    def noting_touched(self) -> Iterator[None]:
        """From here on writers note the ids they touch; the caller is the one rebuild."""
        with self.writing(timeout=60):
            (self.folder / _TOUCHED).write_bytes(b"")
        try:
            yield
        finally:
            (self.folder / _TOUCHED).unlink(missing_ok=True)

    def note_touched(self, ids: Iterable[int]) -> None:
        """Note ids if a rebuild is running; the caller holds the writing lock."""
        path = self.folder / _TOUCHED
        if not path.exists():
            return
        if self._is_rebuild_dead():
            path.unlink(missing_ok=True)
            return
        with path.open("a") as file:
            file.write("".join(f"{number}\n" for number in ids))

    def touched(self) -> list[int]:
        """The noted ids, each once; a last line without its end was never followed by a write."""
        lines = (self.folder / _TOUCHED).read_text().split("\n")[:-1]
        return list(dict.fromkeys(int(line) for line in lines))

    @contextmanager
    def writing(self, timeout: float) -> Iterator[None]:
        """Be the one writer. The lock dies with its process, so kill -9 leaves nothing behind."""
        with self._held("writer.lock", timeout):
            yield

    @contextmanager
    def rebuilding(self) -> Iterator[None]:
        """Be the one rebuild; a second one is told soon."""
        # Not at once: a writer takes this lock for a moment to see whether a rebuild is alive.
        with self._held("rebuild.lock", _REBUILD_WAIT):
            yield

    def _is_rebuild_dead(self) -> bool:
        try:
            with self._held("rebuild.lock", 0):
                return True
        except IndexBusy:
            return False

    @contextmanager
    def _held(self, name: str, timeout: float) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        until = time.monotonic() + timeout
        with open(self.folder / name, "a") as file:
            while not _has_locked(file.fileno()):
                if time.monotonic() >= until:
                    raise IndexBusy(name)
                time.sleep(_PAUSE)
            yield

    def _last_begun(self) -> int:
        try:
            return int((self.folder / _LAST).read_text())
        except (OSError, ValueError):
            return 0

    def _named(self, generation: int) -> Path:
        return self.folder / f"g-{generation}"

    def _numbers(self) -> list[int]:
        names = [path.name.removeprefix("g-") for path in self.folder.glob("g-*")]
        return [int(name) for name in names if name.isascii() and name.isdigit()]


def _has_locked(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
