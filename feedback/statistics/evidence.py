"""Weighs one asset's responses with against without a tag."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from .arrays import Floats, Integers
from .fitted import INTERVAL_Z, MIN_ASSETS, Fit, contrast_rows, other_carriers
from .leaving_out import LeftOut, leave_out
from .marginal import log_marginal


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What is assumed before looking, as probabilities and log-scale spreads.

    absent_prior: that a tag nobody set belongs. present_prior: that a set tag belongs. shared_quality: correlation
    of an asset's own effect between outcomes, since those who click also collect. delivery_sd: what one delivery
    wanders by itself (weather, news), so that a huge exposure is not endless evidence.
    """

    absent_prior: float = 0.05
    present_prior: float = 0.95
    shared_quality: float = 0.5
    delivery_sd: float = 0.10

    def __post_init__(self) -> None:
        """Refuse certainty, which no evidence could move, and impossible spreads."""
        if not (0 < self.absent_prior < 1 and 0 < self.present_prior < 1):
            raise ValueError("prior probabilities must lie between 0 and 1")
        if not 0 <= self.shared_quality <= 1 or self.delivery_sd < 0:
            raise ValueError("shared_quality must lie in 0 … 1 and delivery_sd may not be negative")


@dataclass(frozen=True, slots=True)
class Reading:
    """One outcome of the asset: responses seen, and expected of a typical asset with and without the tag."""

    outcome: str
    observed: float
    expected_with: float
    expected_without: float
    exposures: float
    deliveries: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """The case for a tag on an asset: log_bayes_factor is of with against without, posterior that it belongs."""

    asset: int
    tag: int
    present: bool
    log_bayes_factor: float
    prior: float
    posterior: float
    readings: tuple[Reading, ...]

    @property
    def exposures(self) -> float:
        """Exposures of the outcome with the most; outcomes share deliveries, so they do not add."""
        return max((reading.exposures for reading in self.readings), default=0.0)

    @property
    def deliveries(self) -> int:
        """Deliveries of the outcome with the most."""
        return max((reading.deliveries for reading in self.readings), default=0)


def weigh(
    fits: Mapping[str, Fit], asset: int, tag: int, *, beliefs: Beliefs | None = None
) -> Evidence:
    """Evidence for one tag on one asset over all outcomes, the asset's own deliveries not counted twice.

    fits: outcome name to its fit, over the same assets and tags. Raises ValueError for unlike fits or positions.
    """
    return Case(fits, asset, beliefs or Beliefs()).weigh(tag)


