"""Pictures cut to a carrier's measure: what will be changed, said beforehand, and the file itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cms.core import images, storage
from cms.core.db import give_back
from cms.core.errors import NotFound, Problem, Refused
from cms.core.i18n import N_
from content_library import media
from schedules.envelopes import Picture

if TYPE_CHECKING:  # channels import this module, so it must not import them
    from schedules.channels.answers import Limits

SMALLER_FILE = N_("Picture %(number)s is made smaller: %(size)s MB → at most %(limit)s MB.")
SMALLER_EDGE = N_("Picture %(number)s is made smaller: %(was)s → %(becomes)s pixels.")
OTHER_FORMAT = N_("Picture %(number)s is sent as %(format)s instead of %(was)s.")
CANNOT_FIT = N_("A picture cannot be made small enough for the carrier. Choose another one.")
NO_PICTURE = N_("A picture of the post no longer exists.")


@dataclass(frozen=True)
class Fitted:
    """A picture as a carrier takes it."""

    content: bytes
    mime: str
    filename: str
    was_changed: bool


def fitted(sha256: str, limits: "Limits") -> Fitted:
    """Our stored picture as the carrier takes it, made anew where it must; always the same bytes.

    Reads the database and gives the connection back: call it with no transaction open.
    Raises Refused when there is no such picture, or none that fits.
    """
    try:
        kept = media.by_sha(sha256)
    except NotFound:
        raise Refused(NO_PICTURE) from None
    picture = Picture(kept.id, kept.sha256, kept.mime, kept.width, kept.height, kept.size)
    file, mime = kept.file, kept.mime
    give_back()
    try:
        content = storage.media().read(file)
    except NotFound:
        raise Refused(NO_PICTURE) from None
    if foretell(picture, limits) is None:
        return Fitted(content, mime, _name(sha256, mime), was_changed=False)
    made = images.fit(
        content,
        _format(mime).upper(),
        formats=limits.picture_formats,
        most_bytes=limits.picture_bytes,
        edge=max(_size(picture, limits)),
    )
    if made is None:
        raise Refused(CANNOT_FIT)
    return Fitted(made.content, made.media_type, _name(sha256, made.media_type), was_changed=True)


def foretell(picture: Picture, limits: "Limits", number: int = 1) -> Problem | None:
    """What would be changed about the picture on its way, from what is known of it; None: nothing."""
    if picture.size > limits.picture_bytes:
        return Problem(
            "picture_smaller",
            SMALLER_FILE,
            {
                "number": number,
                "size": _megabytes(picture.size),
                "limit": _megabytes(limits.picture_bytes),
            },
        )
    was, becomes = (picture.width, picture.height), _size(picture, limits)
    if was != becomes:
        params = {"number": number, "was": _told(was), "becomes": _told(becomes)}
        return Problem("picture_smaller", SMALLER_EDGE, params)
    if picture.mime and _format(picture.mime) not in limits.picture_formats:
        to = "JPEG" if "jpeg" in limits.picture_formats else limits.picture_formats[0].upper()
        params = {"number": number, "format": to, "was": _format(picture.mime).upper()}
        return Problem("picture_converted", OTHER_FORMAT, params)
    return None


def changes(pictures: Iterable[Picture], limits: "Limits") -> tuple[Problem, ...]:
    """What would be changed about each of the pictures, counted from one."""
    told = (foretell(one, limits, number) for number, one in enumerate(pictures, start=1))
    return tuple(problem for problem in told if problem)


def _size(picture: Picture, limits: "Limits") -> tuple[int, int]:
    """What the limits on its sides leave of it; the shape stays."""
    width, height = picture.width, picture.height
    share = 1.0
    if limits.longest_edge and max(width, height) > limits.longest_edge:
        share = limits.longest_edge / max(width, height)
    if limits.shorter_edge and min(width, height) * share > limits.shorter_edge:
        share = limits.shorter_edge / min(width, height)
    if share == 1:
        return width, height
    return max(1, int(width * share)), max(1, int(height * share))


def _told(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"


def _format(mime: str) -> str:
    return mime.removeprefix("image/")


def _name(sha256: str, mime: str) -> str:
    suffix = "jpg" if mime == "image/jpeg" else _format(mime)
    return f"{sha256[:16]}.{suffix}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}".removesuffix(".0")
