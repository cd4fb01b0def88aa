"""Picks the places of a text that answer a query and says which parts of them matched."""

from bisect import bisect_left

from content_library.search.analysis import Piece, index_pieces
from content_library.search.query import Query, Unit, parse

# A fragment in order: pieces of the original text, each with "this matched". The text is raw:
# whoever prints it escapes it.
Fragment = tuple[tuple[str, bool], ...]

LONGEST_TEXT = 50_000
Span = tuple[int, int]


def highlight(
    text: str, query: str | Query, *, width: int = 90, fragments: int = 2
) -> list[Fragment]:
    """Up to `fragments` stretches of about `width` characters around the matches.

    A text without a match gives its beginning, so that there is always something to show; a width
    of 0 gives the whole text as one fragment.
    """
    text = text[:LONGEST_TEXT]
    parsed = parse(query) if isinstance(query, str) else query
    spans = _spans(text, parsed)
    if not text:
        return []
    if width <= 0:
        return [_marked(text, (0, len(text)), spans)]
    windows = _windows(text, spans, width)[:fragments] or [(0, min(width, len(text)))]
    return [_marked(text, window, spans) for window in windows]


def _spans(text: str, query: Query) -> list[Span]:
    pieces = list(index_pieces(text)) if query.wanted else []
    found = [span for unit in query.wanted for span in _unit_spans(pieces, unit)]
    return _merged(sorted(found))


def _unit_spans(pieces: list[Piece], unit: Unit) -> list[Span]:
    if unit.is_prefix:
        begins = (unit.atoms[0], unit.term)
        found = [p for p in pieces if p.text == begins[1] or p.text.startswith(begins[0])]
    else:
        found = [piece for piece in pieces if piece.text == unit.term]
    if found or len(unit.atoms) == 1:
        return [(piece.start, piece.end) for piece in found]
    # No such word as cut, or no single word at all: what the index found side by side.
    return _row_spans(pieces, unit.atoms)


def _row_spans(pieces: list[Piece], atoms: tuple[str, ...]) -> list[Span]:
    at: dict[str, dict[int, Piece]] = {atom: {} for atom in atoms}
    for piece in pieces:
        if piece.text in at:
            at[piece.text][piece.position] = piece
    spans = []
    for position, first in at[atoms[0]].items():
        row = [at[atom].get(position + step) for step, atom in enumerate(atoms)]
        last = row[-1]
        if last is not None and all(row):
            spans.append((first.start, last.end))
    return spans


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _windows(text: str, spans: list[Span], width: int) -> list[Span]:
    """Windows over the matches that do not overlap, the one with most matches first."""
    windows: list[Span] = []
    counts: list[int] = []
    for start, end in spans:
        if windows and end <= windows[-1][1]:
            counts[-1] += 1
            continue
        earliest = windows[-1][1] if windows else 0
        # Some words before the match tell what it is about; a match is never cut in two by the
        # beginning of its window.
        begin = min(start, max(earliest, start - width // 4))
        windows.append((begin, min(len(text), max(begin + width, end))))
        counts.append(1)
    order = sorted(range(len(windows)), key=lambda at: (-counts[at], at))
    return [windows[at] for at in order]


def _marked(text: str, window: Span, spans: list[Span]) -> Fragment:
    begin, until = window
    parts: list[tuple[str, bool]] = []
    for start, end in spans[max(0, bisect_left(spans, (begin, 0)) - 1) :]:
        if end <= begin:
            continue
        if start >= until:
            break
        first, last = max(begin, start), min(end, until)
        parts += [(text[begin:first], False), (text[first:last], True)]
        begin = last
    parts.append((text[begin:until], False))
    return tuple(part for part in parts if part[0])
