"""What every tagger must be able to do: read an asset's words and propose tags with reasons."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from content_library.models import Tag, TagGroup, TagSource


@dataclass(frozen=True)
class Words:
    """What a tagger reads: the asset's own words, without markup."""

    title: str
    summary: str = ""
    text: str = ""


@dataclass(frozen=True)
class Proposal:
    """A tag, how sure the tagger is (0 to 1), and what it saw."""

    tag: Tag
    confidence: float
    evidence: dict[str, Any]


class Tagger(ABC):
    """Proposes, never decides: what it says can be overruled by a person for ever."""

    slug: ClassVar[str]
    source: ClassVar[TagSource]

    @abstractmethod
    def propose(self, words: Words, groups: Sequence[TagGroup]) -> list[Proposal]:
        """Tags the words speak for, surest first."""
