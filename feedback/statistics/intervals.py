"""Intervals and shrunken estimates for one rate, or one ratio to expectation, at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from .arrays import Floats, counts

STRENGTH_BOUNDS = (5.0, 10_000.0)
"""Bounds in exposures: unbounded, the likelihood runs to infinity when items show no visible spread."""

LIFT_STRENGTH_BOUNDS = (0.5, 1_000.0)
"""Bounds in expected responses, for the same reason."""


@dataclass(frozen=True, slots=True)
class RatePrior:
    """Beta prior of a rate: `mean` in 0…1, `strength` in pseudo-exposures."""

    mean: float
    strength: float


@dataclass(frozen=True, slots=True)
class LiftPrior:
    """Gamma prior of observed over expected: `mean` without unit, `strength` in expected responses."""

    mean: float
    strength: float


def wilson(y: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Score interval of y responses in n exposures (Wilson, 1927); n = 0 gives 0…1.

    y and n broadcast together; y may not exceed n. Use it to break ties in lists: its lower bound ranks safely but
    is a poor estimate of the rate.
    """
    hits, size = _trials(y, n)
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    safe = np.maximum(size, 1.0)
    rate = hits / safe
    scale = 1.0 + z * z / safe
    centre = (rate + z * z / (2.0 * safe)) / scale
    half = z * np.sqrt(rate * (1.0 - rate) / safe + z * z / (4.0 * safe * safe)) / scale
    empty = size == 0
    low = np.where(empty, 0.0, np.clip(centre - half, 0.0, 1.0))
    high = np.where(empty, 1.0, np.clip(centre + half, 0.0, 1.0))
    return low, high


def fit_rate_prior(y: ArrayLike, n: ArrayLike) -> RatePrior:
    """Beta-binomial prior by marginal likelihood (Kleinman, 1973), the pooled mean held and the strength bounded.

    y, n: shape (items,). Fitting the mean together with the strength lets both run away on sparse tables, so only
    the strength is searched, within STRENGTH_BOUNDS. No exposure at all gives mean one half at the weakest strength.
    """
    hits, size = _trials(y, n)
    mean = float((hits.sum() + 0.5) / (size.sum() + 1.0))
    if size.sum() == 0:
        return RatePrior(mean, STRENGTH_BOUNDS[0])

    def loss(log_strength: float) -> float:
        strength = np.exp(log_strength)
        alpha, beta = mean * strength, (1.0 - mean) * strength
        terms = special.betaln(hits + alpha, size - hits + beta) - special.betaln(alpha, beta)
        return -float(terms.sum())

    return RatePrior(mean, _search(loss, STRENGTH_BOUNDS))


def shrink_rate(y: ArrayLike, n: ArrayLike, prior: RatePrior) -> Floats:
    """Posterior mean (y + mean * strength) / (n + strength) of each item's rate."""
    hits, size = _trials(y, n)
    estimate: Floats = (hits + prior.mean * prior.strength) / (size + prior.strength)
    return estimate


def fit_lift_prior(y: ArrayLike, expected: ArrayLike) -> LiftPrior:
    """Gamma-Poisson prior of y / expected (one gamma; DuMouchel, 1999, mixes two), the pooled mean held.

    y, expected: shape (items,), in responses. Nothing expected anywhere gives mean 1 at the strongest prior.
    """
    seen, foreseen = counts(y, "y"), counts(expected, "expected")
    mean = float((seen.sum() + 0.5) / (foreseen.sum() + 0.5))
    if foreseen.sum() == 0:
        return LiftPrior(1.0, LIFT_STRENGTH_BOUNDS[1])

    def loss(log_strength: float) -> float:
        beta = np.exp(log_strength)
        alpha = mean * beta
        terms = special.gammaln(seen + alpha) - special.gammaln(alpha) + alpha * np.log(beta)
        return -float((terms - (seen + alpha) * np.log(foreseen + beta)).sum())

    return LiftPrior(mean, _search(loss, LIFT_STRENGTH_BOUNDS))


def shrink_lift(y: ArrayLike, expected: ArrayLike, prior: LiftPrior) -> Floats:
    """Posterior mean (y + alpha) / (expected + beta) of each item's lift, alpha = mean * beta, beta = strength."""
    seen, foreseen = counts(y, "y"), counts(expected, "expected")
    lift: Floats = (seen + prior.mean * prior.strength) / (foreseen + prior.strength)
    return lift


def lift_quantile(
    y: ArrayLike, expected: ArrayLike, prior: LiftPrior, *, q: float = 0.05
) -> Floats:
    """Quantile q of each item's posterior lift; at 0.05 the ranking key of DuMouchel (1999)."""
    seen, foreseen = counts(y, "y"), counts(expected, "expected")
    shape = seen + prior.mean * prior.strength
    quantile: Floats = special.gammaincinv(shape, q) / (foreseen + prior.strength)
    return quantile


def _trials(y: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    hits, size = np.broadcast_arrays(counts(y, "y"), counts(n, "n"))
    if np.any(hits > size):
        raise ValueError("y may not exceed n")
    return hits, size


def _search(loss: Callable[[float], float], bounds: tuple[float, float]) -> float:
    """Argument of the least loss over the bounded strength, searched on the log scale."""
    found = optimize.minimize_scalar(
        loss, bounds=(np.log(bounds[0]), np.log(bounds[1])), method="bounded"
    )
    return float(np.clip(np.exp(found.x), *bounds))
