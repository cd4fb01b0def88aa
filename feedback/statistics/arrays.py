"""Array types shared by the statistics, and the checks every input passes before it is used."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.intp]
Booleans: TypeAlias = NDArray[np.bool_]


def counts(values: ArrayLike, name: str) -> Floats:
    """Finite numbers of at least zero as float64; raises ValueError naming the input otherwise."""
    array = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(array)) or np.any(array < 0):
        raise ValueError(f"{name} must be finite and not negative")
    return array


def indices(values: ArrayLike, size: int, name: str) -> Integers:
    """Whole numbers from 0 to size - 1; raises ValueError naming the input otherwise."""
    given = np.asarray(values)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"{name} must be whole numbers")
    array = given.astype(np.intp)
    if np.any(array < 0) or np.any(array >= size):
        raise ValueError(f"{name} must lie in 0 … {size - 1}")
    return array
