"""The look keeps its promises: legible in both themes, colours from one file, small sheets."""

import re

import pytest

from cms.core.config import ROOT

CSS = ROOT / "static" / "css"
LONGEST_SHEET = 400
READER_BYTES = 12_000
TEXT, MARK = 4.5, 3.0
GROUNDS = ("paper", "card", "sunken")
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "ink-soft") for ground in GROUNDS),
    *(("leaf", ground, TEXT) for ground in ("paper", "card")),
    *((f"{tone}-ink", "card", TEXT) for tone in ("sun", "brick", "sky", "plum")),
    *((f"{tone}-ink", f"{tone}-wash", TEXT) for tone in ("sun", "brick", "sky", "plum")),
    ("leaf-deep", "leaf-wash", TEXT),
    ("on-leaf", "leaf", TEXT),
    ("moments", "card", TEXT),
    *((mark, ground, MARK) for mark in ("edge", "leaf", "sun", "brick") for ground in GROUNDS),
    *((f"hue-{number}", ground, MARK) for number in range(1, 7) for ground in ("card", "paper")),
]


def themes(sheet: str) -> dict[str, dict[str, str]]:
    """Every block of names in a sheet that gives colours, by the theme it serves."""
    found: dict[str, dict[str, str]] = {}
    for block in re.findall(r"\{([^{}]*)\}", sheet):
        names = dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-fA-F]{3,6})\b", block))
        if "paper" in names:
            theme = "light" if luminance(names["paper"]) > 0.5 else "dark"
            assert found.setdefault(theme, names) == names, "a theme written twice must agree"
    return found


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_inks_and_marks_stand_out(theme: str, front: str, back: str, least: float) -> None:
    names = themes((CSS / "tokens.css").read_text())[theme]
    assert contrast(names[front], names[back]) >= least


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_reader_pages_are_as_legible(theme: str) -> None:
    names = themes((CSS / "reader.css").read_text())[theme]
    for front, back in (("ink", "paper"), ("soft", "paper"), ("leaf", "card"), ("on-leaf", "leaf")):
        assert contrast(names[front], names[back]) >= TEXT, (front, back)


def test_only_the_tokens_name_colours() -> None:
    named = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(|\boklch\(")
    own = {"tokens.css", "reader.css"}
    assert [
        p.name for p in CSS.glob("*.css") if p.name not in own and named.search(p.read_text())
    ] == []


def test_sheets_use_only_names_that_the_tokens_give() -> None:
    given = set(re.findall(r"(--[a-z0-9-]+):", (CSS / "tokens.css").read_text()))
    for path in CSS.glob("*.css"):
        text = path.read_text()
        own = set(re.findall(r"(--[a-z0-9-]+):", text)) | {"--hue"}
        assert set(re.findall(r"var\((--[a-z0-9-]+)", text)) <= given | own, path.name


def test_sheets_stay_small() -> None:
    assert [
        p.name for p in CSS.glob("*.css") if len(p.read_text().splitlines()) > LONGEST_SHEET
    ] == []
    assert (CSS / "reader.css").stat().st_size < READER_BYTES


def test_sheets_load_nothing_and_keep_the_policy() -> None:
    for path in CSS.glob("*.css"):
        assert not re.search(r"@import|url\(", path.read_text()), path.name
