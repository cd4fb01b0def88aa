"""The marginal likelihood against numerical integration."""

import numpy as np
import pytest
from scipy import special, stats

from feedback.statistics.marginal import log_marginal

NODES, WEIGHTS = special.roots_hermitenorm(80)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@pytest.mark.parametrize("count", [0, 1, 7, 400])
@pytest.mark.parametrize("sd", [0.05, 0.25, 0.6])
def test_one_count_agrees_with_quadrature(count: int, sd: float) -> None:
    mean = np.log(max(count, 1) * 0.8)
    z = np.linspace(-9, 9, 20_001)
    exact = np.log(
        np.trapezoid(stats.poisson.pmf(count, np.exp(mean + sd * z)) * stats.norm.pdf(z), z)
    )
    ours = log_marginal(np.array([float(count)]), np.array([mean]), np.array([[sd**2]]))
    assert ours == pytest.approx(exact, abs=0.01)


def test_two_counts_with_a_common_cause_agree_with_quadrature() -> None:
    counts, mean = np.array([12.0, 31.0]), np.log([20.0, 20.0])
    covariance = np.array([[0.16, 0.07], [0.07, 0.09]])
    root = np.linalg.cholesky(covariance)
    grid = np.stack(np.meshgrid(NODES, NODES, indexing="ij"), axis=-1) @ root.T + mean
    chance = stats.poisson.pmf(counts, np.exp(grid)).prod(axis=-1)
    exact = np.log(WEIGHTS @ chance @ WEIGHTS)
    assert log_marginal(counts, mean, covariance) == pytest.approx(exact, abs=0.005)


def test_without_uncertainty_it_is_the_poisson_probability() -> None:
    counts, mean = np.array([3.0, 0.0, 9.0]), np.log([2.0, 1.0, 9.0])
    exact = stats.poisson.logpmf(counts, np.exp(mean)).sum()
    assert log_marginal(counts, mean, np.zeros((3, 3))) == pytest.approx(exact)


@pytest.mark.parametrize(
    ("count", "log_mean"), [(1e6, 2.0), (0.0, 12.0), (5.0, -40.0), (1e9, 20.0)]
)
def test_surprises_end_in_a_finite_answer(count: float, log_mean: float) -> None:
    assert np.isfinite(log_marginal(np.array([count]), np.array([log_mean]), np.array([[0.0625]])))
