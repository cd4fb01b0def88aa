"""Folds width, case and Latin accents while remembering where each folded character came from."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_APOSTROPHES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'"})


def fold(text: str) -> tuple[str, Sequence[int]]:
    """The folded text and, for each of its characters, the offset of the original one.

    Folding may lengthen a text ("㎏" becomes "kg") or shorten it (a zero-width space goes), so
    highlights need the way back.
    """
    if text.isascii():
        return text.lower(), range(len(text))
    pieces = [_fold_character(character) for character in text]
    origin = [at for at, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), origin


@lru_cache(maxsize=20_000)
def _fold_character(character: str) -> str:
    if unicodedata.category(character) in ("Mn", "Cf"):
        return ""
    folded = unicodedata.normalize("NFKC", character.translate(_APOSTROPHES)).casefold()
    return "".join(_without_accent(letter) for letter in folded)


def _without_accent(letter: str) -> str:
    # Only Latin letters: taking marks away from kana would make other syllables of them.
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() else letter
