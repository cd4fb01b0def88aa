"""The taggers, and the one way to let them loose on an asset."""

from cms.core.registry import Registry
from content_library import tags, versions, vocabulary
from content_library.kinds import KINDS
from content_library.models import Asset, AssetVersion, TagChange
from content_library.taggers.base import Proposal, Tagger, Words
from content_library.taggers.keywords import Keywords

TAGGERS: Registry[Tagger] = Registry("tagger", Keywords())

__all__ = ["TAGGERS", "Proposal", "Tagger", "Words", "propose", "tag_automatically", "words_of"]


def words_of(asset: Asset, version: AssetVersion) -> Words:
    """What the taggers read of a version."""
    text = KINDS.get(asset.kind).plain_text(version.html, version.content)
    return Words(version.title, version.summary, text)


def propose(words: Words) -> list[Proposal]:
    """What all taggers together propose, each tag once, by the surest."""
    groups = vocabulary.groups()
    surest: dict[int, Proposal] = {}
    for tagger in TAGGERS:
        for proposal in tagger.propose(words, groups):
            known = surest.get(proposal.tag.id)
            if known is None or known.confidence < proposal.confidence:
                surest[proposal.tag.id] = proposal
    return sorted(surest.values(), key=lambda one: -one.confidence)


def tag_automatically(asset: Asset) -> list[TagChange]:
    """Put the proposed tags on the asset, as the rule's word, which any person's outranks."""
    words = words_of(asset, versions.current(asset))
    made = []
    for tagger in TAGGERS:
        for one in tagger.propose(words, vocabulary.groups()):
            change = tags.apply(
                asset,
                one.tag,
                source=tagger.source,
                confidence=one.confidence,
                evidence=one.evidence,
                by=None,
            )
            if change:
                made.append(change)
    return made
