"""Evidence for one tag on one asset."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from feedback.statistics.arrays import Floats
from feedback.statistics.evidence import Beliefs, Case, Evidence, weigh
from feedback.statistics.joint_model import Deliveries, Fit, Sizes, fit

STRONG, IDLE = 0, 1


def library(
    *, surplus: float = 1.0, exposures: float = 500.0, tags: Floats | None = None
) -> Deliveries:
    """Twenty assets in one cell; tag 0 doubles responses, tag 1 does nothing; asset 0 carries neither."""
    if tags is None:
        tags = np.zeros((20, 2))
        tags[1:9, STRONG] = 1
        tags[5:13, IDLE] = 1
    asset = np.repeat(np.arange(20), 6)
    size = np.where(asset == 0, exposures, 500.0)
    lift = np.where(tags[asset, STRONG] > 0, 2.0, 1.0) * np.where(asset == 0, surplus, 1.0)
    zeros = np.zeros(120, dtype=int)
    return Deliveries(
        y=np.round(size * 0.06 * lift), n=size, channel=zeros, slot=zeros, stage=zeros, stage_group=zeros,
        asset=asset, tags=tags, sizes=Sizes(1, 1, 1, 1),
    )  # fmt: skip


def case(**how: float) -> Evidence:
    return weigh({"click": fit(library(**how))}, 0, STRONG)


def test_an_asset_that_does_as_the_tagged_ones_do_probably_belongs_to_them() -> None:
    like, unlike = case(surplus=2.0), case(surplus=1.0)
    assert like.log_bayes_factor > 1.5
    assert unlike.log_bayes_factor < -1.5
    assert like.posterior == pytest.approx(
        special.expit(special.logit(0.05) + like.log_bayes_factor)
    )


def test_the_reading_says_what_was_seen_and_expected() -> None:
    found = case(surplus=2.0)
    (reading,) = found.readings
    assert (reading.observed, reading.exposures, reading.deliveries) == (360.0, 3000.0, 6)
    assert reading.expected_without == pytest.approx(180, rel=0.10)
    assert reading.expected_with == pytest.approx(360, rel=0.15)
    assert (found.exposures, found.deliveries, found.present) == (3000.0, 6, False)


def test_a_tag_without_effect_is_no_evidence_either_way() -> None:
    assert abs(weigh({"click": fit(library(surplus=2.0))}, 0, IDLE).log_bayes_factor) < 1


def test_few_exposures_say_less_than_many_but_many_do_not_say_ever_more() -> None:
    few, some, many = (
        case(surplus=2.0, exposures=size).log_bayes_factor for size in (5.0, 500.0, 5e6)
    )
    assert few < 0.8 * some
    assert many < some + 1.0


def test_an_assets_own_success_is_no_evidence_for_its_own_tag() -> None:
    tags = np.zeros((20, 2))
    tags[0, STRONG] = 1
    tags[5:13, IDLE] = 1
    whole = fit(library(surplus=2.0, tags=tags))
    (reading,) = weigh({"click": whole}, 0, STRONG).readings
    assert whole.coefficients[whole.model.layout.tag(STRONG)] > 0.5
    assert reading.expected_with == pytest.approx(reading.expected_without, rel=0.01)
    assert not Case({"click": whole}, 0, Beliefs()).informative(STRONG)
    known = fit(library(surplus=2.0))
    assert Case({"click": known}, 0, Beliefs()).informative(STRONG)


def test_outcomes_that_move_together_count_less_than_independent_ones() -> None:
    one = fit(library(surplus=2.0))
    fits = {"click": one, "collect": one}
    apart = weigh(fits, 0, STRONG, beliefs=Beliefs(shared_quality=0.0)).log_bayes_factor
    tied = weigh(fits, 0, STRONG, beliefs=Beliefs(shared_quality=1.0)).log_bayes_factor
    assert apart == pytest.approx(2 * case(surplus=2.0).log_bayes_factor, rel=1e-6)
    assert tied < 0.7 * apart


def test_a_house_of_uneven_assets_needs_more() -> None:
    rng = np.random.default_rng(2)
    even = library(surplus=2.0)
    uneven = replace(
        even,
        y=np.round(
            even.y * np.where(even.asset == 0, 1.0, np.exp(rng.normal(0, 0.7, 20))[even.asset])
        ),
    )
    assert fit(even).asset_sd == 0.25
    assert fit(uneven).asset_sd > 0.4
    assert (
        weigh({"click": fit(uneven)}, 0, STRONG).log_bayes_factor
        < case(surplus=2.0).log_bayes_factor
    )


def test_an_asset_never_shown_leaves_the_prior_as_it_was() -> None:
    seen = library()
    found = weigh({"click": fit(seen.where(seen.asset != 0))}, 0, STRONG)
    assert found.log_bayes_factor == 0
    assert found.posterior == pytest.approx(found.prior)


def test_unlike_fits_and_unknown_rows_are_refused() -> None:
    one = fit(library())
    other: Fit = fit(library(tags=np.zeros((20, 3))))
    for fits, asset, tag in [
        ({}, 0, 0),
        ({"a": one, "b": other}, 0, 0),
        ({"a": one}, 20, 0),
        ({"a": one}, 0, 2),
    ]:
        with pytest.raises(ValueError):
            weigh(fits, asset, tag)


@pytest.mark.parametrize(
    "wrong", [{"absent_prior": 0.0}, {"present_prior": 1.0}, {"shared_quality": 1.5}]
)
def test_beliefs_that_evidence_cannot_move_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        Beliefs(**wrong)
