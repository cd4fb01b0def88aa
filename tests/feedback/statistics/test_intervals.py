"""Rates and lifts of single items: known intervals, a public table, and tables without visible spread."""

import numpy as np
import pytest
from scipy import stats

from feedback.statistics import intervals

# Eighteen players of 1970 (Efron and Morris, 1975): hits in the first 45 at bats, and the rest of the season's average.
HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
LATER = (
    np.array(
        [346, 298, 276, 222, 273, 270, 263, 210, 269, 230, 264, 256, 303, 264, 226, 286, 316, 200]
    )
    / 1000
)


def test_shrunk_rates_foretell_the_season_far_better_than_raw_ones() -> None:
    at_bats = np.full(18, 45)
    shrunk = intervals.shrink_rate(HITS, at_bats, intervals.fit_rate_prior(HITS, at_bats))
    assert ((shrunk - LATER) ** 2).sum() < 0.025
    assert ((HITS / 45 - LATER) ** 2).sum() > 0.07
    assert ((intervals.wilson(HITS, at_bats)[0] - LATER) ** 2).sum() > 0.15


def test_tables_without_spread_are_read_as_their_mean() -> None:
    rng = np.random.default_rng(20)
    exposures = rng.integers(200, 900, 34)
    truth = 46 / exposures.sum()
    pooled = log_loss(np.full(34, truth), truth, exposures)
    excess, raw_excess = [], []
    for _table in range(100):
        clicks = rng.multinomial(46, exposures / exposures.sum())
        prior = intervals.fit_rate_prior(clicks, exposures)
        assert prior.mean == pytest.approx(truth, rel=0.02)
        excess.append(
            log_loss(intervals.shrink_rate(clicks, exposures, prior), truth, exposures) / pooled - 1
        )
        raw = np.maximum(clicks / exposures, 1e-6)
        raw_excess.append(log_loss(raw, truth, exposures) / pooled - 1)
    assert np.quantile(excess, 0.9) < 0.01
    assert max(excess) < 0.05
    assert np.mean(raw_excess) > 0.10


def log_loss(estimate: np.ndarray, truth: float, exposures: np.ndarray) -> float:
    per_exposure = truth * np.log(estimate) + (1 - truth) * np.log1p(-estimate)
    return -float((exposures * per_exposure).sum())


def test_the_strength_stays_within_its_bounds_at_both_ends() -> None:
    even = intervals.fit_rate_prior(np.full(30, 50), np.full(30, 1000))
    torn = intervals.fit_rate_prior(np.array([0, 1000] * 15), np.full(30, 1000))
    assert even.strength == pytest.approx(10_000, rel=0.01)
    assert torn.strength == pytest.approx(5, rel=0.01)


def test_the_strength_of_a_known_spread_is_found() -> None:
    rng = np.random.default_rng(3)
    rates = rng.beta(0.1 * 60, 0.9 * 60, 3000)
    prior = intervals.fit_rate_prior(rng.binomial(200, rates), np.full(3000, 200))
    assert prior.strength == pytest.approx(60, rel=0.12)
    assert prior.mean == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize(("y", "n"), [(0, 10), (10, 10), (7, 20), (3, 10_000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_wilson_agrees_with_the_reference(y: int, n: int, confidence: float) -> None:
    low, high = intervals.wilson(y, n, confidence=confidence)
    known = stats.binomtest(y, n).proportion_ci(confidence, method="wilson")
    assert (low, high) == (
        pytest.approx(known.low, abs=1e-12),
        pytest.approx(known.high, abs=1e-12),
    )


def test_nothing_seen_is_nothing_known() -> None:
    assert intervals.wilson(0, 0) == (0.0, 1.0)
    assert intervals.shrink_rate(0, 0, intervals.fit_rate_prior([0], [0])) == pytest.approx(0.5)
    assert intervals.fit_lift_prior([0, 0], [0, 0]).mean == 1.0
    never = intervals.fit_rate_prior([0, 0, 0], [400, 500, 600])
    assert 0 < never.mean < 0.001


def test_a_small_tables_great_lift_is_shrunk_and_ranked_below_a_sure_one() -> None:
    rng = np.random.default_rng(5)
    expected = np.concatenate([rng.uniform(5, 50, 60), [0.5, 200.0]])
    seen = np.concatenate([rng.poisson(expected[:60] * rng.gamma(20, 1 / 20, 60)), [3, 320]])
    prior = intervals.fit_lift_prior(seen, expected)
    lift = intervals.shrink_lift(seen, expected, prior)
    lower = intervals.lift_quantile(seen, expected, prior)
    assert lift[60] < 2 < seen[60] / expected[60]
    assert lower[61] > lower[60]
    assert np.all(lower < lift)
    shape, rate = seen + prior.mean * prior.strength, expected + prior.strength
    assert stats.gamma.cdf(lower, shape, scale=1 / rate) == pytest.approx(0.05)


@pytest.mark.parametrize(("y", "n"), [(-1, 5), (6, 5), (np.nan, 5), (1, np.inf)])
def test_impossible_counts_are_refused(y: float, n: float) -> None:
    with pytest.raises(ValueError):
        intervals.wilson(y, n)
    with pytest.raises(ValueError):
        intervals.fit_rate_prior([y], [n])
