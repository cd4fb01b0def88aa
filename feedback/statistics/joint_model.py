"""Finds the mode of the joint penalised Poisson model: cells, tags and asset effects fitted all together."""

import numpy as np
from scipy import linalg

from .arrays import Floats
from .deliveries import Deliveries, Placement, Priors, Sizes
from .fitted import Fit, TagEffect
from .posterior import Curvature, Posterior

__all__ = ["Deliveries", "Fit", "Placement", "Priors", "Sizes", "TagEffect", "fit"]

_MAX_STEPS = 100
_CLOSE = 1e-8
# Rounding of the objective itself: a step that loses less than this is not a loss.
_ROUNDING = 1e-12


def fit(deliveries: Deliveries, *, priors: Priors | None = None) -> Fit:
    """Fit one outcome: log mu = log n + level + a_channel + b_slot + c_stage + sum_t (beta_t + delta_tg) x_t + u_asset.

    Penalised quasi-likelihood with the Laplace covariance at the mode (Breslow and Clayton, 1993; Tierney and
    Kadane, 1986). The objective is strictly concave, so Newton's method with step halving ends at its one mode from
    any data: zero counts, one cell, perfect separation. Without deliveries the fit is the prior.
    """
    model = Posterior.of(deliveries, priors or Priors())
    theta, u = model.centre.copy(), np.zeros(deliveries.tags.shape[0])
    converged = False
    for _step in range(_MAX_STEPS):
        curvature = model.curvature(np.exp(model.log_mean(theta, u)))
        move_theta, move_u, gain = _newton_step(model, curvature, theta, u)
        converged = gain < _CLOSE
        scale = 1.0 if converged else _scale(model, (theta, u), (move_theta, move_u), gain)
        theta, u = theta + scale * move_theta, u + scale * move_u
        if converged:
            break
    return _report(model, theta, u, converged=converged)


def _newton_step(
    model: Posterior, curvature: Curvature, theta: Floats, u: Floats
) -> tuple[Floats, Floats, float]:
    """Step for coefficients and asset effects, and the gain it promises (the squared Newton decrement)."""
    by_theta, by_u = model.slope(theta, u)
    reduced = by_theta - curvature.cross.T @ (by_u / curvature.asset)
    move_theta = linalg.cho_solve(linalg.cho_factor(curvature.information), reduced)
    move_u = (by_u - curvature.cross @ move_theta) / curvature.asset
    return move_theta, move_u, float(by_theta @ move_theta + by_u @ move_u)


def _scale(
    model: Posterior, start: tuple[Floats, Floats], move: tuple[Floats, Floats], gain: float
) -> float:
    """Largest of 1, 1/2, 1/4 … at which the objective rises enough (Armijo, 1966)."""
    before = model.value(*start)
    scale = 1.0
    for _halving in range(60):
        after = model.value(start[0] + scale * move[0], start[1] + scale * move[1])
        if after >= before + 1e-4 * scale * gain - _ROUNDING * abs(before):
            break
        scale /= 2.0
    return scale


def _report(model: Posterior, theta: Floats, u: Floats, *, converged: bool) -> Fit:
    mean = np.exp(model.log_mean(theta, u))
    curvature = model.curvature(mean)
    identity = np.eye(model.layout.width)
    covariance = linalg.cho_solve(linalg.cho_factor(curvature.information), identity)
    return Fit(model, theta, u, mean, curvature, covariance, converged)
