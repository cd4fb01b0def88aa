"""Text files in the encodings people have, and files that are no text at all."""

import pytest

from cms.core.errors import Invalid
from cms.core.text_encoding import decode

CHINESE = "转行编程，先看就业数据：“三个月”够吗？\n第二行 Java 21\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk", "utf-32"])
def test_every_usual_encoding(encoding: str) -> None:
    assert decode(CHINESE.encode(encoding)) == CHINESE


def test_big_endian_and_plain_ascii() -> None:
    assert decode(b"\xfe\xff" + CHINESE.encode("utf-16-be")) == CHINESE
    assert decode(b"only ascii") == "only ascii"
    assert decode(b"") == ""


@pytest.mark.parametrize(
    "content",
    [
        "轉行編程，先看就業數據，三個月夠嗎".encode("big5"),
        "プログラミングを始める理由".encode("shift_jis"),
        "déjà vu à l'école".encode("latin-1"),
        "Привет, мир, как дела".encode("cp1251"),
        CHINESE.encode("utf-16-le"),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"PK\x03\x04\x14\x00\x08\x00",
        b"\xff\xfe\x00",
        bytes(range(128, 256)),
        CHINESE.encode() + b"\xff\xfe\xfd",
    ],
)
def test_anything_else_is_refused_and_not_guessed(content: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        decode(content)
    problem = caught.value.fields["file"]
    assert problem.code == "bad_encoding"
    assert "UTF-8, UTF-16, GB18030" in str(problem)


def test_the_line_and_its_first_80_characters_are_told() -> None:
    with pytest.raises(Invalid) as caught:
        decode(
            "第一行\n".encode() + b"second \x1b[31m\xff" + b"x" * 200 + b"\nthird", field="sheet"
        )
    problem = caught.value.fields["sheet"]
    assert problem.params["line"] == 2
    assert problem.params["excerpt"].startswith("second �[31m�x")
    assert len(problem.params["excerpt"]) == 80
