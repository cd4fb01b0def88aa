"""What a picture's header says about its size, read by hand before anything is decoded."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Header:
    """The claimed shape of a picture; a lie here is found out when it is decoded."""

    format: str
    width: int
    height: int
    frames: int = 1


class Damaged(Exception):
    """The header ends early or contradicts itself."""


def read(content: bytes) -> Header | None:
    """The header of a PNG, JPEG, WebP or GIF; None for anything else. Raises Damaged."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(content)
        if content.startswith(b"\xff\xd8\xff"):
            return _jpeg(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp(content)
        if content[:6] in {b"GIF87a", b"GIF89a"}:
            return _gif(content)
    except (struct.error, IndexError) as error:
        raise Damaged from error
    return None


def _png(content: bytes) -> Header:
    if content[12:16] != b"IHDR":
        raise Damaged
    width, height = struct.unpack_from(">II", content, 16)
    return Header("PNG", width, height)  # an animated PNG is taken as its first picture


_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, 0xFF, *range(0xD0, 0xD9)})


def _jpeg(content: bytes) -> Header:
    position = 2
    while True:
        if content[position] != 0xFF:
            raise Damaged
        marker = content[position + 1]
        if marker in _JPEG_BARE:
            position += 1 if marker == 0xFF else 2
            continue
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", content, position + 5)
            return Header("JPEG", width, height)
        if marker == 0xDA:
            raise Damaged  # the picture begins and nobody has said how large it is
        position += 2 + int(struct.unpack_from(">H", content, position + 2)[0])


def _webp(content: bytes) -> Header:
    kind = content[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        height = int.from_bytes(content[27:30], "little") + 1
        frames = sum(1 for name in _riff_chunks(content) if name == b"ANMF")
        return Header("WEBP", width, height, max(1, frames))
    if kind == b"VP8L":
        bits = int(struct.unpack_from("<I", content, 21)[0])
        return Header("WEBP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return Header("WEBP", width & 0x3FFF, height & 0x3FFF)
    raise Damaged


def _riff_chunks(content: bytes) -> Iterator[bytes]:
    position = 12
    while position + 8 <= len(content):
        yield content[position : position + 4]
        length = int(struct.unpack_from("<I", content, position + 4)[0])
        position += 8 + length + (length & 1)


def _gif(content: bytes) -> Header:
    width, height = struct.unpack_from("<HH", content, 6)
    frames = 0
    position = 13 + _palette_bytes(content[10])
    # A file that ends early counts the frames it has; decoding tells whether that is enough.
    while position + 9 < len(content):
        block = content[position]
        if block == 0x2C:
            frames += 1
            left, top, wide, high = struct.unpack_from("<HHHH", content, position + 1)
            width, height = max(width, left + wide), max(height, top + high)
            position += 10 + _palette_bytes(content[position + 9]) + 1
        elif block == 0x21:
            position += 2
        else:
            break
        position = _after_blocks(content, position)
    if not frames:
        raise Damaged
    return Header("GIF", width, height, frames)


def _palette_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(content: bytes, position: int) -> int:
    while position < len(content) and content[position]:
        position += content[position] + 1
    return position + 1
