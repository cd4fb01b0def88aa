"""Reads whole numbers out of addresses and forms; what no row could hold is no number."""

from typing import Any

from werkzeug.routing import IntegerConverter, ValidationError
from wtforms import IntegerField

HIGHEST = 2**31 - 1  # what a column of whole numbers takes on every database
DIGITS = len(str(HIGHEST))


class RowNumber(IntegerConverter):
    """`<int:…>` in a route: a number that could name a row; any other is no such page."""

    def to_python(self, value: str) -> int:
        number = row_number(value)
        if number is None:
            raise ValidationError
        return number


class WholeNumberField(IntegerField):
    """An IntegerField that knows how much a column takes."""

    data: int | None

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata([text[: DIGITS * 2] for text in valuelist])
        if self.data is not None and abs(self.data) > HIGHEST:
            self.data = None
            raise ValueError(self.gettext("Not a valid integer value."))


def row_number(text: str) -> int | None:
    """The number that the text writes in plain digits, if a row could have it."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        return None
    number = int(text)
    return number if number <= HIGHEST else None
