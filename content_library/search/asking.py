"""Turns a parsed query into what the index engine understands."""

from collections.abc import Callable, Iterator

from whoosh import query as ask

from content_library.search.query import Query, Unit
from content_library.search.schema import BOOSTS

_TEXT = "text"


def exact_readings(query: Query, has_any: Callable[[ask.Query], bool]) -> Iterator[ask.Query]:
    """The readings that hold all the words, strict first; `has_any` asks the index at hand.

    First the words as the segmenter cuts them; then, since a text may be cut elsewhere, the same
    characters side by side.
    """
    yield _all(query, _strict)
    if not any(unit.term and len(unit.atoms) > 1 for unit in query.wanted):
        return
    # Looking for neighbours is dear; most often a character is not there at all.
    if has_any(_all(query, _scattered)):
        yield _all(query, _side_by_side)


def alternatives(query: Query) -> list[ask.Query]:
    """One reading for each word alone; none where that would say the same as all of them."""
    if len(query.wanted) < 2:
        return []
    return [_without(query, _strict(unit)) for unit in query.wanted]


def ranked(wanted: ask.Query, query: Query) -> ask.Query:
    """The same matches, those with the words in title or tags first."""
    terms = dict.fromkeys(unit.term or unit.atoms[0] for unit in query.wanted)
    bonus = [ask.Term(field, term) for term in terms for field in BOOSTS]
    return ask.AndMaybe(wanted, ask.Or(bonus)) if bonus else wanted


def _all(query: Query, reading: Callable[[Unit], ask.Query]) -> ask.Query:
    units = [reading(unit) for unit in query.wanted]
    return _without(query, ask.And(units) if units else ask.Every())


def _without(query: Query, wanted: ask.Query) -> ask.Query:
    if not query.unwanted:
        return wanted
    return ask.AndNot(wanted, ask.Or([_strict(unit) for unit in query.unwanted]))


def _strict(unit: Unit) -> ask.Query:
    if unit.term is None:
        return ask.Phrase(_TEXT, list(unit.atoms))
    if unit.is_prefix:
        return ask.Or([ask.Term(_TEXT, unit.term), ask.Prefix(_TEXT, unit.atoms[0])])
    return ask.Term(_TEXT, unit.term)


def _side_by_side(unit: Unit) -> ask.Query:
    return _strict(unit) if len(unit.atoms) == 1 else ask.Phrase(_TEXT, list(unit.atoms))


def _scattered(unit: Unit) -> ask.Query:
    if len(unit.atoms) == 1:
        return _strict(unit)
    return ask.And([ask.Term(_TEXT, atom) for atom in unit.atoms])
