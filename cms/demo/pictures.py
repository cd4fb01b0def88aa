"""The wordless geometric pictures of the pack's covers, one small function each."""

from collections.abc import Callable
from math import cos, radians, sin

from cms.demo.canvas import CARD, FAINT, GROUND, INK, LINE, PAPER, Box, Canvas, Face, Ink

Picture = Callable[[Canvas, Box, str], None]


def path(c: Canvas, box: Box, hue: str) -> None:
    """Twenty-two weeks as steps; four of them are nearly flat."""
    width, y = box.w / 22, box.bottom - 40
    for week in range(22):
        is_slow = week in (2, 3, 10, 15)
        y -= 3 if is_slow else (box.h - 80) / 18.5
        x = box.x + week * width
        c.rect(
            Box(x + 2, y, width - 4, box.bottom - y), fill=hue if week == 21 else GROUND, radius=3
        )
        c.dot((x + width / 2, y - 2), 9, fill=CARD if is_slow else hue, outline=hue)
    c.line([(box.x, box.bottom), (box.right, box.bottom)], INK, width=5)


def dot_field(c: Canvas, box: Box, hue: str) -> None:
    """Eighty-six people: found work, still looking, not looking."""
    gap = box.w / 10
    for i in range(86):
        at = (box.x + gap * (i % 10 + 0.5), box.y + gap * (i // 10 + 0.5))
        if i < 57:
            c.dot(at, gap * 0.34, fill=hue)
        elif i < 68:
            c.dot(at, gap * 0.34, outline=hue)
        else:
            c.dot(at, gap * 0.34, fill=LINE)


def words(c: Canvas, box: Box, hue: str) -> None:
    rows = (
        ("class", "return"),
        ("expected", "null"),
        ("cannot find",),
        ("append", "parse"),
        ("refused", "add"),
    )
    height = box.h / len(rows)
    for i, row in enumerate(rows):
        x = box.x + (0 if i % 2 else 26)
        for j, word in enumerate(row):
            ink = Ink(30, Face.MONO, CARD if (i + j) % 3 == 0 else INK, "mm")
            chip = Box(x, box.y + i * height + 8, c.measure(word, ink) + 52, height - 22)
            c.rect(chip, fill=hue if (i + j) % 3 == 0 else CARD, outline=hue, radius=12)
            c.text((chip.cx, chip.cy), word, ink)
            x = chip.right + 18


def kitchen(c: Canvas, box: Box, hue: str) -> None:
    """Tickets in hand on the left, bowls on the counter on the right."""
    for i in range(5):
        ticket = Box(box.x + i * 5, box.bottom - 96 - i * 74, 150, 60)
        c.rect(ticket, fill=hue if i == 4 else CARD, outline=hue, radius=6)
        c.line(
            [(ticket.x + 20, ticket.cy), (ticket.x + 100, ticket.cy)],
            CARD if i == 4 else LINE,
            width=6,
        )
    for row in range(2):
        top = box.y + 120 + row * 190
        c.line([(box.x + 220, top + 62), (box.right, top + 62)], INK, width=5)
        for i in range(3 - row):
            x = box.x + 264 + i * 80
            _bowl(c, (x, top + 20), 33, hue if (row, i) != (0, 1) else FAINT)


def _bowl(c: Canvas, at: tuple[float, float], r: float, fill: str) -> None:
    c.pie(at, r, (90, 270), fill)
    c.rect(Box(at[0] - r * 0.4, at[1] + r * 0.9, r * 0.8, r * 0.22), fill=fill)


def tiles(c: Canvas, box: Box, hue: str) -> None:
    """Nine comparisons, each equal or not."""
    answers = (True, False, False, True, True, False, False, False, False)
    side = min(box.w, box.h) / 3
    for i, same in enumerate(answers):
        tile = Box(box.x + (i % 3) * side + 8, box.y + (i // 3) * side + 8, side - 16, side - 16)
        c.rect(tile, fill=hue if same else CARD, outline=hue, radius=14)
        ink = CARD if same else hue
        for dy in (-16, 16):
            c.line([(tile.cx - 34, tile.cy + dy), (tile.cx + 34, tile.cy + dy)], ink, width=10)
        if not same:
            c.line([(tile.cx - 24, tile.cy + 46), (tile.cx + 24, tile.cy - 46)], ink, width=8)


def buckets(c: Canvas, box: Box, hue: str) -> None:
    chains = (1, 0, 3, 0, 1, 5, 0, 2)
    height = box.h / len(chains)
    for i, length in enumerate(chains):
        y = box.y + i * height
        c.rect(Box(box.x, y + 4, 74, height - 8), fill=CARD, outline=INK, radius=6)
        for j in range(length):
            x = box.x + 116 + j * 78
            c.line([(x - 42, y + height / 2), (x, y + height / 2)], FAINT, width=4)
        for j in range(length):
            c.dot(
                (box.x + 132 + j * 78, y + height / 2),
                22,
                fill=hue if length > 3 else CARD,
                outline=hue,
            )


def bowls(c: Canvas, box: Box, hue: str) -> None:
    """Two cooks, three helpers, ten chairs."""
    for i in range(5):
        x = box.x + (i + 0.5) * box.w / 5
        c.dot((x, box.y + 70), 38, fill=hue if i < 2 else GROUND, outline=hue)
        if i < 2:
            _bowl(c, (x, box.y + 66), 20, CARD)
    c.line([(box.x, box.y + 150), (box.right, box.y + 150)], INK, width=5)
    for i in range(10):
        x = box.x + (i % 5 + 0.5) * box.w / 5
        y = box.y + 230 + (i // 5) * 116
        c.rect(Box(x - 30, y - 34, 60, 60), fill=hue if i < 7 else CARD, outline=hue, radius=10)


def index_tabs(c: Canvas, box: Box, hue: str) -> None:
    page = Box(box.x + 20, box.y, box.w - 90, box.h)
    c.rect(page, fill=CARD, outline=LINE, radius=10)
    for i in range(9):
        y = page.y + 46 + i * (page.h - 80) / 8
        found = i == 5
        c.line(
            [(page.x + 36, y), (page.right - (60 if i % 3 else 130), y)],
            hue if found else LINE,
            width=14,
        )
    for i in range(5):
        tab = Box(page.right, page.y + 26 + i * 84, 56, 66)
        c.rect(tab, fill=hue if i == 3 else GROUND, radius=8)


def week(c: Canvas, box: Box, hue: str) -> None:
    column = box.w / 7
    for day in range(7):
        x = box.x + day * column
        c.rect(Box(x + 6, box.y, column - 12, box.h), fill=GROUND, radius=10)
        if day in (1, 3):
            c.rect(Box(x + 6, box.y + box.h * 0.74, column - 12, box.h * 0.18), fill=hue, radius=10)
        elif day == 5:
            c.rect(Box(x + 6, box.y + box.h * 0.4, column - 12, box.h * 0.26), fill=hue, radius=10)
        elif day in (0, 2, 6):
            c.rect(
                Box(x + 6, box.y + box.h * 0.8, column - 12, box.h * 0.1),
                fill=CARD,
                outline=hue,
                radius=10,
            )


def train(c: Canvas, box: Box, hue: str) -> None:
    y = box.cy
    c.line(
        [(box.x, y + 90), (box.x + 130, y + 90), (box.x + 300, y - 80), (box.right, y - 80)],
        hue,
        width=24,
    )
    c.line(
        [(box.x, y - 60), (box.x + 180, y - 60), (box.x + 330, y + 110), (box.right, y + 110)],
        LINE,
        width=24,
    )
    stops = ((20, 90), (110, 90), (215, 5), (310, -80), (390, -80), (box.w - 14, -80))
    for i, (dx, dy) in enumerate(stops):
        c.dot((box.x + dx, y + dy), 26, fill=hue if i == 3 else CARD, outline=INK)


def sheets(c: Canvas, box: Box, hue: str) -> None:
    """The same page before, all of one greyness, and after, with what matters marked."""
    half = box.w / 2 - 14
    for side, x in enumerate((box.x, box.x + half + 28)):
        page = Box(x, box.y + 20, half, box.h - 40)
        c.rect(page, fill=CARD, outline=INK if side else LINE, radius=10)
        for i in range(8):
            y = page.y + 50 + i * (page.h - 90) / 7
            strong = side and i in (0, 3, 5)
            end = page.right - 28 - (0 if strong else (i * 37) % 70)
            c.line(
                [(page.x + 28, y), (end, y)], hue if strong else LINE, width=18 if strong else 10
            )


def slip(c: Canvas, box: Box, hue: str) -> None:
    """A pay slip as a waterfall: three parts up, three deductions, what remains."""
    steps = (
        (0, 72, hue),
        (72, 87, hue),
        (87, 92, hue),
        (82, 92, FAINT),
        (76, 82, FAINT),
        (75, 76, FAINT),
        (0, 75, INK),
    )
    width = box.w / len(steps)
    unit = (box.h - 20) / 95
    for i, (low, high, fill) in enumerate(steps):
        bar = Box(
            box.x + i * width + 6,
            box.bottom - high * unit,
            width - 12,
            max(6.0, (high - low) * unit),
        )
        c.rect(bar, fill=fill, radius=4)
    c.line([(box.x, box.bottom), (box.right, box.bottom)], INK, width=5)


def skyline(c: Canvas, box: Box, hue: str) -> None:
    heights = (0.42, 0.66, 0.3, 1.0, 0.54, 0.38)
    width = box.w / len(heights)
    for i, part in enumerate(heights):
        glass = i == 3
        house = Box(box.x + i * width + 5, box.bottom - box.h * part, width - 10, box.h * part)
        c.rect(house, fill=GROUND if glass else hue, radius=4)
        for row in range(int(house.h // 62)):
            for column in (0.28, 0.72):
                at = Box(house.x + house.w * column - 9, house.y + 24 + row * 62, 18, 26)
                c.rect(at, fill=LINE if glass else CARD)
    c.line([(box.x - 10, box.bottom), (box.right + 10, box.bottom)], INK, width=5)


def lens(c: Canvas, box: Box, hue: str) -> None:
    """Neat lines, and a glass over the one that is missing something."""
    for i in range(8):
        y = box.y + 30 + i * (box.h - 60) / 7
        indent = (0, 40, 40, 80, 80, 40, 40, 0)[i]
        c.line([(box.x + indent, y), (box.right - 60 - (i * 53) % 120, y)], LINE, width=16)
    at = (box.cx + 30, box.cy + 6)
    c.line([(at[0] + 80, at[1] + 80), (at[0] + 160, at[1] + 160)], INK, width=26)
    c.dot(at, 122, fill=INK)
    c.dot(at, 106, fill=CARD)
    c.line([(at[0] - 70, at[1]), (at[0] - 24, at[1])], hue, width=18)
    c.line([(at[0] + 26, at[1]), (at[0] + 70, at[1])], hue, width=18)


def ages(c: Canvas, box: Box, hue: str) -> None:
    counts = (2, 5, 6, 9, 8, 7, 5, 4, 3, 3, 3, 1, 1)
    width = box.w / len(counts)
    for i, count in enumerate(counts):
        for j in range(count):
            at = (box.x + (i + 0.5) * width, box.bottom - 26 - j * box.h / 9.6)
            c.dot(at, width * 0.4, fill=hue if i == 5 else GROUND, outline=hue)
    c.line([(box.x, box.bottom + 4), (box.right, box.bottom + 4)], INK, width=5)


def chairs(c: Canvas, box: Box, hue: str) -> None:
    across = box.w / 8
    for i in range(40):
        x, y = box.x + (i % 8) * across, box.y + (i // 8) * box.h / 5
        seat = Box(x + 7, y + 10, across - 14, box.h / 5 - 26)
        c.rect(seat, fill=hue if i < 34 else CARD, outline=hue, radius=12)


def moons(c: Canvas, box: Box, hue: str) -> None:
    r = box.w / 7
    for i in range(3):
        at = (box.x + box.w * (2 * i + 1) / 6, box.cy + (60, 0, -60)[i])
        c.dot(at, r, fill=hue)
        if i < 2:
            c.dot((at[0] + r * (0.55, 1.15)[i], at[1] - r * 0.2), r, fill=PAPER)
    for dx, dy, size in (
        (0.08, 0.2, 5),
        (0.4, 0.14, 7),
        (0.62, 0.82, 5),
        (0.94, 0.74, 6),
        (0.2, 0.9, 4),
    ):
        c.dot((box.x + box.w * dx, box.y + box.h * dy), size, fill=INK)


def strip(c: Canvas, box: Box, hue: str) -> None:
    """One bill cut into seven parts, in proportion."""
    parts = (3640, 1980, 1260, 700, 620, 480, 300)
    y = box.y
    for i, part in enumerate(parts):
        height = (box.h - 48) * part / sum(parts)
        bar = Box(box.x + 40, y, box.w - 80, height)
        c.rect(bar, fill=hue if i < 3 else CARD, outline=hue, radius=5)
        y += height + 8


def gauges(c: Canvas, box: Box, hue: str) -> None:
    side = box.w / 4
    for i in range(12):
        at = (box.x + side * (i % 4 + 0.5), box.y + box.h / 3 * (i // 4 + 0.5))
        wrong = i == 6
        c.dot(at, side * 0.4, fill=hue if wrong else CARD, outline=hue)
        angle = radians(-160 if wrong else -70 + (i * 47) % 100)
        tip = (at[0] + sin(angle) * side * 0.28, at[1] - cos(angle) * side * 0.28)
        c.line([at, tip], CARD if wrong else INK, width=6)
        c.dot(at, 6, fill=CARD if wrong else INK)


def stack_heap(c: Canvas, box: Box, hue: str) -> None:
    c.dashes((box.x + 190, box.y), (box.x + 190, box.bottom), FAINT)
    for i in range(4):
        frame = Box(box.x, box.bottom - 88 - i * 98, 150, 82)
        c.rect(frame, fill=hue if i == 3 else CARD, outline=hue, radius=8)
    homes = ((330, 90), (430, 220), (300, 330))
    for (dx, dy), level in zip(homes, (3, 1, 0), strict=True):
        y = box.bottom - 47 - level * 98
        c.line([(box.x + 150, y), (box.x + dx, box.y + dy)], INK, width=4)
    for dx, dy in homes:
        c.rect(Box(box.x + dx - 46, box.y + dy - 40, 92, 80), fill=CARD, outline=hue, radius=40)
    c.rect(Box(box.x + 400, box.y + 10, 76, 64), outline=FAINT, radius=32)


PICTURES: dict[str, Picture] = {
    picture.__name__: picture
    for picture in (
        path, dot_field, words, kitchen, tiles, buckets, bowls, index_tabs, week, train,
        sheets, slip, skyline, lens, ages, chairs, moons, strip, gauges, stack_heap,
    )
}  # fmt: skip
