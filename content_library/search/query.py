"""Reads what a person typed into the search box; any text at all is a valid query."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from content_library.search.analysis import Piece, query_pieces
from content_library.search.stemming import stem

LONGEST_QUERY = 300
MOST_UNITS = 24
SHORTEST_PREFIX = 3
FILLERS = frozenset({"the", "a", "an", "of", "to", "and", *"的了吗呢吧啊和与"})

_JOINERS = "-._:@&'"
_QUOTES = '"“”„＂「」『』'
_CLAUSE = re.compile(
    rf"(?P<minus>(?<!\S)[-－−])?"
    rf"(?:[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)[{_QUOTES}]|(?P<words>[^\s{_QUOTES}]+))"
)


@dataclass(frozen=True)
class Unit:
    """One thing a document must contain (or must not).

    `atoms` stand side by side in it; `term`, when set, is the one term of the index that says it.
    `is_prefix` lets the one atom be the beginning of a word. `source` is what was typed.
    """

    atoms: tuple[str, ...]
    source: str
    term: str | None = None
    is_prefix: bool = False

    @property
    def is_filler(self) -> bool:
        return self.term in FILLERS


@dataclass(frozen=True)
class Query:
    """Units to find and units to avoid; without either, nothing in the text can be searched."""

    wanted: tuple[Unit, ...] = ()
    unwanted: tuple[Unit, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.wanted and not self.unwanted


def parse(text: str) -> Query:
    """Words all count, "quotes" keep words together, -minus excludes, the last word may be unfinished."""
    wanted: list[Unit] = []
    unwanted: list[Unit] = []
    for match in _CLAUSE.finditer(text[:LONGEST_QUERY]):
        phrase, words = match.group("phrase"), match.group("words")
        units = [_phrase(phrase)] if words is None else list(_units(words))
        into = unwanted if match.group("minus") else wanted
        into.extend(unit for unit in units if unit.atoms)
    if wanted and text.rstrip().endswith(wanted[-1].source):
        wanted[-1] = _unfinished(wanted[-1])
    meaningful = [unit for unit in wanted if not unit.is_filler]
    return Query(_first(meaningful or wanted), _first(unwanted))


def _first(units: list[Unit]) -> tuple[Unit, ...]:
    return tuple(dict.fromkeys(units))[:MOST_UNITS]


def _unfinished(unit: Unit) -> Unit:
    word = unit.atoms[0]
    is_latin_word = unit.term is not None and word.isascii() and word.isalpha()
    return replace(unit, is_prefix=is_latin_word and len(word) >= SHORTEST_PREFIX)


def _phrase(text: str) -> Unit:
    """Quoted text: every atom as typed, unstemmed, in this order without anything between."""
    atoms = tuple(atom for piece in query_pieces(text) for atom in _atoms(piece))
    return Unit(atoms, _printable(text), term=atoms[0] if len(atoms) == 1 else None)


def _units(clause: str) -> Iterator[Unit]:
    """What an unquoted stretch without spaces asks for.

    Joined Latin atoms ("node.js", "iphone15") and Chinese characters which form no known word
    must stand side by side; Chinese words may stand anywhere.
    """
    row: list[Piece] = []
    for piece in query_pieces(clause):
        if row and not _are_joined(row[-1], piece, clause):
            yield _row(row, clause)
            row = []
        row.append(piece)
    if row:
        yield _row(row, clause)


def _are_joined(left: Piece, right: Piece, clause: str) -> bool:
    between = clause[left.end : right.start]
    if "special" in (left.sort, right.sort):
        return False
    if left.sort == right.sort == "han":
        return not between and _is_loose(left) and _is_loose(right)
    return "han" not in (left.sort, right.sort) and not between.strip(_JOINERS)


def _is_loose(piece: Piece) -> bool:
    return len(piece.text) == 1 and piece.text not in FILLERS


def _row(pieces: list[Piece], clause: str) -> Unit:
    if len(pieces) == 1:
        return _word(pieces[0], clause)
    source = _printable(clause[pieces[0].start : pieces[-1].end])
    return Unit(tuple(piece.text for piece in pieces), source)


def _word(piece: Piece, clause: str) -> Unit:
    source = _printable(clause[piece.start : piece.end])
    if piece.sort == "word":
        return Unit((piece.text,), source, term=stem(piece.text))
    return Unit(_atoms(piece), source, term=piece.text)


def _atoms(piece: Piece) -> tuple[str, ...]:
    return tuple(piece.text) if piece.sort == "han" else (piece.text,)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
