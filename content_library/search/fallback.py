"""The same parsed query as plain SQL, for the time while there is no index."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, or_

from content_library.search.folding import fold
from content_library.search.query import Query, Unit, parse

_ESCAPE = "\\"


def like_condition(
    query: str | Query, columns: Sequence[Any], *, relaxed: bool = False
) -> ColumnElement[bool]:
    """A condition over text columns: every unit in one of them, no unwanted one in any.

    `relaxed` asks for any unit instead of all. The database cannot fold width or word forms, so
    this finds somewhat less, and words inside words.
    """
    parsed = parse(query) if isinstance(query, str) else query
    if parsed.is_empty or not columns:
        return false()
    wanted = [_contains(unit, columns) for unit in parsed.wanted]
    unwanted = [not_(_contains(unit, columns)) for unit in parsed.unwanted]
    join = or_ if relaxed else and_
    return and_(*([join(*wanted)] if wanted else []), *unwanted)


def _contains(unit: Unit, columns: Sequence[Any]) -> ColumnElement[bool]:
    patterns = [f"%{_escaped(spelling)}%" for spelling in _spellings(unit)]
    # An empty column must count as empty text: NOT (NULL LIKE …) would drop the row.
    return or_(
        *(
            func.coalesce(column, "").ilike(pattern, escape=_ESCAPE)
            for column in columns
            for pattern in patterns
        )
    )


def _spellings(unit: Unit) -> list[str]:
    """As typed, folded, and for an English word its stem, which its other forms begin with."""
    spellings = [unit.source, fold(unit.source)[0].strip()]
    if unit.term and len(unit.atoms) == 1:
        spellings.append(unit.term)
    return [spelling for spelling in dict.fromkeys(spellings) if spelling]


def _escaped(text: str) -> str:
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, _ESCAPE + special)
    return text
