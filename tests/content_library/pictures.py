"""Pictures for tests, drawn in memory and kept in the library."""

from io import BytesIO

from PIL import Image

from cms.core.db import transaction
from content_library import media
from content_library.models import Media


def png(width: int = 64, height: int = 48, colour: str = "seagreen") -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def stored(size: tuple[int, int] = (300, 200), kind: str = "PNG", noise: bool = False) -> Media:
    image = Image.effect_noise(size, 90).convert("RGB") if noise else Image.new("RGB", size, "red")
    file = BytesIO()
    image.save(file, kind)
    with transaction():
        return media.store(file.getvalue(), f"a.{kind.lower()}", by=None)
