"""Taking one asset out of a fit, held to fits that never saw it."""

from dataclasses import replace

import numpy as np
import pytest

from feedback.statistics.joint_model import fit
from feedback.statistics.leaving_out import leave_out

from .worlds import confounded


@pytest.mark.parametrize("seed", [0, 1])
def test_one_step_lands_near_the_refit(seed: int) -> None:
    seen = confounded(seed).seen["click"]
    whole = fit(seen)
    for asset in range(0, 40, 5):
        left, refit = leave_out(whole, asset), fit(seen.where(seen.asset != asset))
        spread = np.sqrt(np.diag(refit.covariance))
        effects = slice(whole.model.layout.cell_end, None)
        assert np.abs((left.mean - refit.coefficients) / spread)[effects].max() < 0.10
        assert np.sqrt(np.diag(left.covariance)) == pytest.approx(spread, rel=0.05)


def test_it_is_nearer_to_the_refit_than_the_whole_fit_is() -> None:
    seen = confounded(2).seen["click"]
    whole = fit(seen)
    errors = []
    for asset in range(0, 40, 4):
        left, refit = leave_out(whole, asset), fit(seen.where(seen.asset != asset))
        errors.append(
            (
                np.linalg.norm(left.mean - refit.coefficients),
                np.linalg.norm(whole.coefficients - refit.coefficients),
            )
        )
    near, far = np.array(errors).mean(axis=0)
    assert near < 0.25 * far


def test_a_tag_only_this_asset_carries_falls_back_to_its_prior() -> None:
    seen = confounded(4).seen["click"]
    tags = seen.tags.copy()
    tags[:, 0] = 0.0
    tags[7, 0] = 1.0
    whole = fit(replace(seen, tags=tags, y=seen.y * np.where(seen.asset == 7, 3, 1)))
    at = whole.model.layout.tag(0)
    left = leave_out(whole, 7)
    assert whole.coefficients[at] > 0.3
    assert left.mean[at] == pytest.approx(0.0, abs=1e-6)
    assert left.covariance[at, at] == pytest.approx(0.35**2)


def test_an_asset_that_dwarfs_the_library_can_be_taken_out() -> None:
    seen = confounded(5).seen["click"]
    vast = np.where(seen.asset == 3, 1e8, 1.0)
    left = leave_out(fit(replace(seen, y=seen.y * vast, n=seen.n * vast)), 3)
    assert np.all(np.isfinite(left.mean))
    assert np.linalg.eigvalsh(left.covariance).min() > 0


def test_an_asset_never_delivered_takes_nothing_away() -> None:
    seen = confounded(6).seen["click"]
    whole = fit(seen.where(seen.asset != 0))
    assert np.array_equal(leave_out(whole, 0).mean, whole.coefficients)
