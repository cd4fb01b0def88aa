"""Plain text from outside: cleaned of what nobody can see, counted by the carrier's own rule."""

import re
import unicodedata
from enum import StrEnum

from cms.core.errors import Problem, invalid
from cms.core.i18n import N_


class Unit(StrEnum):
    """What a carrier counts when it says how long a text may be."""

    CHARACTERS = "characters"
    BYTES = "bytes"
    UTF16 = "units"


# Letters and marks by category that nevertheless draw nothing: fillers, joiners, blank braille.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})

# Joiners stay: family emoji and several scripts need them. Direction marks go, as they can make
# a title read as something else; so do byte-order marks and surrogates, which no file can hold.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff]"
)
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_SPACE_RUNS = re.compile(r"[\s\u00a0]+")


def is_blank(text: str | None) -> bool:
    """Whether a reader would see nothing at all: spaces, zero-width and direction marks only."""
    return all(_is_unseen(character) for character in text or "")


def _is_unseen(character: str) -> bool:
    return (
        character in _INVISIBLE
        or unicodedata.category(character) in _INVISIBLE_CATEGORIES
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


def clean_text(text: str) -> str:
    """Text of several lines: composed, one kind of line end, no control or direction characters."""
    text = _LINE_ENDS.sub("\n", text)
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text))


def clean_line(text: str) -> str:
    """Text of one line: as clean_text, every run of space made one, none at the ends."""
    return _SPACE_RUNS.sub(" ", clean_text(text)).strip()


def count(text: str, unit: Unit = Unit.CHARACTERS) -> int:
    """How long the text is, counted in the given unit."""
    if unit is Unit.BYTES:
        return len(text.encode("utf-8", "surrogatepass"))
    if unit is Unit.UTF16:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text)


_TOO_LONG = {
    Unit.CHARACTERS: N_("Too long: %(count)s/%(limit)s characters. Shorten it."),
    Unit.BYTES: N_("Too long: %(count)s/%(limit)s bytes. Shorten it."),
    Unit.UTF16: N_("Too long: %(count)s/%(limit)s units (an emoji counts two). Shorten it."),
}
_TOO_LONG_FOR_CARRIER = {
    Unit.CHARACTERS: N_("Too long for %(carrier)s: %(count)s/%(limit)s characters. Shorten it."),
    Unit.BYTES: N_("Too long for %(carrier)s: %(count)s/%(limit)s bytes. Shorten it."),
    Unit.UTF16: N_(
        "Too long for %(carrier)s: %(count)s/%(limit)s units (an emoji counts two). Shorten it."
    ),
}


def length_problem(
    text: str, limit: int, unit: Unit = Unit.CHARACTERS, *, carrier: str = ""
) -> Problem | None:
    """The fault of a text over its limit, or None; for callers that gather several faults."""
    return over_length(count(text, unit), limit, unit, carrier=carrier)


def over_length(length: int, limit: int, unit: Unit, *, carrier: str = "") -> Problem | None:
    """The same for a length that is already counted."""
    if length <= limit:
        return None
    params = {"count": f"{length:,}", "limit": f"{limit:,}", "unit": unit.value}
    if carrier:
        return Problem(
            "content_too_long", _TOO_LONG_FOR_CARRIER[unit], params | {"carrier": carrier}
        )
    return Problem("content_too_long", _TOO_LONG[unit], params)


def check_length(
    field: str, text: str, limit: int, *, unit: Unit = Unit.CHARACTERS, carrier: str = ""
) -> None:
    """Raise Invalid `content_too_long` with both numbers when the text is over the limit."""
    problem = length_problem(text, limit, unit, carrier=carrier)
    if problem:
        raise invalid(field, problem.code, problem.message, **problem.params)


def check_filled(field: str, text: str | None) -> None:
    """Raise Invalid `content_empty` when a reader would see nothing."""
    if is_blank(text):
        raise invalid(field, "content_empty", N_("There is nothing to read here. Write something."))
