"""A sheet of paper to draw posters on: smooth shapes, Chinese and English type, line breaking."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

PAPER, CARD, LINE = "#FAF8F3", "#FFFFFF", "#E6E1D6"
INK, SOFT, FAINT = "#23282B", "#646B6E", "#B9B5AA"
LEAF, LEAF_WASH = "#1F7A4D", "#E4F1E8"

GROUND = "#F3EFE6"  # between paper and line, for what is only hinted at

# Shapes are drawn twice as large and shrunk, since Pillow does not smooth their edges.
SCALE = 2
# Shades between a ground and a colour laid on it; more would only make the files larger.
SHADES = 5

NEVER_FIRST = set(
    ",.!?;:)]}%" + "\uff0c\u3002\uff01\uff1f\uff1b\uff1a\u3001\uff09\u201d\u300b\u2026"
)
NEVER_LAST = set("([{" + "\uff08\u201c\u300a")

Point = tuple[float, float]


class Face(StrEnum):
    SERIF = "serif"
    SANS = "sans"
    BOLD = "bold"
    MONO = "mono"


class NoChineseFont(Exception):
    """This machine has no Chinese font; the drawn posters of the pack serve instead."""


_NOTO = (
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-cjk",
    "/usr/share/fonts/noto",
)
_MAC = "/System/Library/Fonts"

# Per face: file, the member of the collection for Simplified Chinese, the one for Latin text. Noto's
# Chinese member sets quotation marks as wide as a Han character, its Korean one as wide as a letter.
FONTS: dict[Face, tuple[tuple[str, int, int], ...]] = {
    Face.SERIF: (
        *((f"{folder}/NotoSerifCJK-Bold.ttc", 2, 1) for folder in _NOTO),
        (f"{_MAC}/Supplemental/Songti.ttc", 1, 1),
        ("C:/Windows/Fonts/simsun.ttc", 0, 0),
    ),
    Face.SANS: (
        *((f"{folder}/NotoSansCJK-Regular.ttc", 2, 1) for folder in _NOTO),
        (f"{_MAC}/PingFang.ttc", 2, 2),
        (f"{_MAC}/Hiragino Sans GB.ttc", 0, 0),
        (f"{_MAC}/STHeiti Light.ttc", 1, 1),
        ("C:/Windows/Fonts/msyh.ttc", 0, 0),
    ),
    Face.BOLD: (
        *((f"{folder}/NotoSansCJK-Bold.ttc", 2, 1) for folder in _NOTO),
        (f"{_MAC}/Hiragino Sans GB.ttc", 2, 2),
        (f"{_MAC}/STHeiti Medium.ttc", 1, 1),
        ("C:/Windows/Fonts/msyhbd.ttc", 0, 0),
    ),
    Face.MONO: (
        ("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", 0, 0),
        ("/usr/share/fonts/dejavu-sans-mono-fonts/DejaVuSansMono.ttf", 0, 0),
        (f"{_MAC}/Menlo.ttc", 0, 0),
        ("C:/Windows/Fonts/consola.ttf", 0, 0),
    ),
}


@cache
def font_file(face: Face) -> tuple[str, int, int]:
    """The first known place that has this face; other Chinese faces stand in for a missing one."""
    others = [Face.BOLD, Face.SANS, Face.SERIF]
    for candidate in [face, *others]:
        for place in FONTS[candidate]:
            if Path(place[0]).is_file():
                return place
    raise NoChineseFont(f"no font found for {face}; on Debian install fonts-noto-cjk")


def has_chinese_font() -> bool:
    return any(Path(path).is_file() for path, *_ in FONTS[Face.SANS])


@cache
def _font(face: Face, size: int, is_latin: bool) -> ImageFont.FreeTypeFont:
    path, chinese, latin = font_file(face)
    return ImageFont.truetype(path, size * SCALE, index=latin if is_latin else chinese)


def _is_latin(words: str) -> bool:
    return all(character < "\u2e80" for character in words)


def _shades(hue: str) -> np.ndarray:
    """The palette of a sheet: every colour used, and the shades its edges need on each ground."""
    palette = {
        tuple(round(x + (y - x) * step / SHADES) for x, y in zip(ground, colour, strict=True))
        for ground in map(_rgb, (PAPER, CARD, GROUND, hue))
        for colour in map(_rgb, (INK, SOFT, FAINT, LINE, LEAF, hue, CARD))
        for step in range(SHADES + 1)
    }
    return np.array(sorted(palette), dtype=np.int32)


def _rgb(colour: str) -> tuple[int, ...]:
    return ImageColor.getrgb(colour)[:3]


def _reduce(image: Image.Image, palette: np.ndarray) -> Image.Image:
    """Each pixel's exact nearest shade; Pillow's own matching would tint the paper."""
    pixels = np.asarray(image, dtype=np.int32) @ np.array([65536, 256, 1])
    present, place = np.unique(pixels, return_inverse=True)
    colours = np.stack([present >> 16, present >> 8 & 255, present & 255], axis=1)
    nearest = ((colours[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
    reduced = Image.frombytes("P", image.size, nearest[place].astype(np.uint8).tobytes())
    reduced.putpalette(palette.astype(np.uint8).tobytes())
    return reduced


@dataclass(frozen=True)
class Box:
    """A rectangle on the sheet, in the sheet's own pixels."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def cx(self) -> float:
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        return self.y + self.h / 2

    def inset(self, by: float) -> "Box":
        return Box(self.x + by, self.y + by, self.w - 2 * by, self.h - 2 * by)


