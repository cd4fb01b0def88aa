"""Text from outside: what counts as empty, what is stripped, how carriers count."""

import pytest

from cms.core.errors import Invalid
from cms.core.text import (
    Unit,
    check_filled,
    check_length,
    clean_line,
    clean_text,
    count,
    is_blank,
    length_problem,
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "   ",
        "\u3000",
        "\u200b\u200d",
        "\u200e\u202e\u2066",
        "\ufeff",
        "\u3164",
        "\n\t\r",
        "\u2800\ufe0f",
    ],
)
def test_what_nobody_can_see_is_empty(text: str | None) -> None:
    assert is_blank(text)
    with pytest.raises(Invalid) as caught:
        check_filled("body", text)
    assert caught.value.fields["body"].code == "content_empty"


@pytest.mark.parametrize("text", ["a", " 好 ", "\u200b。", "👨‍👩‍👧", "-"])
def test_one_visible_mark_is_enough(text: str) -> None:
    assert not is_blank(text)
    check_filled("body", text)


def test_cleaning_removes_what_harms_and_keeps_what_is_read() -> None:
    assert clean_text("a\x00b\x1b[31mc\u202ed\r\ne\rf\tg\ud800h") == "ab[31mcd\ne\nf\tgh"
    assert clean_text("e\u0301") == "é"
    assert clean_text("👨\u200d👩\u200d👧") == "👨\u200d👩\u200d👧"
    assert clean_text("    code block") == "    code block"


def test_a_line_has_no_line_ends_and_no_double_spaces() -> None:
    assert clean_line(" 编程\r\n 入门\u3000\t Java \u2028 21 ") == "编程 入门 Java 21"


@pytest.mark.parametrize(
    ("text", "characters", "utf8", "utf16"),
    [("abc", 3, 3, 3), ("你好", 2, 6, 2), ("😀", 1, 4, 2), ("é", 1, 2, 1), ("\ud83d", 1, 3, 1)],
)
def test_every_carrier_counts_by_its_own_rule(
    text: str, characters: int, utf8: int, utf16: int
) -> None:
    counted = (count(text), count(text, Unit.BYTES), count(text, Unit.UTF16))
    assert counted == (characters, utf8, utf16)


def test_too_long_names_both_numbers_and_the_carrier() -> None:
    text = "你" * 695 + "ab"
    with pytest.raises(Invalid) as caught:
        check_length("body", text, 2_048, unit=Unit.BYTES, carrier="WeCom robot")
    problem = caught.value.fields["body"]
    assert problem.code == "content_too_long"
    assert str(problem) == "Too long for WeCom robot: 2,087/2,048 bytes. Shorten it."
    assert problem.params["unit"] == "bytes"


def test_exactly_the_limit_is_allowed() -> None:
    check_length("title", "好" * 200, 200)
    assert length_problem("好" * 201, 200) is not None
