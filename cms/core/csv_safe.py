"""Cells for spreadsheets: whatever they hold, no spreadsheet takes one for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

Cell = str | int | float | None

# What spreadsheets run, in half and full width; a tab or a line end may come before it.
_DANGEROUS = tuple("=+-@\t\r\n|＝＋－＠")
_GUARD = "'"


def safe_cell(value: Cell) -> str | int | float:
    """The value as it may stand in a cell; numbers stay numbers, text that could run is guarded."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = value.replace("\x00", "")
    # Some programs drop leading blanks before they look for the equals sign.
    if text.startswith(_DANGEROUS) or text.lstrip().startswith(_DANGEROUS):
        return _GUARD + text
    return text


def bare_cell(text: str) -> str:
    """A cell read back: the guard that safe_cell put before it is taken off, nothing else."""
    is_guarded = text.startswith(_GUARD) and safe_cell(text[1:]) == text
    return text[1:] if is_guarded else text


def write(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A whole CSV file, with the mark by which spreadsheets know UTF-8 when they see it."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([safe_cell(name) for name in header])
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return file.getvalue().encode("utf-8-sig", "replace")
