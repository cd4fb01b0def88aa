"""Pictures: taking them in, finding them, and where their renditions lie."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cms.accounts import audit
from cms.accounts.models import User
from cms.core import images, storage
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound
from cms.core.text import clean_line
from content_library.models import Media

ORIGINAL = "original"
RENDITIONS = ("thumb", "card", "share", "full")
LONGEST_FILE_NAME = 200
MOST_RECENT = 64


@dataclass(frozen=True)
class Prepared:
    """A picture that has been decoded, cleaned and put on disk, but is in no row yet."""

    sha256: str
    mime: str
    width: int
    height: int
    size: int
    file: str
    renditions: dict[str, Any]
    original_name: str


_recent: dict[tuple[str, str], Prepared] = {}  # by folder and hash of the upload


@dataclass(frozen=True)
class Served:
    """A file to send, and as what."""

    path: Path
    mime: str
    width: int
    height: int


def get(media_id: int) -> Media:
    """The picture of that id; raises NotFound."""
    found = session.get(Media, media_id)
    if found is None:
        raise NotFound("picture")
    return found


def by_sha(sha256: str) -> Media:
    """The picture of that hash; raises NotFound."""
    found = by_shas([sha256]).get(sha256)
    if found is None:
        raise NotFound("picture")
    return found


def by_shas(hashes: Collection[str]) -> dict[str, Media]:
    """Those of the pictures that exist."""
    if not hashes:
        return {}
    rows = session.scalars(select(Media).where(Media.sha256.in_(list(hashes))))
    return {media.sha256: media for media in rows}


def by_ids(ids: Collection[int]) -> dict[int, Media]:
    """Those of the pictures that exist."""
    if not ids:
        return {}
    return {one.id: one for one in session.scalars(select(Media).where(Media.id.in_(list(ids))))}


def address(sha256: str, rendition: str = "full") -> str:
    """Where signed-in people get it; other doors put their own prefix before hash and rendition."""
    return f"/media/{sha256}/{rendition}"


def store(content: bytes, filename: str, *, by: User | None) -> Media:
    """Take in an upload: decode, clean, draw renditions, keep. Raises Invalid for the field "file".

    Decoding takes a moment: where many write, call `prepare` before and `keep` inside the transaction.
    """
    return keep(prepare(content, filename), by=by)


def prepare(content: bytes, filename: str, *, field: str = "file") -> Prepared:
    """Decode, clean and draw in a child process, and put the files on disk; writes no row.

    A picture that came a moment ago, as one shown in many articles of an import does, is not drawn twice.
    """
    files = storage.media()
    key = (str(files.folder), hashlib.sha256(content).hexdigest())
    known = _recent.get(key)
    if known is not None and _is_whole(known):
        return replace(known, original_name=_shortened(filename))
    made = _drawn(content, filename, field)
    _recent[key] = made
    while len(_recent) > MOST_RECENT:
        _recent.pop(next(iter(_recent)), None)
    return made


def _is_whole(prepared: Prepared) -> bool:
    keys = [prepared.file, *(drawn["file"] for drawn in prepared.renditions.values())]
    return all(key in storage.media() for key in keys)


def _shortened(filename: str) -> str:
    return clean_line(filename)[-LONGEST_FILE_NAME:]


def _drawn(content: bytes, filename: str, field: str) -> Prepared:
    picture = images.take(content, field=field)
    files = storage.media()
    original = files.put(picture.original.content, picture.original.suffix)
    drawn = {}
    for name, rendition in picture.renditions.items():
        kept = files.put(rendition.content, rendition.suffix)
        drawn[name] = {
            "file": kept.key,
            "mime": rendition.media_type,
            "width": rendition.width,
            "height": rendition.height,
        }
    return Prepared(
        sha256=original.sha256,
        mime=picture.original.media_type,
        width=picture.width,
        height=picture.height,
        size=original.size,
        file=original.key,
        renditions=drawn,
        original_name=_shortened(filename),
    )


def keep(prepared: Prepared, *, by: User | None) -> Media:
    """The row of a prepared picture; the same picture uploaded twice has one row."""
    known = by_shas([prepared.sha256]).get(prepared.sha256)
    if known is not None:
        return known
    made = Media(
        sha256=prepared.sha256,
        mime=prepared.mime,
        width=prepared.width,
        height=prepared.height,
        size=prepared.size,
        file=prepared.file,
        renditions=prepared.renditions,
        original_name=prepared.original_name,
        created_at=now(),
    )
    session.add(made)
    session.flush()  # versions and the audit trail need the picture's id
    audit.record("media.stored", made, by=by, name=made.original_name)
    return made


def served(media: Media, rendition: str = "full") -> Served:
    """The file of a rendition; where that was not drawn, the best there is. Raises NotFound."""
    files = storage.media()
    if rendition not in (*RENDITIONS, ORIGINAL):
        raise NotFound("picture")
    drawn = media.renditions.get(rendition) or media.renditions.get("full")
    if rendition == ORIGINAL or drawn is None:
        return Served(files.path(media.file), media.mime, media.width, media.height)
    return Served(files.path(drawn["file"]), drawn["mime"], drawn["width"], drawn["height"])
