"""Uploaded pictures: judged by their content, decoded in a child process, made anew, stripped bare."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

import filetype

from cms.core import image_header
from cms.core.config import ROOT
from cms.core.errors import Invalid, Problem, invalid
from cms.core.i18n import N_
from cms.core.image_header import Header
from cms.core.limits import most

ALLOWED = "PNG, JPEG, WebP, GIF"
_MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "GIF": ".gif"}

# Each child may take a gigabyte: two at a time in one process, the others wait their turn.
_turns = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Rendition:
    """One file made from an upload."""

    name: str
    content: bytes
    media_type: str
    suffix: str
    width: int
    height: int


@dataclass(frozen=True)
class Picture:
    """A safe picture: the original made anew, and its renditions full, card, thumb and share."""

    format: str
    width: int
    height: int
    frames: int
    is_stilled: bool  # an animation that was too long, of which the first frame was kept
    original: Rendition
    renditions: dict[str, Rendition]


def take(content: bytes, *, field: str = "file") -> Picture:
    """Turn uploaded bytes into a picture that may be shown.

    Raises Invalid for the field: file_empty, file_too_large, not_an_image, image_too_large,
    image_damaged.
    """
    header = inspect(content, field=field)
    keeps_moving = (
        header.format == "GIF"
        and 1 < header.frames <= most("image_frames")
        and header.width * header.height * header.frames <= most("image_frame_pixels")
    )
    options = [header.format] + ["--animated"] * keeps_moving
    answer, body = _run_child("cms.core.image_worker", options, content)
    if "error" in answer:
        raise Invalid({field: _PROBLEMS[answer["error"]]()})
    renditions = _renditions(answer["files"], body)
    original = renditions.pop("original")
    return Picture(
        format=header.format,
        width=original.width,
        height=original.height,
        frames=answer["frames"],
        is_stilled=header.frames > 1 and answer["frames"] == 1,
        original=original,
        renditions=renditions,
    )


def fit(
    content: bytes, image_format: str, *, formats: tuple[str, ...], most_bytes: int, edge: int = 0
) -> Rendition | None:
    """A picture of ours made anew in one of the formats, no larger than told; None: impossible.

    The same picture and limits give the same bytes. Edge 0 means that any length will do.
    """
    options = [image_format, ",".join(formats), str(most_bytes), str(edge)]
    answer, body = _run_child("cms.core.image_fitter", options, content)
    files = _renditions(answer.get("files", []), body)
    return files.get("fitted")


def inspect(content: bytes, *, field: str = "file") -> Header:
    """Judge size, kind and shape from the outside, decoding nothing."""
    if not content:
        raise invalid(field, "file_empty", N_("This file is empty. Choose another one."))
    check_size(len(content), field=field)
    kind = filetype.guess(content)
    try:
        header = image_header.read(content)
    except image_header.Damaged:
        raise Invalid({field: _damaged()}) from None
    if header is None or kind is None or kind.mime != _MEDIA_TYPES[header.format]:
        raise invalid(
            field,
            "not_an_image",
            N_(
                "This is not a picture we can take, whatever its name says. Allowed are %(allowed)s."
            ),
            allowed=ALLOWED,
        )
    if not header.width or not header.height:
        raise Invalid({field: _damaged()})
    is_too_long = max(header.width, header.height) > most("image_side")
    if is_too_long or header.width * header.height > most("image_pixels"):
        raise Invalid({field: _too_large(header)})
    return header


def check_size(size: int, *, field: str = "file") -> None:
    """Raise Invalid file_too_large; also for edges that know the length before the content."""
    if size > most("upload_bytes"):
        raise invalid(
            field,
            "file_too_large",
            N_("This file has %(size)s MB; up to %(limit)s MB are allowed."),
            size=f"{size / 1_048_576:.1f}",
            limit=f"{most('upload_bytes') // 1_048_576}",
        )


def _damaged() -> Problem:
    return Problem(
        "image_damaged",
        N_("This picture is damaged or incomplete. Export it again as %(allowed)s."),
        {"allowed": ALLOWED},
    )


def _too_large(header: Header | None = None) -> Problem:
    limit = f"{most('image_pixels') // 1_000_000}"
    if header is None:
        message = N_(
            "This picture is too large to work on; up to %(limit)s megapixels are allowed."
        )
        return Problem("image_too_large", message, {"limit": limit})
    return Problem(
        "image_too_large",
        N_(
            "This picture measures %(width)s × %(height)s; allowed are %(limit)s megapixels "
            "and %(side)s pixels a side."
        ),
        {
            "width": f"{header.width:,}",
            "height": f"{header.height:,}",
            "limit": limit,
            "side": f"{most('image_side'):,}",
        },
    )


_PROBLEMS = {"image_damaged": _damaged, "image_too_large": _too_large}


def _run_child(module: str, options: list[str], content: bytes) -> tuple[dict[str, Any], bytes]:
    command = [sys.executable, "-s", "-B", "-m", module, *options]
    with _turns:
        try:
            # An empty environment: whatever a picture breaks into finds no secret there.
            done = subprocess.run(
                command,
                input=content,
                capture_output=True,
                cwd=ROOT,
                env={},
                timeout=2 * most("image_seconds"),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"error": "image_too_large"}, b""
    line, _, body = done.stdout.partition(b"\n")
    if done.returncode or not line:
        return {"error": _cause_of_death(done)}, b""
    return json.loads(line), body


def _cause_of_death(done: subprocess.CompletedProcess[bytes]) -> str:
    """A child without an answer ran out of memory or time, or its decoder crashed on the bytes."""
    if b"ModuleNotFoundError" in done.stderr or b"ImportError" in done.stderr:
        raise RuntimeError(f"the picture worker cannot start: {done.stderr[-500:].decode()}")
    is_starved = b"MemoryError" in done.stderr or done.returncode in {-24, -9}
    return "image_too_large" if is_starved else "image_damaged"


def _renditions(entries: list[dict[str, Any]], body: bytes) -> dict[str, Rendition]:
    found: dict[str, Rendition] = {}
    position = 0
    for entry in entries:
        content = body[position : position + entry["length"]]
        position += entry["length"]
        found[entry["name"]] = Rendition(
            name=entry["name"],
            content=content,
            media_type=_MEDIA_TYPES[entry["format"]],
            suffix=_SUFFIXES[entry["format"]],
            width=entry["width"],
            height=entry["height"],
        )
    return found
