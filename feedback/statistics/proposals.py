"""Proposes tag changes that the evidence supports; accepting one is for people or for a threshold they set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from scipy import special

from .arrays import Booleans
from .evidence import Beliefs, Case, Evidence
from .fitted import Fit

# Beyond the strongest few, pairs of changes add cost and no case.
_RIVALS_IN_PAIRS = 6
_WORTH_NAMING = 0.05


class Change(StrEnum):
    """What is proposed for a tag on an asset."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a change is worth a person's attention.

    add_at, remove_at: posterior of the tag, taken alone, at which the question is open at all. min_probability: that
    the change is right when every rival explanation is weighed too; at one half it is likelier than all others
    together. min_deliveries, min_exposures: of the asset, in at least one outcome.
    """

    add_at: float = 0.90
    remove_at: float = 0.10
    min_probability: float = 0.50
    min_deliveries: int = 5
    min_exposures: float = 2_000.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposed change: its evidence alone, its probability beside its rivals, and those rivals.

    rivals: other tags on the same asset whose change might explain the responses instead, too unlikely to be proposed
    themselves, with their probabilities, likeliest first; a person who knows the asset can tell them apart where numbers cannot.
    """

    change: Change
    evidence: Evidence
    probability: float
    rivals: tuple[tuple[int, float], ...]


def propose(
    fits: Mapping[str, Fit],
    *,
    decided: Booleans | None = None,
    beliefs: Beliefs | None = None,
    thresholds: Thresholds | None = None,
) -> list[Proposal]:
    """Changes worth proposing over the whole library, the surest first.

    fits: outcome name to fit, over the same assets and tags. decided: shape (assets, tags), True where a person has
    spoken for or against the tag: such a pair is never proposed, whatever the evidence.
    """
    if not fits:
        return []
    shape = next(iter(fits.values())).deliveries.tags.shape
    spoken = (
        np.zeros(shape, dtype=np.bool_) if decided is None else np.asarray(decided, dtype=np.bool_)
    )
    if spoken.shape != shape:
        raise ValueError("decided must be an assets by tags table")
    limits, assumed = thresholds or Thresholds(), beliefs or Beliefs()
    found = [
        proposal
        for asset in range(shape[0])
        if _enough(fits, asset, limits)
        for proposal in _for_asset(Case(fits, asset, assumed), spoken[asset], limits)
    ]
    return sorted(found, key=_doubt)


def _doubt(proposal: Proposal) -> tuple[float, int, int]:
    return -proposal.probability, proposal.evidence.asset, proposal.evidence.tag


def _enough(fits: Mapping[str, Fit], asset: int, limits: Thresholds) -> bool:
    """Whether any one outcome has deliveries and exposures enough of the asset."""
    for fit in fits.values():
        rows = fit.deliveries.asset == asset
        if (
            rows.sum() >= limits.min_deliveries
            and fit.deliveries.n[rows].sum() >= limits.min_exposures
        ):
            return True
    return False


def _for_asset(case: Case, spoken: Booleans, limits: Thresholds) -> list[Proposal]:
    open_tags = [tag for tag in np.flatnonzero(~spoken).tolist() if case.informative(tag)]
    probabilities = change_probabilities(case, open_tags)
    ranked = sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))
    proposals = []
    for tag, probability in ranked:
        if probability < limits.min_probability:
            break
        evidence = case.weigh(tag)
        if _clear(evidence, limits):
            change = Change.REMOVE if evidence.present else Change.ADD
            rivals = tuple(
                item for item in ranked if _WORTH_NAMING <= item[1] < limits.min_probability
            )
            proposals.append(Proposal(change, evidence, probability, rivals))
    return proposals


def _clear(evidence: Evidence, limits: Thresholds) -> bool:
    """Whether the tag taken alone is nearly surely wrong as it stands."""
    if evidence.present:
        return evidence.posterior <= limits.remove_at
    return evidence.posterior >= limits.add_at


def change_probabilities(case: Case, tags: Sequence[int]) -> dict[int, float]:
    """Posterior probability that each open tag is wrongly absent or wrongly present.

    Tags with like effects explain the same surplus, so each alone would look certain. We weigh no change, every
    single change and pairs of the likeliest ones against each other and sum over them (Hoeting et al., 1999).
    """
    odds = {tag: _log_odds(case, (tag,)) for tag in tags}
    strongest = sorted(tags, key=lambda tag: (-odds[tag], tag))[:_RIVALS_IN_PAIRS]
    stories: list[tuple[int, ...]] = [
        (),
        *((tag,) for tag in tags),
        *combinations(sorted(strongest), 2),
    ]
    weights = special.softmax([_log_odds(case, story) for story in stories])
    return {
        tag: float(
            sum(weight for weight, story in zip(weights, stories, strict=True) if tag in story)
        )
        for tag in tags
    }


def _log_odds(case: Case, story: tuple[int, ...]) -> float:
    """Log posterior odds of these changes together against no change."""
    changed = case.tags.copy()
    prior = 0.0
    for tag in story:
        present = case.tags[tag] > 0
        changed[tag] = 0.0 if present else 1.0
        prior += float(special.logit(case.prior(tag))) * (-1.0 if present else 1.0)
    return prior + case.log_evidence(changed) - case.log_evidence(case.tags)
