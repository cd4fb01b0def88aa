"""The child that decodes pictures: bounded in memory and time, it knows nothing and keeps nothing.

Reads the uploaded bytes from standard input; writes one line of JSON and the new files after it.
"""

import io
import json
import resource
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

from cms.core.limits import most

# name, format, widest, longest: a long picture (a poster of many screens) keeps its length longer.
# Largest first, as each is made from the one before.
RENDITIONS = (
    ("full", "WEBP", 1600, 6400),
    ("share", "JPEG", 1200, 4800),
    ("card", "WEBP", 640, 2560),
    ("thumb", "WEBP", 320, 1280),
)
_SAVING: dict[str, dict[str, Any]] = {
    "WEBP": {"quality": 82, "method": 3},
    "JPEG": {"quality": 88, "progressive": True, "optimize": True},
    "PNG": {"compress_level": 6},
    "GIF": {"optimize": False},
}
_ORIGINAL_QUALITY = {"JPEG": 92, "WEBP": 92}


Made = tuple[dict[str, Any], list[bytes]]


def main() -> None:
    """Answer one request on standard input."""
    keeps_moving = "--animated" in sys.argv
    serve(lambda content: _process(content, sys.argv[1], keeps_moving=keeps_moving))


def serve(process: Callable[[bytes], Made]) -> None:
    """Work on one picture within the limits; the exit code is 0 whatever the picture was."""
    _bind_limits()
    content = sys.stdin.buffer.read()
    try:
        answer, files = process(content)
    except MemoryError:
        answer, files = {"error": "image_too_large"}, []
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        answer, files = {"error": "image_too_large"}, []
    except UnidentifiedImageError:
        answer, files = {"error": "image_damaged"}, []
    # Pillow's readers raise these and more for bytes that make no sense to them.
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, EOFError):
        answer, files = {"error": "image_damaged"}, []
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + b"".join(files))


def _bind_limits() -> None:
    seconds = most("image_seconds")
    memory = most("image_memory")
    for limit, value in (
        (
            resource.RLIMIT_AS,
            memory,
        ),  # macOS takes it and does not hold to it: pixels are counted too
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(limit, (value, value))
        except (ValueError, OSError):
            continue  # not offered, or already lower
    Image.MAX_IMAGE_PIXELS = most("image_pixels")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _process(content: bytes, image_format: str, *, keeps_moving: bool) -> Made:
    with Image.open(io.BytesIO(content), formats=[image_format]) as source:
        frames = getattr(source, "n_frames", 1)
        moving = _moving(source) if keeps_moving and frames > 1 else None
        source.seek(0)
        still = plain(source)
    if moving:
        original = ("GIF", moving)
    else:
        kept = "PNG" if image_format == "GIF" else image_format
        original = (kept, saved(still, kept, quality=_ORIGINAL_QUALITY.get(kept)))
    entries = [_entry("original", original[0], still.size)]
    files = [original[1]]
    smaller = still
    for name, kind, widest, longest in RENDITIONS:
        smaller = smaller.copy()
        smaller.thumbnail((widest, longest), Image.Resampling.LANCZOS)
        entries.append(_entry(name, kind, smaller.size))
        files.append(saved(smaller, kind))
    for entry, file in zip(entries, files, strict=True):
        entry["length"] = len(file)
    return {"frames": frames if moving else 1, "files": entries}, files


def _entry(name: str, kind: str, size: tuple[int, int]) -> dict[str, Any]:
    return {"name": name, "format": kind, "width": size[0], "height": size[1]}


def plain(image: Image.Image) -> Image.Image:
    """The bare picture: upright, in sRGB, without a word about where and by whom it was taken."""
    image.load()
    upright = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    has_alpha = upright.has_transparency_data
    if profile and upright.mode in {"RGB", "RGBA", "CMYK", "L"}:
        upright = _to_srgb(upright, profile)
    plain = upright.convert("RGBA" if has_alpha else "RGB")
    plain.info = {}
    plain.getexif().clear()
    return plain


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode=mode,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # a broken profile costs the colours a little, not the picture
    return converted or image


def saved(image: Image.Image, kind: str, *, quality: int | None = None) -> bytes:
    if kind == "JPEG" and image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    options = _SAVING[kind] | ({"quality": quality} if quality else {})
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _moving(source: Image.Image) -> bytes:
    loop = source.info.get("loop")
    durations: list[int] = []

    def pictures() -> Iterator[Image.Image]:
        for frame in ImageSequence.Iterator(source):
            # Browsers slow down anything quicker than this, other viewers race.
            durations.append(max(20, int(frame.info.get("duration", 100))))
            picture = frame.convert("RGBA")
            picture.info = {}
            yield picture

    first, *others = list(pictures())
    file = io.BytesIO()
    repeats = {} if loop is None else {"loop": loop}
    first.save(
        file, "GIF", save_all=True, append_images=others, duration=durations, disposal=2, **repeats
    )
    return file.getvalue()


if __name__ == "__main__":
    main()
