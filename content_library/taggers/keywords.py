"""The tagger `keywords`: a tag's own names and aliases, looked for in the asset's words."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from content_library.models import Tag, TagGroup, TagSource
from content_library.search.folding import fold
from content_library.taggers.base import Proposal, Tagger, Words

# In the other groups the names are everyday words ("new", "learn", "table"): there only an alias,
# which somebody wrote for the purpose, counts.
NAMED_GROUPS = frozenset({"theme", "scene", "product"})

SURE_BY_TITLE = 0.8
SURE_BY_TEXT = 0.5
SURE_PER_HIT = 0.05
SURE_AT_MOST = 0.7
FEWEST_HITS = 2


class Keywords(Tagger):
    slug = "keywords"
    source = TagSource.RULE

    def propose(self, words: Words, groups: Sequence[TagGroup]) -> list[Proposal]:
        title = _folded(words.title)
        text = _folded(f"{words.summary}\n{words.text}")
        proposals = [
            proposal
            for group in groups
            for tag in group.tags
            if tag.is_active and (proposal := _judge(tag, group, title=title, text=text))
        ]
        return sorted(proposals, key=lambda one: -one.confidence)


def _judge(tag: Tag, group: TagGroup, *, title: str, text: str) -> Proposal | None:
    names = list(_names(tag, group))
    in_title = [name for name in names if _count(name, title)]
    if in_title:
        seen = {"tagger": Keywords.slug, "where": "title", "words": in_title}
        return Proposal(tag, SURE_BY_TITLE, seen)
    counts = {name: count for name in names if (count := _count(name, text))}
    hits = sum(counts.values())
    if hits < FEWEST_HITS:
        return None
    sure = min(SURE_AT_MOST, SURE_BY_TEXT + SURE_PER_HIT * (hits - FEWEST_HITS))
    evidence: dict[str, Any] = {
        "tagger": Keywords.slug,
        "where": "text",
        "words": list(counts),
        "hits": hits,
    }
    return Proposal(tag, round(sure, 2), evidence)


def _names(tag: Tag, group: TagGroup) -> Iterator[str]:
    spellings = [alias.name for alias in tag.aliases]
    if group.slug in NAMED_GROUPS:
        spellings += [tag.name_en, tag.name_zh]
    yield from dict.fromkeys(name for name in map(_folded, spellings) if len(name) > 1)


def _folded(text: str) -> str:
    return fold(text)[0]


def _count(name: str, text: str) -> int:
    """Whole words where words have edges; Chinese has none, so there any place counts."""
    if name.isascii():
        return len(re.findall(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text))
    return text.count(name)