@dataclass(frozen=True)
class Ink:
    """How a piece of text looks."""

    size: int
    face: Face = Face.SANS
    fill: str = INK
    anchor: str = "la"


class Canvas:
    def __init__(self, width: int, height: int, hue: str) -> None:
        self.width, self.height, self.hue = width, height, hue
        self._image = Image.new("RGB", (width * SCALE, height * SCALE), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def save(self, path: Path) -> Path:
        """Write a small PNG: few colours, no metadata."""
        smooth = self._image.resize((self.width, self.height), Image.Resampling.BOX)
        _reduce(smooth, _shades(self.hue)).save(path, "PNG", optimize=True)
        return path

    # Shapes

    def rect(
        self, box: Box, *, fill: str | None = None, outline: str | None = None, radius: float = 0
    ) -> None:
        corners = (box.x * SCALE, box.y * SCALE, box.right * SCALE, box.bottom * SCALE)
        width = 3 * SCALE if outline else 0
        self._draw.rounded_rectangle(
            corners, radius * SCALE, fill=fill, outline=outline, width=width
        )

    def dot(
        self, at: Point, r: float, *, fill: str | None = None, outline: str | None = None
    ) -> None:
        x, y = at
        corners = ((x - r) * SCALE, (y - r) * SCALE, (x + r) * SCALE, (y + r) * SCALE)
        self._draw.ellipse(corners, fill=fill, outline=outline, width=3 * SCALE if outline else 0)

    def pie(self, at: Point, r: float, degrees: tuple[float, float], fill: str) -> None:
        """A sector, clockwise from twelve o'clock."""
        x, y = at
        corners = ((x - r) * SCALE, (y - r) * SCALE, (x + r) * SCALE, (y + r) * SCALE)
        self._draw.pieslice(corners, degrees[0] - 90, degrees[1] - 90, fill=fill)

    def line(self, points: Sequence[Point], fill: str, *, width: float = 3) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, fill=fill, width=round(width * SCALE), joint="curve")

    def dashes(self, start: Point, end: Point, fill: str, *, width: float = 3) -> None:
        (x0, y0), (x1, y1) = start, end
        length = max(1.0, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
        steps = max(1, int(length // 16))
        for i in range(steps):
            a, b = i / steps, (i + 0.55) / steps
            self.line(
                [
                    (x0 + (x1 - x0) * a, y0 + (y1 - y0) * a),
                    (x0 + (x1 - x0) * b, y0 + (y1 - y0) * b),
                ],
                fill,
                width=width,
            )

    def shape(self, points: Sequence[Point], fill: str) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    # Type

    def text(self, at: Point, words: str, ink: Ink) -> None:
        x, y = at
        font = _font(ink.face, ink.size, _is_latin(words))
        self._draw.text((x * SCALE, y * SCALE), words, font=font, fill=ink.fill, anchor=ink.anchor)

    def measure(self, words: str, ink: Ink) -> float:
        return _font(ink.face, ink.size, _is_latin(words)).getlength(words) / SCALE

    def fit(self, lines: Sequence[str], width: float, *, largest: int, smallest: int) -> int:
        """The largest serif size at which every line fits the width."""
        for size in range(largest, smallest, -2):
            if all(self.measure(line, Ink(size, Face.SERIF)) <= width for line in lines):
                return size
        return smallest

    def paragraph(self, at: Point, words: str, ink: Ink, *, width: float) -> float:
        """Write wrapped text; returns the y below it."""
        x, y = at
        for part in words.split("\n"):
            for line in self.balance(part, ink, width):
                self.text((x, y), line, ink)
                y += ink.size * 1.5
        return y

    def balance(self, words: str, ink: Ink, width: float) -> list[str]:
        """As few lines as `wrap` needs, but of like length, so that no word is left alone."""
        lines = self.wrap(words, ink, width)
        narrow = width
        while len(lines) > 1 and len(self.wrap(words, ink, narrow - 20)) == len(lines):
            narrow -= 20
        return self.wrap(words, ink, narrow)

    def wrap(self, words: str, ink: Ink, width: float) -> list[str]:
        lines, current = [], ""
        for piece in _pieces(words):
            if current and self.measure((current + piece).rstrip(), ink) > width:
                lines.append(current.rstrip())
                current = piece.lstrip()
            else:
                current += piece
        return [*lines, current.rstrip()]


def _pieces(words: str) -> list[str]:
    """Cut where a line may break: between Han characters and after spaces, never before punctuation."""
    pieces: list[str] = []
    for character in words:
        glued = pieces and (
            character in NEVER_FIRST
            or pieces[-1][-1] in NEVER_LAST
            or (character.isascii() and pieces[-1][-1].isascii() and pieces[-1][-1] != " ")
        )
        if glued or (character == " " and pieces):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces
