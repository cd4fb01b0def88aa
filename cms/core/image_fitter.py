"""The child that makes a picture small enough for somebody else, bounded like its sibling.

Arguments: format of the input, formats allowed (best first), most bytes, longest edge or 0.
"""

import io
import math
import sys
from collections.abc import Iterator

from PIL import Image

from cms.core import image_worker

QUALITIES = (88, 80, 70)
LAST_QUALITY = 75
SMALLEST_EDGE = 64  # pixels; below that nobody would recognise anything
STEPS = 8


def main() -> None:
    """Answer one request on standard input."""
    image_format, formats, most, edge = sys.argv[1:5]
    asked = [name.upper() for name in formats.split(",")]
    image_worker.serve(lambda content: _fit(content, image_format, asked, int(most), int(edge)))


def _fit(  # noqa: PLR0917 - the five arguments of the command line
    content: bytes, image_format: str, formats: list[str], most: int, edge: int
) -> image_worker.Made:
    with Image.open(io.BytesIO(content), formats=[image_format]) as source:
        source.seek(0)
        picture = image_worker.plain(source)
    if edge:
        picture.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    for kind, size, made in _tries(picture, image_format, formats, most):
        if len(made) <= most:
            entry = {"name": "fitted", "format": kind, "width": size[0], "height": size[1]}
            return {"files": [entry | {"length": len(made)}]}, [made]
    return {"files": []}, []


def _tries(
    picture: Image.Image, image_format: str, formats: list[str], most: int
) -> Iterator[tuple[str, tuple[int, int], bytes]]:
    """Ever smaller versions: as it was, then with less detail, then with fewer pixels."""
    if image_format in formats and image_format in {"PNG", "WEBP"}:
        yield image_format, picture.size, image_worker.saved(picture, image_format)
    kind = "JPEG" if "JPEG" in formats else formats[0]
    for quality in QUALITIES if kind != "PNG" else ():
        made = image_worker.saved(picture, kind, quality=quality)
        yield kind, picture.size, made
    made = image_worker.saved(picture, kind, quality=_quality(kind))
    for _ in range(STEPS):
        share = min(0.8, math.sqrt(most / len(made)) * 0.95)
        width, height = (max(1, round(side * share)) for side in picture.size)
        if max(width, height) < SMALLEST_EDGE:
            return
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        made = image_worker.saved(picture, kind, quality=_quality(kind))
        yield kind, picture.size, made


def _quality(kind: str) -> int | None:
    return None if kind == "PNG" else LAST_QUALITY


if __name__ == "__main__":
    main()
