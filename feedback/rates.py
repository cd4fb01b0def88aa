"""Rates with their doubt, for lists and panels; small enough that no page loads a numerics library."""

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054
LEAST_SAMPLE = 30


@dataclass(frozen=True)
class Rate:
    """A share of `sample` with its 95 % score interval (Wilson, 1927); no sample, no value."""

    hits: int
    sample: int

    @property
    def value(self) -> float | None:
        return min(self.hits, self.sample) / self.sample if self.sample else None

    @property
    def low(self) -> float | None:
        return self._ends()[0] if self.sample else None

    @property
    def high(self) -> float | None:
        return self._ends()[1] if self.sample else None

    @property
    def is_thin(self) -> bool:
        """Too few to be judged by."""
        return self.sample < LEAST_SAMPLE

    def _ends(self) -> tuple[float, float]:
        # A post passed on may have more responses than its pool has members; a share has not.
        share, square = min(self.hits, self.sample) / self.sample, Z95**2 / self.sample
        middle = (share + square / 2) / (1 + square)
        half = (
            Z95 / (1 + square) * sqrt(share * (1 - share) / self.sample + square / 4 / self.sample)
        )
        return max(0.0, middle - half), min(1.0, middle + half)
