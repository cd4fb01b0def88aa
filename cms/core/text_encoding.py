"""Which encoding a text file is in: told by its mark, by UTF-8's strictness, or by plain Chinese."""

import codecs

from cms.core.errors import Invalid, invalid
from cms.core.i18n import N_

ALLOWED = "UTF-8, UTF-16, GB18030"

# The longer marks come first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMON_SHARE = 0.75
_EXCERPT = 80


def decode(content: bytes, *, field: str = "file") -> str:
    """The text of a file. Raises Invalid bad_encoding with the line that could not be read."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        text = _as_chinese(content) if encoding == "utf-8" else ""
        if not text:
            raise _bad_encoding(content, error.start, field) from None
    if "\x00" in text:  # a picture, an archive, or UTF-16 without its mark
        raise _bad_encoding(content, content.index(b"\x00"), field)
    return text


def _as_chinese(content: bytes) -> str:
    """The text if it reads as everyday Chinese in GB18030, which would decode nearly anything."""
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    foreign = [character for character in text if character > "\x7f"]
    common = sum(1 for character in foreign if _is_common(character))
    return text if foreign and common >= _COMMON_SHARE * len(foreign) else ""


def _is_common(character: str) -> bool:
    """Chinese punctuation, or one of the 3,755 everyday characters that GB 2312 lists first."""
    try:
        lead = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return False
    return lead in {0xA1, 0xA3} or 0xB0 <= lead <= 0xD7


def _bad_encoding(content: bytes, offset: int, field: str) -> Invalid:
    line = content.count(b"\n", 0, offset) + 1
    begin = content.rfind(b"\n", 0, offset) + 1
    excerpt = content[begin : begin + 4 * _EXCERPT].decode("utf-8", "replace").split("\n")[0]
    return invalid(
        field,
        "bad_encoding",
        N_("Line %(line)s is not text we can read: “%(excerpt)s”. Save the file as %(allowed)s."),
        line=line,
        excerpt="".join(c if c.isprintable() else "�" for c in excerpt[:_EXCERPT]),
        allowed=ALLOWED,
    )
