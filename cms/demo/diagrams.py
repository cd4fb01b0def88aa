"""The labelled diagrams of the pack's posters: each draws its facts from posters.yaml."""

from collections.abc import Callable
from typing import Any

from cms.demo.canvas import (
    CARD,
    FAINT,
    GROUND,
    INK,
    LEAF,
    LINE,
    PAPER,
    SOFT,
    Box,
    Canvas,
    Face,
    Ink,
)

Facts = dict[str, Any]
Diagram = Callable[[Canvas, Box, str, Facts], None]


def counts(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """People as dots, one band a group: the number, its words, its dots."""
    rows, across, least = facts["rows"], 14, 124.0
    lines = [-(-row["n"] // across) for row in rows]
    spare = box.h - least * sum(tall < 3 for tall in lines) - 30
    unit = min(49.5, spare / max(1, sum(tall for tall in lines if tall >= 3)))
    y = box.y
    for row, tall in zip(rows, lines, strict=True):
        is_full = row["look"] == "full"
        c.text((box.x, y + 50), str(row["n"]), Ink(66, Face.SERIF, hue if is_full else INK, "ls"))
        c.text((box.x, y + 62), row["label"], Ink(26, Face.SANS, SOFT))
        for i in range(row["n"]):
            at = (box.x + 236 + (i % across) * 49.5, y + 28 + (i // across) * unit)
            fill = {"full": hue, "ring": CARD, "pale": LINE}[row["look"]]
            c.dot(at, unit * 0.42, fill=fill, outline=hue if row["look"] == "ring" else None)
        y += max(tall * unit + 30, least)


def bars(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """Horizontal bars from zero, labelled directly; the first `strong` ones in full colour."""
    rows = facts["rows"]
    most = facts.get("most") or max(row["value"] for row in rows)
    height = box.h / len(rows)
    size = 38 if height > 140 else 30
    thick = min(size * 2.0, height - size - 34)
    for i, row in enumerate(rows):
        y = box.y + i * height
        c.text((box.x, y), row["label"], Ink(size, Face.BOLD))
        c.text((box.right, y + 3), row.get("note", ""), Ink(size - 4, Face.SANS, SOFT, "ra"))
        track = Box(box.x, y + size + 20, box.w - 130, thick)
        if facts.get("most"):
            c.rect(track, fill=GROUND, radius=6)
        bar = Box(track.x, track.y, max(8.0, track.w * row["value"] / most), thick)
        c.rect(bar, fill=hue if i < facts["strong"] else FAINT, radius=6)
        x = track.right if facts.get("most") else bar.right
        c.text(
            (x + 16, bar.cy),
            str(row.get("shown", row["value"])),
            Ink(size + 6, Face.SERIF, INK, "lm"),
        )


def stacks(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """Columns of parts from zero, each part named at its side, the sum on top."""
    columns = facts["columns"]
    most = max(sum(part["value"] for part in column["parts"]) for column in columns)
    tall, width, base = box.h - 226, box.w / len(columns), box.bottom - 62
    for i, column in enumerate(columns):
        x, y, free = box.x + i * width, base, base + 40
        for part, fill in zip(column["parts"], (FAINT, hue, LEAF), strict=False):
            height = tall * part["value"] / most
            y -= height
            c.rect(Box(x, y, width * 0.4, height - 5), fill=fill, radius=6)
            free = min(y + height / 2, free - 78)
            c.text((x + width * 0.44, free - 19), part["label"], Ink(27, Face.SANS, SOFT, "lm"))
            c.text(
                (x + width * 0.44, free + 17), f"{part['value']:,}", Ink(33, Face.BOLD, INK, "lm")
            )
        c.text((x, min(y - 18, free - 62)), column["sum"], Ink(60, Face.SERIF, INK, "ls"))
        c.text((x, base + 20), column["label"], Ink(30, Face.SANS, SOFT))
    c.line([(box.x, base), (box.right, base)], INK, width=4)


def timetable(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """A week of columns between two hours, with blocks at their times."""
    first, last = facts["hours"]
    column = (box.w - 70) / len(facts["days"])
    top, tall = box.y + 60, box.h - 60
    for hour in range(first, last + 1, 2):
        y = top + tall * (hour - first) / (last - first)
        c.text((box.x, y), f"{hour}", Ink(26, Face.SANS, SOFT, "lm"))
        c.line([(box.x + 56, y), (box.right, y)], LINE, width=2)
    for i, day in enumerate(facts["days"]):
        c.text((box.x + 70 + (i + 0.5) * column, box.y + 14), day, Ink(32, Face.BOLD, INK, "mt"))
    for block in facts["blocks"]:
        x = box.x + 70 + block["day"] * column
        y0 = top + tall * (block["from"] - first) / (last - first)
        y1 = top + tall * (block["to"] - first) / (last - first)
        cell = Box(x + 5, y0, column - 10, y1 - y0)
        full = block["look"] == "full"
        c.rect(cell, fill=hue if full else CARD, outline=hue, radius=10)
        c.text((cell.cx, cell.cy), block["label"], Ink(28, Face.BOLD, CARD if full else hue, "mm"))


def compare(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """What was written before, struck through, and after, on a card."""
    half = box.w / 2 - 16
    height = (box.h - 64) / len(facts["rows"])
    for i, heading in enumerate(facts["heads"]):
        c.text((box.x + i * (half + 32), box.y), heading, Ink(32, Face.BOLD, hue if i else SOFT))
    for i, (before, after) in enumerate(facts["rows"]):
        y = box.y + 64 + i * height
        c.rect(Box(box.x + half + 32, y, half, height - 20), fill=CARD, outline=hue, radius=12)
        c.rect(Box(box.x, y, half, height - 20), fill=GROUND, radius=12)
        _struck(c, Box(box.x + 26, y, half - 52, height - 20), before)
        ink = Ink(31, Face.BOLD)
        lines = c.wrap(after, ink, half - 56)
        for j, line in enumerate(lines):
            at = (box.x + half + 60, y + (height - 20) / 2 + (j - (len(lines) - 1) / 2) * 46)
            c.text(at, line, Ink(31, Face.BOLD, INK, "lm"))


def _struck(c: Canvas, box: Box, words: str) -> None:
    ink = Ink(31, Face.SANS, SOFT, "lm")
    lines = c.wrap(words, ink, box.w)
    for i, line in enumerate(lines):
        y = box.cy + (i - (len(lines) - 1) / 2) * 46
        c.text((box.x, y), line, ink)
        c.line([(box.x - 4, y + 2), (box.x + c.measure(line, ink) + 4, y + 2)], SOFT, width=3)


def ages(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """One dot a person over the years of age, one year marked."""
    people = facts["counts"]
    width = box.w / len(people)
    unit = min(width, (box.h - 100) / max(people))
    base = box.bottom - 64
    for i, count in enumerate(people):
        age = facts["first"] + i
        marked = age == facts["marked"]
        for j in range(count):
            at = (box.x + (i + 0.5) * width, base - 34 - j * unit)
            c.dot(at, unit * 0.4, fill=hue if marked else CARD, outline=hue)
        ink = Ink(
            44 if marked else 27, Face.SERIF if marked else Face.SANS, hue if marked else SOFT, "mt"
        )
        c.text((box.x + (i + 0.5) * width, base + (6 if marked else 14)), str(age), ink)
    c.line([(box.x, base), (box.right, base)], INK, width=4)


def seats(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """The room from above: taken chairs in colour, the free ones outlined."""
    c.rect(Box(box.x + box.w * 0.25, box.y, box.w * 0.5, 30), fill=INK, radius=6)
    across = box.w / 8
    rows = -(-facts["of"] // 8)
    unit = min((box.h - 140) / rows, across)
    for i in range(facts["of"]):
        x, y = box.x + (i % 8) * across, box.y + 72 + (i // 8) * unit
        chair = Box(x + (across - unit) / 2 + 12, y, unit - 24, unit - 24)
        c.rect(chair, fill=hue if i < facts["taken"] else CARD, outline=hue, radius=16)
    c.text((box.x, box.bottom), facts["label"], Ink(34, Face.BOLD, INK, "lb"))


def stops(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """A line of the underground, one thing to do at each stop."""
    names = facts["stops"]
    gap = box.h / len(names)
    x = box.x + 40
    c.line([(x, box.y + gap / 2), (x, box.bottom - gap / 2)], hue, width=18)
    for i, stop in enumerate(names):
        y = box.y + (i + 0.5) * gap
        is_end = i in (0, len(names) - 1)
        c.dot((x, y), 26 if is_end else 20, fill=INK)
        c.dot((x, y), 18 if is_end else 13, fill=CARD)
        c.text((x + 70, y - 2), stop["what"], Ink(42, Face.BOLD, INK, "lm"))
        c.text((box.right, y), stop["how"], Ink(29, Face.SANS, SOFT, "rm"))
        if not is_end or i == 0:
            c.line([(x + 70, y + gap / 2), (box.right, y + gap / 2)], LINE, width=2)


def ticket(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """A seat ticket: a great figure, a torn edge, the conditions below."""
    card = Box(box.x, box.y, box.w, box.h)
    c.rect(card, fill=CARD, outline=LINE, radius=24)
    tear = box.y + box.h * 0.46
    c.dashes((box.x + 40, tear), (box.right - 40, tear), FAINT)
    for x in (box.x, box.right):
        c.dot((x, tear), 30, fill=PAPER)
    c.text((box.x + 60, box.y + 46), facts["above"], Ink(32, Face.SANS, SOFT))
    c.text((box.x + 56, tear - 44), facts["figure"], Ink(170, Face.SERIF, hue, "ls"))
    c.text((box.right - 60, tear - 48), facts["beside"], Ink(36, Face.SANS, SOFT, "rs"))
    gap = (box.bottom - tear - 40) / len(facts["terms"])
    for i, term in enumerate(facts["terms"]):
        y = tear + 24 + (i + 0.5) * gap
        c.rect(Box(box.x + 60, y - 12, 24, 24), fill=hue, radius=6)
        c.text((box.x + 112, y), term, Ink(34, Face.SANS, INK, "lm"))


def evenings(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """Three rows, three phases of the moon, what each evening leaves you with."""
    gap = box.h / len(facts["rows"])
    for i, row in enumerate(facts["rows"]):
        y = box.y + (i + 0.5) * gap
        at, r = (box.x + 86, y), 84
        c.dot(at, r, fill=hue)
        if i < 2:
            c.dot((at[0] + r * (0.5, 1.1)[i], at[1] - r * 0.2), r, fill=PAPER)
        c.text((box.x + 250, y - 74), row["when"], Ink(30, Face.SANS, SOFT))
        c.text((box.x + 250, y - 32), row["what"], Ink(46, Face.SERIF))
        c.text((box.x + 250, y + 36), row["keep"], Ink(32, Face.SANS, SOFT))


def trace(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """A stack trace, pale from the top, with the one line that matters at the bottom."""
    c.rect(box, fill=CARD, outline=LINE, radius=18)
    gap = (box.h - 70) / len(facts["lines"])
    for i, line in enumerate(facts["lines"]):
        y = box.y + 35 + (i + 0.5) * gap
        is_key = i in facts["key"]
        if is_key:
            c.rect(Box(box.x + 18, y - gap / 2 + 3, box.w - 36, gap - 6), fill=hue, radius=8)
        c.text(
            (box.x + 46, y),
            line,
            Ink(facts.get("size", 29), Face.MONO, CARD if is_key else SOFT, "lm"),
        )


def clock(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """A dial with the few minutes that are asked for, and three rules beside it."""
    r = min(box.w * 0.235, box.h * 0.29)
    at = (box.x + r + 4, box.y + r + 10)
    c.dot(at, r, fill=CARD, outline=INK)
    c.pie(at, r - 18, (0, facts["minutes"] * 6), hue)
    c.dot(at, 12, fill=INK)
    c.text((at[0] + r + 90, at[1] - 60), str(facts["minutes"]), Ink(220, Face.SERIF, hue, "lm"))
    c.text((at[0] + r + 96, at[1] + 100), facts["unit"], Ink(40, Face.SANS, SOFT, "lm"))
    top = box.y + 2 * r + 50
    gap = (box.bottom - top) / len(facts["rules"])
    for i, rule in enumerate(facts["rules"]):
        y = top + (i + 0.5) * gap
        c.text((box.x, y), str(i + 1), Ink(52, Face.SERIF, hue, "lm"))
        c.text((box.x + 70, y), rule, Ink(36, Face.SANS, INK, "lm"))


def kitchen(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """The JVM as a kitchen: recipes on the wall, tickets in hand, bowls on the counter."""
    wall = Box(box.x, box.y, box.w, 130)
    c.rect(wall, fill=GROUND, radius=14)
    for i in range(5):
        c.rect(Box(wall.right - 96 - i * 84, wall.y + 28, 64, 74), fill=CARD, outline=hue, radius=6)
    c.text((wall.x + 30, wall.cy), facts["wall"], Ink(34, Face.BOLD, INK, "lm"))
    top, bottom = box.y + 180, box.bottom - 76
    step = (bottom - top) / 4
    for i in range(4):
        slip = Box(box.x + i * 6, bottom - (i + 1) * step + 6, 240, step - 14)
        c.rect(slip, fill=hue if i == 3 else CARD, outline=hue, radius=8)
        c.text(
            (slip.x + 24, slip.cy),
            facts["slips"][i],
            Ink(30, Face.MONO, CARD if i == 3 else INK, "lm"),
        )
    shelf = (top + (bottom - top) * 0.44, bottom - 4)
    bowls = ((430, 0), (600, 0), (770, 0), (500, 1), (700, 1))
    for i in (0, 3):
        x, level = bowls[i][0], shelf[bowls[i][1]]
        start = (box.x + 258, bottom - 3.5 * step) if i == 0 else (box.x + 240, bottom - step / 2)
        c.line([start, (box.x + x - 62, level - 62)], INK, width=4)
    for i, (x, level) in enumerate(bowls):
        at = (box.x + x, shelf[level] - 66)
        c.pie(at, 56, (90, 270), FAINT if i == 2 else hue)
    for level, name in zip(shelf, facts["shelves"], strict=True):
        c.line([(box.x + 340, level), (box.right, level)], INK, width=5)
        c.text((box.right, level + 12), name, Ink(28, Face.SANS, SOFT, "ra"))
    c.text((box.x, bottom + 20), facts["hand"], Ink(34, Face.BOLD))


def notebook(c: Canvas, box: Box, hue: str, facts: Facts) -> None:
    """A page of ruled lines with a few sentences; the last one is tomorrow's."""
    c.rect(box, fill=CARD, outline=LINE, radius=14)
    c.line([(box.x + 88, box.y + 20), (box.x + 88, box.bottom - 20)], hue, width=3)
    gap = (box.h - 60) / (len(facts["lines"]) + 1)
    for i, line in enumerate([*facts["lines"], ""]):
        y = box.y + 30 + (i + 1) * gap
        if i < len(facts["lines"]):
            c.line([(box.x + 24, y), (box.right - 24, y)], LINE, width=2)
        is_last = i == len(facts["lines"]) - 1
        day, _, words = line.partition("  ")
        c.text((box.x + 120, y - 20), day, Ink(32, Face.SANS, SOFT, "ls"))
        face, fill = (Face.SERIF, hue) if is_last else (Face.SANS, INK)
        c.text((box.x + 216, y - 20), words, Ink(40, face, fill, "ls"))


DIAGRAMS: dict[str, Diagram] = {
    diagram.__name__: diagram
    for diagram in (
        counts, bars, stacks, timetable, compare, ages, seats,
        stops, ticket, evenings, trace, clock, kitchen, notebook,
    )
}  # fmt: skip
