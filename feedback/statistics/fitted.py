"""What one joint fit says: expectations of deliveries, and tag effects with their evidence."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from .arrays import Floats, Integers
from .deliveries import Deliveries, Placement
from .posterior import Curvature, Posterior

MIN_ASSETS = 3
MIN_DELIVERIES = 5
INTERVAL_Z = float(stats.norm.ppf(0.95))
"""Half-width, in standard deviations, of a 90 % interval."""

_MEDIAN_OF_SQUARE = float(stats.chi2.median(1))


@dataclass(frozen=True, slots=True)
class TagEffect:
    """A tag's effect in a stage group against the mean tag there.

    log_lift, sd: posterior mean and standard deviation on the log scale. lift, low, high: posterior median and 90 %
    interval as factors (1 = like the mean tag). p: two-sided posterior tail beyond no difference, for the list-wide
    check. exposures (matured), deliveries, assets: what it rests on.
    """

    tag: int
    group: int
    log_lift: float
    sd: float
    exposures: float
    deliveries: int
    assets: int

    @property
    def lift(self) -> float:
        """Effect as a factor."""
        return float(np.exp(self.log_lift))

    @property
    def low(self) -> float:
        """Lower end of the 90 % interval, as a factor."""
        return float(np.exp(self.log_lift - INTERVAL_Z * self.sd))

    @property
    def high(self) -> float:
        """Upper end of the 90 % interval, as a factor."""
        return float(np.exp(self.log_lift + INTERVAL_Z * self.sd))

    @property
    def p(self) -> float:
        """Two-sided tail probability of no difference; conservative, since the estimate is shrunk."""
        return float(2.0 * stats.norm.sf(abs(self.log_lift) / self.sd))


@dataclass(frozen=True)
class Fit:
    """The mode of one outcome's model with its Laplace covariance.

    coefficients: shape (width,), ordered as `model.layout`. asset_effects: shape (assets,). mean: expected responses
    of each delivery. covariance: of the coefficients, asset effects integrated out, shape (width, width).
    """

    model: Posterior
    coefficients: Floats
    asset_effects: Floats
    mean: Floats
    curvature: Curvature
    covariance: Floats
    converged: bool

    @property
    def deliveries(self) -> Deliveries:
        """The deliveries that were fitted."""
        return self.model.deliveries

    def expected(self, place: Placement, *, tags: Floats | None = None) -> float:
        """Responses expected of a placement, for its asset's own tags unless `tags`, shape (tags,), are given.

        The asset's own effect counts when it is known; without an asset, tags must be given.
        """
        if tags is None:
            if place.asset is None:
                raise ValueError("a placement without an asset needs its tags")
            tags = self.deliveries.tags[place.asset]
        own = 0.0 if place.asset is None else float(self.asset_effects[place.asset])
        row = self.model.layout.row(place, np.asarray(tags, dtype=np.float64))
        return float(place.n * np.exp(row @ self.coefficients + own))

    @cached_property
    def asset_sd(self) -> float:
        """Spread of asset effects that the data show, never under the prior's; only delivered assets count.

        A house whose assets differ more than the prior thinks would otherwise see evidence for tags in what is
        plain quality. One EM step (Dempster et al., 1977), with the squared effects' median for their mean (scaled
        to agree for a normal), so that the few mis-tagged assets we are after do not hide themselves.
        """
        seen = np.unique(self.deliveries.asset)
        if seen.size == 0:
            return self.model.priors.asset_sd
        cross, own = self.curvature.cross[seen], self.curvature.asset[seen]
        borrowed = ((cross @ self.covariance) * cross).sum(axis=1) / own**2
        visible = np.median(self.asset_effects[seen] ** 2) / _MEDIAN_OF_SQUARE
        hidden = np.median(1.0 / own + borrowed)
        return max(self.model.priors.asset_sd, float(np.sqrt(visible + hidden)))

    def tag_effects(self) -> dict[tuple[int, int], TagEffect | None]:
        """Effect of each (tag, stage group); None where it may not be shown.

        Suppressed under 3 assets or 5 deliveries, and where no other tag is there to be compared with.
        """
        found: dict[tuple[int, int], TagEffect | None] = {}
        for group in range(self.model.layout.sizes.groups):
            found.update(self._effects_in(group))
        return found

    def _effects_in(self, group: int) -> dict[tuple[int, int], TagEffect | None]:
        inside = np.flatnonzero(self.deliveries.stage_group == group)
        carried = self.deliveries.tags[self.deliveries.asset[inside]] > 0
        tags = np.flatnonzero(carried.any(axis=0))
        contrasts = contrast_rows(self, group, tags)
        means = contrasts @ self.coefficients
        variances = np.einsum("ij,jk,ik->i", contrasts, self.covariance, contrasts, optimize=True)
        found: dict[tuple[int, int], TagEffect | None] = {
            (tag, group): None for tag in range(self.model.layout.tags)
        }
        for tag, mean, variance in zip(tags.tolist(), means, variances, strict=True):
            support = self._support(inside[carried[:, tag]])
            if tags.size > 1 and support[1] >= MIN_DELIVERIES and support[2] >= MIN_ASSETS:
                found[tag, group] = TagEffect(
                    tag, group, float(mean), float(np.sqrt(variance)), *support
                )
        return found

    def _support(self, rows: Integers) -> tuple[float, int, int]:
        """Exposures, deliveries and assets of the given deliveries."""
        exposures = float(self.deliveries.n[rows].sum())
        return exposures, int(rows.size), int(np.unique(self.deliveries.asset[rows]).size)


def contrast_rows(fit: Fit, group: int, tags: Integers) -> Floats:
    """Rows that take each tag's effect in a group minus the mean of these tags' effects, shape (tags, width)."""
    rows = np.zeros((tags.size, fit.model.layout.width))
    for place, tag in enumerate(tags.tolist()):
        rows[place, [fit.model.layout.tag(tag), fit.model.layout.split(tag, group)]] = 1.0
    return rows - rows.mean(axis=0) if tags.size else rows


def other_carriers(fit: Fit, asset: int) -> Integers:
    """How many delivered assets other than this one carry each tag, shape (tags,)."""
    delivered = np.unique(fit.deliveries.asset)
    others = delivered[delivered != asset]
    return np.count_nonzero(fit.deliveries.tags[others] > 0, axis=0)
