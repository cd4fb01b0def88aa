"""The pack's posters and covers: draws every picture named in posters.yaml."""

from pathlib import Path
from typing import Any

import yaml

from cms.demo.canvas import INK, LEAF, LINE, SOFT, Box, Canvas, Face, Ink, has_chinese_font
from cms.demo.diagrams import DIAGRAMS
from cms.demo.pictures import PICTURES

PACK = Path(__file__).parent / "pack"
POSTER, COVER = (1080, 1440), (1200, 675)
MARGIN = 84

# The themes' hues of the product, so that a poster and its card on the board agree.
HUES = {
    "activity": "#CD5535",
    "dry-goods": "#A67709",
    "trust": "#2B9667",
    "prospects": "#098DB2",
    "promotion": "#6875D8",
    "desire": "#BC5694",
}

SCHOOL = {"zh": "禾灯学堂", "en": "Hedeng School of Java"}
MADE_UP = {"zh": "示例学校 · 内容虚构", "en": "A demo school, all made up"}

Spec = dict[str, Any]

__all__ = ["COVER", "PACK", "POSTER", "draw_all", "has_chinese_font", "specs"]


def specs(pack: Path = PACK) -> tuple[list[Spec], list[Spec]]:
    """What posters.yaml asks for: posters, covers."""
    wanted = yaml.safe_load((pack / "posters.yaml").read_text(encoding="utf-8"))
    return wanted["posters"], wanted["covers"]


def draw_all(out: Path) -> list[Path]:
    """Draw every poster and cover as PNG into a folder; raises NoChineseFont where none is installed."""
    out.mkdir(parents=True, exist_ok=True)
    posters, covers = specs()
    drawn = [draw_poster(spec).save(out / f"{spec['name']}.png") for spec in posters]
    return drawn + [draw_cover(spec).save(out / f"{spec['name']}.png") for spec in covers]


def draw_poster(spec: Spec) -> Canvas:
    """Head, title, one sentence, one diagram, foot."""
    width, height = POSTER
    hue = HUES[spec["theme"]]
    canvas = Canvas(*POSTER, hue)
    inner = width - 2 * MARGIN
    canvas.rect(Box(0, 0, 14, height), fill=hue)
    _head(canvas, spec, MARGIN)
    size = canvas.fit(spec["title"], inner, largest=116, smallest=64)
    y = 178.0
    for line in spec["title"]:
        canvas.text((MARGIN - 4, y), line, Ink(size, Face.SERIF))
        y += size * 1.28
    y = canvas.paragraph((MARGIN, y + 30), spec["says"], Ink(34, Face.SANS, SOFT), width=inner)
    area = Box(MARGIN, y + 46, inner, height - 188 - (y + 46))
    DIAGRAMS[spec["diagram"]](canvas, area, hue, spec["facts"])
    _foot(canvas, spec)
    return canvas


def draw_cover(spec: Spec) -> Canvas:
    """Words on the left, one picture on the right."""
    height = COVER[1]
    hue = HUES[spec["theme"]]
    canvas = Canvas(*COVER, hue)
    canvas.rect(Box(0, 0, 12, height), fill=hue)
    _seedling(canvas, (72 + 17, 88), 17)
    canvas.text((122, 88), SCHOOL[spec["lang"]], Ink(28, Face.BOLD, INK, "lm"))
    size = canvas.fit(spec["title"], 520, largest=84, smallest=44)
    y = height / 2 - size * 1.3 * len(spec["title"]) / 2 + 6
    for line in spec["title"]:
        canvas.text((70, y), line, Ink(size, Face.SERIF))
        y += size * 1.3
    canvas.dot((82, height - 84), 10, fill=hue)
    canvas.text((106, height - 84), spec["label"], Ink(28, Face.SANS, SOFT, "lm"))
    PICTURES[spec["picture"]](canvas, Box(660, 110, 460, 455), hue)
    return canvas


def _head(canvas: Canvas, spec: Spec, x: float) -> None:
    _seedling(canvas, (x + 20, 106), 20)
    canvas.text((x + 56, 104), SCHOOL[spec["lang"]], Ink(34, Face.BOLD, INK, "lm"))
    right = POSTER[0] - MARGIN
    ink = Ink(32, Face.SANS, SOFT, "rm")
    canvas.text((right, 104), spec["label"], ink)
    canvas.dot((right - canvas.measure(spec["label"], ink) - 24, 106), 11, fill=HUES[spec["theme"]])


def _foot(canvas: Canvas, spec: Spec) -> None:
    width, height = POSTER
    canvas.line([(MARGIN, height - 132), (width - MARGIN, height - 132)], LINE, width=3)
    canvas.text((MARGIN, height - 84), spec["foot"], Ink(34, Face.BOLD, INK, "lm"))
    canvas.text(
        (width - MARGIN, height - 84), MADE_UP[spec["lang"]], Ink(24, Face.SANS, SOFT, "rm")
    )


def _seedling(canvas: Canvas, at: tuple[float, float], r: float) -> None:
    """The school's mark: two leaves on a stem."""
    x, y = at
    canvas.line([(x, y + r), (x, y - r * 0.1)], LEAF, width=r * 0.22)
    for side in (-1, 1):
        tip = (x + side * r, y - r * 0.9)
        canvas.shape(
            [
                (x, y + r * 0.1),
                (x + side * r * 0.15, y - r * 0.7),
                tip,
                (x + side * r * 0.95, y - r * 0.05),
            ],
            LEAF,
        )
