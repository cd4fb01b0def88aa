"""Brings English word forms together: plurals, -ing and -ed, nothing bolder."""

from functools import lru_cache

_UNCHANGED = frozenset({"news", "this", "his", "its", "was", "has", "css", "aws", "ios"})
_VOWELS = frozenset("aeiouy")
_SHORTEST = 3


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The same stem for all light forms of a folded word; other words come back as they are.

    The stem need not be a word ("courses" and "course" give "cours"): both sides of a search are
    stemmed, so all that counts is that they meet.
    """
    if len(word) <= _SHORTEST or word in _UNCHANGED or not (word.isascii() and word.isalpha()):
        return word
    bare = _without_ending(_without_plural(word))
    return bare[:-1] if bare.endswith("e") and len(bare) > _SHORTEST else bare


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_ending(word: str) -> str:
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        bare = word.removesuffix(ending)
        if bare != word and not word.endswith("eed") and _can_stand_alone(bare):
            return _undoubled(bare)
    return word


def _can_stand_alone(bare: str) -> bool:
    return len(bare) >= _SHORTEST and not _VOWELS.isdisjoint(bare)


def _undoubled(bare: str) -> str:
    # "planning" meets "plan"; "selling", "passing" and "buzzing" keep the pair their verbs have.
    if bare[-1] == bare[-2] and bare[-1] not in "lsz" and bare[-1] not in _VOWELS:
        return bare[:-1]
    return bare
