"""A small disk of its own that a test can fill to the last byte and make room on again."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BLOCK = b"\0" * 65_536


class Disk:
    """A folder with a memory disk mounted on it; nothing else lies there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Take every byte that is left: blocks first, then what still fits behind the last."""
        target = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for piece in (BLOCK, b"\0"):
                self._write_on(target, piece)
        finally:
            os.close(target)

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)

    @staticmethod
    def _write_on(target: int, piece: bytes) -> None:
        try:
            while True:
                os.write(target, piece)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Disk]:
    """Mounted for as long as the block lasts. Needs root, as installing the other system parts does."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield Disk(folder)
    finally:
        # Lazily: a file that the process under test still holds open must not keep the mount.
        _run("umount", "--lazy", str(folder))


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()} (mounting needs root)")
