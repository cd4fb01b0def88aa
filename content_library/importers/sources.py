"""Where imported files come from: a folder, or an archive that cannot harm us by its paths or its size."""

import zipfile
from abc import ABC, abstractmethod
from io import BytesIO
from pathlib import Path, PurePosixPath

from cms.core.errors import invalid
from cms.core.i18n import N_
from cms.core.limits import most

MOST_FILES = 5_000
MOST_UNPACKED = 400 * 1_048_576
MOST_TIMES_LARGER = 200
_SMALL = 1_048_576  # below this an archive may be packed as tightly as it likes
_CHUNK = 65_536


class Source(ABC):
    """Files by their path from the root; nothing outside the root can be reached."""

    name: str

    @abstractmethod
    def paths(self) -> list[PurePosixPath]:
        """Every file, in order; hidden ones are left out."""

    @abstractmethod
    def has(self, path: PurePosixPath) -> bool: ...

    @abstractmethod
    def read(self, path: PurePosixPath, limit: int) -> bytes:
        """The file's bytes; raises Invalid `file_too_large` above the limit."""


class Folder(Source):
    """A folder on this machine. Links that lead out of it are treated as missing."""

    def __init__(self, root: Path, name: str = "") -> None:
        self.root = root.resolve()
        self.name = name or self.root.name
        if not self.root.is_dir():
            raise invalid(
                "path", "no_folder", N_("There is no folder %(path)s."), path=str(root)[:200]
            )

    def paths(self) -> list[PurePosixPath]:
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return sorted(_visible(PurePosixPath(path.as_posix()) for path in found))

    def has(self, path: PurePosixPath) -> bool:
        return self._place(path).is_file() and self._place(path).is_relative_to(self.root)

    def read(self, path: PurePosixPath, limit: int) -> bytes:
        if not self.has(path):
            raise invalid("file", "file_missing", N_("There is no file %(path)s."), path=str(path))
        try:
            with self._place(path).open("rb") as file:
                return _capped(file.read(limit + 1), limit)
        except OSError as error:
            reason = error.strerror or ""
            raise invalid(
                "file", "file_unreadable", N_("This file cannot be read: %(reason)s"), reason=reason
            ) from error

    def _place(self, path: PurePosixPath) -> Path:
        return (self.root / path).resolve()


class Archive(Source):
    """A zip file in memory, judged by its directory first and by the bytes really read after."""

    def __init__(self, content: bytes, name: str) -> None:
        self.name = name
        try:
            self._zip = zipfile.ZipFile(BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            raise invalid(
                "file", "bad_archive", N_("This is no zip archive, or it is damaged.")
            ) from None
        self._judge(len(content))
        self._entries = {
            PurePosixPath(entry.filename): entry
            for entry in self._zip.infolist()
            if not entry.is_dir() and _is_plain(entry)
        }
        self._left = MOST_UNPACKED

    def paths(self) -> list[PurePosixPath]:
        return sorted(_visible(self._entries))

    def has(self, path: PurePosixPath) -> bool:
        return path in self._entries

    def read(self, path: PurePosixPath, limit: int) -> bytes:
        entry = self._entries.get(path)
        if entry is None:
            raise invalid("file", "file_missing", N_("There is no file %(path)s."), path=str(path))
        parts, size = [], 0
        try:
            with self._zip.open(entry) as file:
                while size <= limit and (part := file.read(_CHUNK)):
                    parts.append(part)
                    size += len(part)
                    self._count(len(part))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError):
            raise invalid(
                "file", "bad_archive", N_("This file in the archive is damaged or locked.")
            ) from None
        return _capped(b"".join(parts), limit)

    def _judge(self, packed: int) -> None:
        entries = self._zip.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        is_bomb = unpacked > max(_SMALL, packed * MOST_TIMES_LARGER) or unpacked > MOST_UNPACKED
        if len(entries) > MOST_FILES or is_bomb:
            raise invalid(
                "file",
                "archive_too_large",
                N_(
                    "This archive unpacks to too much; up to %(files)s files and %(limit)s MB are allowed."
                ),
                files=f"{MOST_FILES:,}",
                limit=MOST_UNPACKED // 1_048_576,
            )

    def _count(self, size: int) -> None:
        """The directory may lie about sizes; what is really read may not."""
        self._left -= size
        if self._left < 0:
            raise invalid("file", "archive_too_large", N_("This archive unpacks to too much."))


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in entry.filename


def _visible(paths: object) -> list[PurePosixPath]:
    return [
        path
        for path in paths  # type: ignore[attr-defined]
        if not any(part.startswith((".", "__MACOSX")) for part in path.parts)
    ]


def _capped(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise invalid(
            "file",
            "file_too_large",
            N_("This file is larger than %(limit)s KB."),
            limit=f"{limit // 1024:,}",
        )
    return content


def text_limit() -> int:
    return most("import_file_bytes")


def picture_limit() -> int:
    return most("upload_bytes")
