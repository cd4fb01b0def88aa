"""Exported cells: nothing runs, nothing is lost, and what went out comes back in."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.core.csv_safe import bare_cell, safe_cell, write


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u3000=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "=cmd|' /C calc'!A0",
        "|x",
    ],
)
def test_no_cell_begins_as_a_formula(text: str) -> None:
    assert safe_cell(text) == "'" + text
    assert bare_cell(str(safe_cell(text))) == text


@pytest.mark.parametrize(
    "text", ["", "编程", "a=b", "it's", "'quoted'", "13812345678", "2024-01-02"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert safe_cell(text) == text
    assert bare_cell(text) == text


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    assert (safe_cell(-5), safe_cell(1.5), safe_cell(None)) == (-5, 1.5, "")


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_any_text_comes_back(text: str) -> None:
    guarded = str(safe_cell(text))
    assert not guarded.lstrip().startswith(("=", "+", "-", "@"))
    if not text.startswith("'"):
        assert bare_cell(guarded) == text


def test_a_file_is_read_back_with_its_line_ends_quotes_and_chinese() -> None:
    rows = [["=HYPERLINK(1)", "甲,乙", 'say "x"\nnext', -3], ["\ud800", None, "", 0]]
    content = write(["@名", "b", "c", "d"], rows)
    assert content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert read[0] == ["'@名", "b", "c", "d"]
    assert read[1] == ["'=HYPERLINK(1)", "甲,乙", 'say "x"\nnext', "-3"]
    assert read[2] == ["?", "", "", "0"]
