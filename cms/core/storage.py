"""Files at rest: kept under the hash of their content, written whole or not at all."""

import errno
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cms.core.errors import Invalid, NotFound, Problem
from cms.core.i18n import N_

_KEY = re.compile(
    r"(?P<one>[0-9a-f]{2})/(?P<two>[0-9a-f]{2})/(?P=one)(?P=two)[0-9a-f]{60}(\.[a-z0-9]{1,8})?"
)
_SUFFIX = re.compile(r"(\.[a-z0-9]{1,8})?")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageFull(Invalid):
    """The disk took no more; nothing was kept of what was being written."""

    def __init__(self, field: str = "file") -> None:
        message = N_(
            "The server has no room for this file. Nothing was saved; tell an administrator."
        )
        super().__init__({field: Problem("storage_full", message)})


@dataclass(frozen=True)
class StoredFile:
    """A file that is on disk: `key` finds it again and is what a row keeps."""

    key: str
    sha256: str
    size: int


class Store:
    """A folder of files that never change. The same bytes are kept once, whoever brings them.

    So `delete` is for those who know that no other row holds the same key.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes, suffix: str = "") -> StoredFile:
        """Keep the bytes, or raise StorageFull and keep nothing. A key that exists is left as it is."""
        if not _SUFFIX.fullmatch(suffix):
            raise ValueError(f"{suffix!r} is no suffix like .webp")
        digest = hashlib.sha256(content).hexdigest()
        stored = StoredFile(f"{digest[:2]}/{digest[2:4]}/{digest}{suffix}", digest, len(content))
        path = self.folder / stored.key
        if path.is_file() and path.stat().st_size == stored.size:
            return stored
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_whole(path, content)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise StorageFull from error
            raise
        return stored

    def path(self, key: str) -> Path:
        """Where the file lies; raises NotFound for a key that is none of ours or has no file."""
        path = self._place(key)
        if not path.is_file():
            raise NotFound("file")
        return path

    def open(self, key: str) -> BinaryIO:
        """The file, opened for reading."""
        return self.path(key).open("rb")

    def read(self, key: str) -> bytes:
        """The whole file."""
        return self.path(key).read_bytes()

    def delete(self, key: str) -> None:
        """Remove the file; a file already gone is as good."""
        self._place(key).unlink(missing_ok=True)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and bool(_KEY.fullmatch(key)) and (self.folder / key).is_file()

    def _place(self, key: str) -> Path:
        # Keys come back from links and forms: only the shape we write can leave for the disk.
        if not _KEY.fullmatch(key):
            raise NotFound("file")
        return self.folder / key


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside, make it durable, then give it its name, so that no reader sees a part of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(folder: Path) -> None:
    """Say where this process keeps its files; called once by the factory with settings.folder("media")."""
    global _media
    _media = Store(folder)


def media() -> Store:
    """The store of uploaded and drawn pictures."""
    if _media is None:
        raise RuntimeError("storage.connect(folder) comes first")
    return _media


_media: Store | None = None