class Case:
    """One asset before the court: what all other assets teach, and how well tag sets explain its responses.

    For a tag set the log expectations of the asset's deliveries are jointly normal: cells and tags from the fit
    without this asset, plus the asset's own effect, plus each delivery's. Integrating all of it gives the tag set's
    marginal likelihood; the ratio of two is a Bayes factor (Kass and Raftery, 1995).
    """

    def __init__(self, fits: Mapping[str, Fit], asset: int, beliefs: Beliefs) -> None:
        """Take the asset out of each fit once."""
        if not fits or len({fit.deliveries.tags.shape for fit in fits.values()}) != 1:
            raise ValueError("fits must be of the same assets and tags")
        first = next(iter(fits.values())).deliveries
        if not 0 <= asset < first.tags.shape[0]:
            raise ValueError("no such asset")
        self.asset = asset
        self.beliefs = beliefs
        self.tags: Floats = first.tags[asset]
        self._fits = dict(fits)
        self._left: dict[str, LeftOut] = {name: leave_out(fit, asset) for name, fit in fits.items()}
        self._others = {name: other_carriers(fit, asset) for name, fit in fits.items()}
        self._known: dict[bytes, float] = {}

    def weigh(self, tag: int) -> Evidence:
        """Evidence for one tag, all others as they are."""
        if not 0 <= tag < self.tags.size:
            raise ValueError("no such tag")
        factor = self.log_evidence(self.carrying(tag, 1.0)) - self.log_evidence(
            self.carrying(tag, 0.0)
        )
        prior = self.prior(tag)
        posterior = float(special.expit(special.logit(prior) + factor))
        present = bool(self.tags[tag] > 0)
        return Evidence(self.asset, tag, present, factor, prior, posterior, self._readings(tag))

    def prior(self, tag: int) -> float:
        """Probability, before looking, that the tag belongs."""
        return self.beliefs.present_prior if self.tags[tag] > 0 else self.beliefs.absent_prior

    def carrying(self, tag: int, value: float) -> Floats:
        """The asset's tags with one of them set (1) or taken off (0)."""
        changed = self.tags.copy()
        changed[tag] = value
        return changed

    def log_evidence(self, tags: Floats) -> float:
        """Log marginal likelihood of the asset's responses if it carried `tags`, shape (tags,)."""
        key = tags.tobytes()
        if key not in self._known:
            log_means, covariance = self._log_means(tags)
            self._known[key] = log_marginal(self._responses, log_means, covariance)
        return self._known[key]

    def informative(self, tag: int) -> bool:
        """Whether, judged by others, the tag's effect differs from the mean tag's in any outcome (90 % interval)."""
        return any(self._differs(name, tag) for name in self._fits)

    @cached_property
    def _responses(self) -> Floats:
        return np.concatenate(
            [fit.deliveries.y[self._left[name].rows] for name, fit in self._fits.items()]
        )

    @cached_property
    def _own_covariance(self) -> Floats:
        """Covariance of the asset's own effects and of its deliveries', over all outcomes' deliveries."""
        sizes = [left.rows.size for left in self._left.values()]
        outcome = np.repeat(np.arange(len(sizes)), sizes)
        spread = np.repeat([fit.asset_sd for fit in self._fits.values()], sizes)
        alike = np.where(outcome[:, None] == outcome, 1.0, self.beliefs.shared_quality)
        own: Floats = (
            spread[:, None] * alike * spread + np.eye(outcome.size) * self.beliefs.delivery_sd**2
        )
        return own

    def _log_means(self, tags: Floats) -> tuple[Floats, Floats]:
        """Prior mean and covariance of log expectations, outcome after outcome."""
        covariance = self._own_covariance.copy()
        means, start = [], 0
        for name, left in self._left.items():
            rows = self._rows(name, tags)
            end = start + left.rows.size
            means.append(np.log(self._fits[name].deliveries.n[left.rows]) + rows @ left.mean)
            covariance[start:end, start:end] += rows @ left.covariance @ rows.T
            start = end
        return np.concatenate(means), covariance

    def _rows(self, name: str, tags: Floats) -> Floats:
        model = self._fits[name].model
        groups = model.deliveries.stage_group[self._left[name].rows]
        return model.layout.retag(self._left[name].design, groups, tags)

    def _differs(self, name: str, tag: int) -> bool:
        fit, left = self._fits[name], self._left[name]
        others = self._others[name]
        if others[tag] < MIN_ASSETS or left.rows.size == 0:
            return False
        row = self._contrast(fit, left.rows, tag, np.flatnonzero(others > 0))
        return bool(abs(row @ left.mean) > INTERVAL_Z * np.sqrt(row @ left.covariance @ row))

    def _contrast(self, fit: Fit, rows: Integers, tag: int, tags: Integers) -> Floats:
        """The tag against the mean of `tags`, in the mix of stage groups where this asset was shown."""
        groups = fit.deliveries.stage_group[rows]
        shares = np.bincount(groups, weights=fit.deliveries.n[rows]) / fit.deliveries.n[rows].sum()
        at = int(np.flatnonzero(tags == tag)[0])
        parts = [
            share * contrast_rows(fit, group, tags)[at]
            for group, share in enumerate(shares)
            if share > 0
        ]
        row: Floats = np.sum(parts, axis=0)
        return row

    def _readings(self, tag: int) -> tuple[Reading, ...]:
        return tuple(self._reading(name, tag) for name in self._fits)

    def _reading(self, name: str, tag: int) -> Reading:
        deliveries, left = self._fits[name].deliveries, self._left[name]
        exposures = deliveries.n[left.rows]
        having, lacking = (
            float(
                (exposures * np.exp(self._rows(name, self.carrying(tag, value)) @ left.mean)).sum()
            )
            for value in (1.0, 0.0)
        )
        observed = float(deliveries.y[left.rows].sum())
        return Reading(name, observed, having, lacking, float(exposures.sum()), int(left.rows.size))
