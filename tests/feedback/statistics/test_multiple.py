"""Many tags looked at together."""

import numpy as np
import pytest
from scipy import stats

from feedback.statistics.multiple import discoveries


def test_the_step_up_rule_keeps_what_the_paper_keeps() -> None:
    # Benjamini and Hochberg (1995), section 3.2: at 0.05 the four smallest of fifteen are kept.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    assert discoveries(p, rate=0.05).tolist() == [True] * 4 + [False] * 11


def test_false_ones_stay_a_tenth_of_what_is_kept() -> None:
    rng = np.random.default_rng(2)
    false_share = []
    for _list in range(400):
        z = np.concatenate([rng.normal(0, 1, 40), rng.normal(4, 1, 20)])
        kept = discoveries((2 * stats.norm.sf(np.abs(z))).tolist())
        false_share.append(kept[:40].sum() / max(kept.sum(), 1))
    assert 0.03 < np.mean(false_share) < 0.10


def test_suppressed_rows_are_neither_tested_nor_kept() -> None:
    assert discoveries([None, 0.08, None]).tolist() == [False, True, False]
    assert discoveries([0.9, 0.08]).tolist() == [False, False]
    assert discoveries([None]).tolist() == [False]
    assert discoveries([]).tolist() == []


def test_a_p_value_beyond_one_is_refused() -> None:
    with pytest.raises(ValueError):
        discoveries([1.2])
