"""Decayed counters: right at any moment and the same in any order."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from feedback.statistics.decay import LANDMARK, DecayedSum, forward_weight, recency

NOW = LANDMARK + timedelta(days=400)


def test_a_value_halves_with_each_half_life() -> None:
    kept = DecayedSum(half_life=45).add(8.0, at=NOW)
    assert kept.read(now=NOW) == pytest.approx(8)
    assert kept.read(now=NOW + timedelta(days=45)) == pytest.approx(4)
    assert kept.read(now=NOW + timedelta(days=135)) == pytest.approx(1)


def test_any_order_of_arrival_gives_the_same_sum() -> None:
    rng = np.random.default_rng(4)
    events = [
        (float(value), NOW - timedelta(days=float(age)))
        for value, age in rng.uniform(0, 90, (500, 2))
    ]
    totals = []
    for order in (range(500), range(499, -1, -1), rng.permutation(500)):
        kept = DecayedSum(half_life=45)
        for index in order:
            kept = kept.add(events[index][0], at=events[index][1])
        totals.append(kept.read(now=NOW))
    by_hand = sum(value * 0.5 ** ((NOW - at) / timedelta(days=45)) for value, at in events)
    assert totals == pytest.approx([by_hand] * 3, rel=1e-9)


def test_batch_weights_agree_with_the_counter() -> None:
    ages = np.array([0.0, 10.0, 56.0])
    ratios = [
        forward_weight(NOW - timedelta(days=age), half_life=56) / forward_weight(NOW, half_life=56)
        for age in ages
    ]
    assert recency(ages, half_life=56) == pytest.approx(ratios)


def test_a_moment_before_the_landmark_weighs_less_than_one() -> None:
    assert forward_weight(LANDMARK - timedelta(days=45), half_life=45) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("at", "half_life"),
    [
        (datetime(2026, 1, 2), 45.0),
        (NOW, 0.0),
        (NOW, -1.0),
        (NOW, float("nan")),
        (datetime(9999, 1, 1, tzinfo=UTC), 1),
    ],
)
def test_naive_times_and_useless_half_lives_are_refused(at: datetime, half_life: float) -> None:
    with pytest.raises(ValueError):
        forward_weight(at, half_life=half_life)
