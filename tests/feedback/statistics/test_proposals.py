"""Proposals: planted faults are found, and what is right is left alone."""

from dataclasses import dataclass

import numpy as np
import pytest

from feedback.statistics.joint_model import Fit, fit
from feedback.statistics.proposals import Change, Proposal, Thresholds, propose

from .worlds import World, mistagged


@dataclass(frozen=True)
class Trial:
    """A world with faults, its fits and what was proposed."""

    world: World
    fits: dict[str, Fit]
    proposals: list[Proposal]

    @property
    def faults(self) -> set[tuple[int, int]]:
        wrong = self.world.true_tags != self.world.seen["click"].tags
        return {(int(asset), int(tag)) for asset, tag in np.argwhere(wrong)}


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    made = []
    for seed in range(3):
        world = mistagged(seed)
        fits = {outcome: fit(seen) for outcome, seen in world.seen.items()}
        made.append(Trial(world, fits, propose(fits)))
    return made


def pair(proposal: Proposal) -> tuple[int, int]:
    return proposal.evidence.asset, proposal.evidence.tag


@pytest.mark.parametrize("change", list(Change))
def test_most_planted_faults_are_found(trials: list[Trial], change: Change) -> None:
    found, planted = 0, 0
    for trial in trials:
        recorded = trial.world.seen["click"].tags
        faults = {at for at in trial.faults if (recorded[at] > 0) == (change is Change.REMOVE)}
        found += len(faults & {pair(p) for p in trial.proposals if p.change is change})
        planted += len(faults)
    assert planted == 18
    assert found / planted > 0.5


def test_few_proposals_are_wrong_and_hardly_any_right_tag_is_questioned(
    trials: list[Trial],
) -> None:
    made = sum(len(trial.proposals) for trial in trials)
    wrong = sum(len({pair(p) for p in trial.proposals} - trial.faults) for trial in trials)
    right_as_they_are = sum(trial.world.true_tags.size - len(trial.faults) for trial in trials)
    assert wrong / right_as_they_are < 0.02
    assert wrong / made < 0.25


def test_each_proposal_keeps_the_floors_and_its_own_word(trials: list[Trial]) -> None:
    for trial in trials:
        recorded = trial.world.seen["click"].tags
        order = [p.probability for p in trial.proposals]
        assert order == sorted(order, reverse=True)
        for proposal in trial.proposals:
            evidence = proposal.evidence
            assert evidence.deliveries >= 5
            assert evidence.exposures >= 2000
            assert (
                (recorded[pair(proposal)] > 0)
                == (proposal.change is Change.REMOVE)
                == evidence.present
            )
            assert evidence.posterior <= 0.1 if evidence.present else evidence.posterior >= 0.9
            assert all(0.05 <= probability < 0.5 for _tag, probability in proposal.rivals)


def test_what_a_person_decided_is_never_questioned(trials: list[Trial]) -> None:
    trial = trials[0]
    decided = np.zeros(trial.world.true_tags.shape, dtype=bool)
    for proposal in trial.proposals:
        decided[pair(proposal)] = True
    assert trial.proposals
    assert not {pair(p) for p in propose(trial.fits, decided=decided)} & {
        pair(p) for p in trial.proposals
    }
    assert propose(trial.fits, decided=np.ones_like(decided)) == []


def test_the_order_of_deliveries_changes_no_proposal(trials: list[Trial]) -> None:
    trial = trials[1]
    rng = np.random.default_rng(5)
    shuffled = {
        name: fit(seen.where(rng.permutation(len(seen)))) for name, seen in trial.world.seen.items()
    }
    again = propose(shuffled)
    assert [(pair(p), p.change) for p in again] == [(pair(p), p.change) for p in trial.proposals]
    assert [p.probability for p in again] == pytest.approx(
        [p.probability for p in trial.proposals], rel=1e-6
    )


def test_a_library_tagged_rightly_is_left_alone() -> None:
    made, pairs = 0, 0
    for seed in range(10, 12):
        world = mistagged(seed, missing=0, wrong=0)
        made += len(propose({outcome: fit(seen) for outcome, seen in world.seen.items()}))
        pairs += world.true_tags.size
    assert made / pairs < 0.005


def test_two_tags_that_always_go_together_are_named_as_rivals_not_proposed_as_sure() -> None:
    world = mistagged(0)
    twin = {}
    for outcome, seen in world.seen.items():
        tags = np.hstack([seen.tags, seen.tags])
        twin[outcome] = fit(type(seen)(**{**{f: getattr(seen, f) for f in FIELDS}, "tags": tags}))
    for proposal in propose(twin):
        if proposal.change is Change.ADD:
            assert proposal.probability < 0.8


FIELDS = ("y", "n", "channel", "slot", "stage", "stage_group", "asset", "sizes")


def test_too_little_shown_is_not_judged(trials: list[Trial]) -> None:
    assert propose(trials[0].fits, thresholds=Thresholds(min_exposures=1e9)) == []
    assert propose(trials[0].fits, thresholds=Thresholds(min_deliveries=10_000)) == []
    assert propose({}) == []


def test_decisions_about_another_library_are_refused(trials: list[Trial]) -> None:
    with pytest.raises(ValueError):
        propose(trials[0].fits, decided=np.zeros((2, 2), dtype=bool))
