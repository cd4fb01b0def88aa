"""The joint model's penalised log-likelihood, its slope and its curvature with the asset effects eliminated."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from .arrays import Floats
from .deliveries import Deliveries, Priors
from .design import Layout, design_rows, membership


@dataclass(frozen=True, slots=True)
class Curvature:
    """Negative second derivative in blocks.

    information: coefficients after eliminating the asset effects (Schur complement), shape (width, width).
    asset: the asset effects' own diagonal, shape (assets,). cross: mixed block, shape (assets, width).
    """

    information: Floats
    asset: Floats
    cross: Floats


@dataclass(frozen=True, slots=True)
class Posterior:
    """log p = sum(y eta - exp eta) - penalties, eta = log n + X theta + u_asset (Breslow and Clayton, 1993)."""

    deliveries: Deliveries
    layout: Layout
    priors: Priors
    rows: sparse.csr_array
    of_asset: sparse.csr_array
    precisions: Floats
    centre: Floats

    @classmethod
    def of(cls, deliveries: Deliveries, priors: Priors) -> Self:
        """Set the model up; the level's prior is centred on the pooled rate, all else on zero."""
        layout = Layout(deliveries.sizes, deliveries.tags.shape[1])
        centre = np.zeros(layout.width)
        if len(deliveries):
            centre[0] = np.log((deliveries.y.sum() + 0.5) / deliveries.n.sum())
        return cls(
            deliveries=deliveries,
            layout=layout,
            priors=priors,
            rows=design_rows(deliveries, layout),
            of_asset=membership(deliveries.asset, deliveries.tags.shape[0]),
            precisions=layout.precisions(priors),
            centre=centre,
        )

    def log_mean(self, theta: Floats, u: Floats) -> Floats:
        """Log of expected responses for each delivery."""
        eta: Floats = np.log(self.deliveries.n) + self.rows @ theta + u[self.deliveries.asset]
        return eta

    def value(self, theta: Floats, u: Floats) -> float:
        """Log posterior up to a constant; minus infinity where the expectation overflows."""
        eta = self.log_mean(theta, u)
        with np.errstate(over="ignore"):
            fit = (self.deliveries.y * eta - np.exp(eta)).sum()
        penalty = (self.precisions * (theta - self.centre) ** 2).sum() + (
            u**2
        ).sum() / self.priors.asset_sd**2
        return float(fit - penalty / 2.0)

    def slope(self, theta: Floats, u: Floats) -> tuple[Floats, Floats]:
        """Derivatives by the coefficients, shape (width,), and by the asset effects, shape (assets,)."""
        surplus = self.deliveries.y - np.exp(self.log_mean(theta, u))
        by_theta = self.rows.T @ surplus - self.precisions * (theta - self.centre)
        return by_theta, self.of_asset @ surplus - u / self.priors.asset_sd**2

    def curvature(self, mean: Floats) -> Curvature:
        """Curvature where deliveries expect `mean` responses, shape (deliveries,); a zero leaves that one out."""
        weighted = self.rows.multiply(mean[:, None]).tocsr()
        cross = (self.of_asset @ weighted).toarray()
        asset = self.of_asset @ mean + self.priors.asset_sd**-2
        information = (self.rows.T @ weighted).toarray() - cross.T @ (cross / asset[:, None])
        information[np.diag_indices_from(information)] += self.precisions
        return Curvature((information + information.T) / 2.0, asset, cross)
