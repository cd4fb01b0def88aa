"""Late outcomes: young deliveries must not look weak, however slow the outcome is."""

import numpy as np
import pytest

from feedback.statistics.arrays import Floats
from feedback.statistics.maturation import Maturation, learn_maturation

RATE = 0.05


def history(
    rng: np.random.Generator, mean_delay: float
) -> tuple[Floats, Floats, Floats, Maturation]:
    """Deliveries of the last 60 days: ages, exposures, responses arrived so far, and the curve they teach."""
    ages = rng.uniform(0, 60, 3000)
    exposures = rng.integers(500, 5000, 3000).astype(float)
    delivery = np.repeat(np.arange(3000), rng.binomial(exposures.astype(int), RATE))
    delays = rng.exponential(mean_delay, delivery.size)
    arrived = delays <= ages[delivery]
    seen = np.bincount(delivery[arrived], minlength=3000).astype(float)
    return ages, exposures, seen, learn_maturation(delays[arrived], ages[delivery[arrived]])


@pytest.mark.parametrize("mean_delay", [2.5, 5.0])
def test_doubling_the_delays_leaves_the_rate_unbiased(mean_delay: float) -> None:
    ages, exposures, seen, curve = history(np.random.default_rng(8), mean_delay)
    young = ages < 30
    effective, usable = curve.effective(exposures, ages)
    chosen = young & usable
    assert seen[chosen].sum() / effective[chosen].sum() == pytest.approx(RATE, rel=0.02)
    assert seen[young].sum() / exposures[young].sum() < 0.95 * RATE


def test_yesterdays_curve_would_be_wrong_for_slower_outcomes() -> None:
    rng = np.random.default_rng(8)
    quick = history(rng, 2.5)[3]
    ages, exposures, seen, _slow = history(rng, 5.0)
    effective, usable = quick.effective(exposures, ages)
    chosen = (ages < 30) & usable
    assert seen[chosen].sum() / effective[chosen].sum() < 0.97 * RATE


def test_only_deliveries_past_the_horizon_teach() -> None:
    young_only = learn_maturation(np.full(1000, 0.01), np.full(1000, 5.0))
    assert young_only.delays.size == 0
    late = learn_maturation([1.0, 45.0], [60.0, 60.0])
    assert late.delays.tolist() == [1.0]


def test_the_curve_rises_from_nothing_to_all() -> None:
    curve = learn_maturation(np.random.default_rng(1).exponential(3, 500), np.full(500, 90.0))
    share = curve.fraction(np.linspace(0, 40, 200))
    assert share[0] == 0
    assert np.all(np.diff(share) >= 0)
    assert np.all(share[-50:] == 1)


def test_without_history_a_delivery_is_usable_within_a_day() -> None:
    curve = learn_maturation([], [])
    assert curve.effective([100.0], [0.1])[1].tolist() == [False]
    effective, usable = curve.effective([100.0], [3.0])
    assert usable.all()
    assert 90 < effective[0] < 100


@pytest.mark.parametrize(("delays", "ages"), [([-1.0], [40.0]), ([1.0], [np.nan])])
def test_impossible_times_are_refused(delays: list[float], ages: list[float]) -> None:
    with pytest.raises(ValueError):
        learn_maturation(delays, ages)
