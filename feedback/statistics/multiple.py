"""Which findings survive when many tags are looked at together."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from .arrays import Booleans

FALSE_DISCOVERY_RATE = 0.10


def discoveries(
    p_values: Sequence[float | None], *, rate: float = FALSE_DISCOVERY_RATE
) -> Booleans:
    """Mask of findings kept at the false discovery rate (Benjamini and Hochberg, 1995), in the order given.

    The list must be the one that is published: None stands for a suppressed row, which is neither tested nor kept.
    Raises ValueError for a p-value outside 0…1.
    """
    tested = [index for index, p in enumerate(p_values) if p is not None]
    kept = np.zeros(len(p_values), dtype=np.bool_)
    if tested:
        adjusted = stats.false_discovery_control(
            [p for p in p_values if p is not None], method="bh"
        )
        kept[tested] = adjusted <= rate
    return kept
