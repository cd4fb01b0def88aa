"""How much of an outcome has arrived by now, so that young deliveries are not read as weak ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Booleans, Floats, counts

HORIZON_DAYS = 30.0
USABLE_FRACTION = 0.5

# Five imagined arrivals with a mean delay of one day keep the curve defined before there is any history;
# beside a few hundred real delays they no longer matter.
_IMAGINED = 5.0
_IMAGINED_MEAN_DAYS = 1.0


@dataclass(frozen=True, slots=True)
class Maturation:
    """F(age): the share of an outcome's responses that arrive within `age` days of the delivery.

    `delays`: sorted delays in days of responses to deliveries whose horizon has fully passed.
    """

    delays: Floats
    horizon: float = HORIZON_DAYS

    def fraction(self, age: ArrayLike) -> Floats:
        """F at each age in days, same shape as `age`; 1 from the horizon on."""
        days = counts(age, "age")
        arrived = np.searchsorted(self.delays, days, side="right")
        imagined = _IMAGINED * -np.expm1(-days / _IMAGINED_MEAN_DAYS)
        share = (arrived + imagined) / (self.delays.size + _IMAGINED)
        return np.where(days >= self.horizon, 1.0, share)

    def effective(self, n: ArrayLike, age: ArrayLike) -> tuple[Floats, Booleans]:
        """Exposures that have had their chance, n F(age), and which deliveries are old enough to use (F >= 0.5).

        Exposures weighed this way keep the ratio of responses to exposures unbiased while responses still arrive
        (the offset of Kalbfleisch and Lawless, 1989, for reporting delays).
        """
        share = self.fraction(age)
        return counts(n, "n") * share, share >= USABLE_FRACTION


def learn_maturation(
    delays: ArrayLike, ages: ArrayLike, *, horizon: float = HORIZON_DAYS
) -> Maturation:
    """Curve from past responses: `delays` in days, `ages` in days of the delivery each one answers, same shape.

    Only deliveries at least `horizon` days old take part: from younger ones only short delays can be known, which
    would make the outcome look quicker than it is. Responses after the horizon are left out.
    """
    waited, old = np.broadcast_arrays(counts(delays, "delays"), counts(ages, "ages"))
    if horizon <= 0:
        raise ValueError("horizon must be positive")
    return Maturation(np.sort(waited[(old >= horizon) & (waited <= horizon)]), horizon)
