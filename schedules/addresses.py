"""E-mail addresses out of pasted text: which lines hold one, and what is wrong with those that do not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cms.core.errors import Problem
from cms.core.i18n import N_
from cms.core.mail import clean_address
from cms.core.text import is_blank

SHOWN = 80

NO_ADDRESS = N_("no e-mail address in it")
BAD_ADDRESS = N_("not an e-mail address that can be written to")

_IN_BRACKETS = re.compile(r"<([^<>]*)>")
_BETWEEN = re.compile(r"[,;\t，；]")
_HEADER = re.compile(r"e-?mail|address|邮箱|邮件|电邮", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One line that gave an address, or none; `problem` says why not."""

    number: int
    text: str  # its beginning, as it was given
    address: str = ""
    problem: Problem | None = None


def found_in(text: str) -> Iterator[Line]:
    """Every address of every line; a head line of a table is passed over, empty lines too."""
    for number, line in enumerate(text.splitlines(), start=1):
        if is_blank(line):
            continue
        cells = [cell for cell in _cells(line) if "@" in cell]
        if not cells and number == 1 and _HEADER.search(line):
            continue
        shown = line.strip()[:SHOWN]
        if not cells:
            yield Line(number, shown, problem=Problem("no_address", NO_ADDRESS))
        for cell in cells:
            address = sound(cell)
            fault = None if address else Problem("bad_address", BAD_ADDRESS)
            yield Line(number, shown, address, fault)


def sound(text: str) -> str:
    """The address in the one spelling we keep, or "" when no letter could be sent to it."""
    address = (clean_address(text) or "").lower()
    *labels, last = address.rpartition("@")[2].split(".")
    return address if labels and not last.isdigit() else ""


def _cells(line: str) -> list[str]:
    """`Zhang, San <z@example.com>` and `"z@example.com",Zhang` both hold the same one."""
    bracketed = [inner for inner in _IN_BRACKETS.findall(line) if "@" in inner]
    if bracketed:
        return bracketed
    return [cell.strip().strip("\"'“”").strip() for cell in _BETWEEN.split(line)]
