"""Counters that forget: exponential forward decay from a fixed landmark, the same in any order of arrival."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats

LANDMARK = datetime(2026, 1, 1, tzinfo=UTC)
"""Never moved: sums kept under one landmark cannot be added to sums kept under another."""

_SECONDS_PER_DAY = 86_400.0
# Beyond this many half-lives from the landmark a double could overflow once values are multiplied in.
_FARTHEST = 900.0


def forward_weight(at: datetime, *, half_life: float, landmark: datetime = LANDMARK) -> float:
    """Weight 2^((at - landmark) / half_life), half_life in days (Cormode et al., 2009); above 1 after the landmark.

    Raises ValueError for naive times, a half-life that is not positive, or a moment too far away to represent.
    """
    if at.tzinfo is None or landmark.tzinfo is None:
        raise ValueError("decay needs aware times")
    if not half_life > 0:
        raise ValueError("half_life must be positive")
    halvings = (at - landmark).total_seconds() / _SECONDS_PER_DAY / half_life
    if abs(halvings) > _FARTHEST:
        raise ValueError("the moment is too many half-lives from the landmark")
    return float(np.exp2(halvings))


def recency(age_days: ArrayLike, *, half_life: float) -> Floats:
    """Weight 2^(-age / half_life) in 0…1 for batch use, ages and half_life in days, same shape as the ages."""
    if not half_life > 0:
        raise ValueError("half_life must be positive")
    return np.exp2(-np.maximum(np.asarray(age_days, dtype=np.float64), 0.0) / half_life)


@dataclass(frozen=True, slots=True)
class DecayedSum:
    """A sum whose parts lose half their weight every `half_life` days, stored relative to the landmark."""

    half_life: float
    stored: float = 0.0

    def add(self, value: float, *, at: datetime) -> Self:
        """The sum with one more value, wherever `at` falls among those already in it."""
        weight = forward_weight(at, half_life=self.half_life)
        return type(self)(self.half_life, self.stored + value * weight)

    def read(self, *, now: datetime) -> float:
        """The sum as it weighs at `now`, in units of the values."""
        return self.stored / forward_weight(now, half_life=self.half_life)
