"""Pages of a list: a slice, where it stands, and what lies beside it."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select

from cms.core.db import session
from cms.core.errors import invalid
from cms.core.i18n import N_

Row = TypeVar("Row")

LAST_PAGE = 10_000


@dataclass(frozen=True)
class Page(Generic[Row]):
    """`number` counts from 1; `total` is the number of rows over all pages."""

    rows: list[Row]
    number: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.number < self.pages

    @property
    def first_row(self) -> int:
        return (self.number - 1) * self.per_page + 1 if self.rows else 0

    @property
    def last_row(self) -> int:
        return self.first_row + len(self.rows) - 1 if self.rows else 0


def page_number(text: str | None) -> int:
    """Coerce a page number out of a query string; raises Invalid, naming what is allowed."""
    if not text:
        return 1
    if text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= LAST_PAGE:
        return int(text)
    raise invalid(
        "page", "bad_page", N_("Page must be a whole number from 1 to %(last)s."), last=LAST_PAGE
    )


def paginate(rows: Select[Any], *, number: int, per_page: int = 24) -> Page[Any]:
    """Run the select for one page: two queries, one for the count and one for the slice."""
    count = select(func.count()).select_from(rows.order_by(None).subquery())
    total = session.scalar(count) or 0
    chosen = session.scalars(rows.limit(per_page).offset((number - 1) * per_page)).unique().all()
    return Page(list(chosen), number, per_page, total)
