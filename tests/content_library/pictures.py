"""Small pictures for tests, drawn in memory."""

from io import BytesIO

from PIL import Image


def png(width: int = 64, height: int = 48, colour: str = "seagreen") -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()
