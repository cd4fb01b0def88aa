"""Probability of Poisson counts whose log expectations are uncertain together."""

import numpy as np
from scipy import linalg, special

from .arrays import Floats

_MAX_STEPS = 100
_CLOSE = 1e-9


def log_marginal(y: Floats, mean: Floats, covariance: Floats) -> float:
    """log of the integral of prod Poisson(y | exp f) over f ~ Normal(mean, covariance), by Laplace's method.

    y, mean: shape (counts,); covariance: shape (counts, counts), positive semi-definite. The mode is found by
    Newton's method in the form of Rasmussen and Williams (2006, algorithm 3.1), which never inverts the covariance.
    """
    dual = np.zeros(y.size)
    value = _objective(y, mean, covariance, dual)
    for _step in range(_MAX_STEPS):
        target = _newton_target(y, mean, covariance, dual)
        scale, risen = 1.0, _objective(y, mean, covariance, target)
        while risen < value and scale > 1e-9:
            scale /= 2.0
            risen = _objective(y, mean, covariance, dual + scale * (target - dual))
        if not risen > value:
            break
        dual, gain, value = dual + scale * (target - dual), risen - value, risen
        if gain < _CLOSE:
            break
    root = np.sqrt(np.exp(mean + covariance @ dual))
    factor = linalg.cholesky(_inner(root, covariance), lower=True, check_finite=False)
    return value - float(special.gammaln(y + 1.0).sum()) - float(np.log(np.diag(factor)).sum())


def _objective(y: Floats, mean: Floats, covariance: Floats, dual: Floats) -> float:
    """Log-likelihood less the prior's penalty at f = mean + covariance @ dual."""
    shift = covariance @ dual
    with np.errstate(over="ignore"):
        fit = (y * (mean + shift) - np.exp(mean + shift)).sum()
    value = float(fit - dual @ shift / 2.0)
    return value if np.isfinite(value) else -np.inf


def _newton_target(y: Floats, mean: Floats, covariance: Floats, dual: Floats) -> Floats:
    shift = covariance @ dual
    weight = np.exp(mean + shift)
    root = np.sqrt(weight)
    pull = weight * shift + y - weight
    factor = linalg.cho_factor(_inner(root, covariance), check_finite=False)
    target: Floats = pull - root * linalg.cho_solve(
        factor, root * (covariance @ pull), check_finite=False
    )
    return target


def _inner(root: Floats, covariance: Floats) -> Floats:
    inner = root[:, None] * covariance * root
    inner[np.diag_indices_from(inner)] += 1.0
    return inner
