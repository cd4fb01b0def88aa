"""The joint fit: right where placement misleads, equal to an independent optimiser, and never falling over."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from feedback.statistics.arrays import Floats
from feedback.statistics.joint_model import (
    Deliveries,
    Fit,
    Placement,
    Priors,
    Sizes,
    TagEffect,
    fit,
)
from feedback.statistics.posterior import Posterior

from .worlds import SIZES, World, confounded

SEEDS = range(12)


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [confounded(seed) for seed in SEEDS]


def shown(result: Fit) -> list[TagEffect]:
    return [effect for effect in result.tag_effects().values() if effect]


def raw_lift(deliveries: Deliveries, tag: int) -> tuple[float, bool]:
    """The method we refuse: responses per exposure with the tag over without, and whether 90 % excludes no lift."""
    carried = deliveries.tags[deliveries.asset, tag] > 0
    y = [deliveries.y[carried].sum(), deliveries.y[~carried].sum()]
    n = [deliveries.n[carried].sum(), deliveries.n[~carried].sum()]
    lift = np.log(y[0] / n[0]) - np.log(y[1] / n[1])
    return float(lift), bool(abs(lift) > 1.645 * np.sqrt(1 / y[0] + 1 / y[1]))


def joint_scores(worlds: list[World]) -> tuple[float, float]:
    """Share of tags without effect called different, and mean rank correlation with the truth."""
    false, ranks = [], []
    for world in worlds:
        truth = world.effects["click"]
        effects = shown(fit(world.seen["click"]))
        false += [
            not effect.low <= 1 <= effect.high for effect in effects if truth[effect.tag] == 0
        ]
        for group in range(SIZES.groups):
            here = [effect for effect in effects if effect.group == group]
            ranks.append(
                stats.spearmanr([e.log_lift for e in here], [truth[e.tag] for e in here]).statistic
            )
    return float(np.mean(false)), float(np.mean(ranks))


def raw_scores(worlds: list[World]) -> tuple[float, float]:
    false, ranks = [], []
    for world in worlds:
        truth = world.effects["click"]
        lifts, called = zip(*(raw_lift(world.seen["click"], tag) for tag in range(12)), strict=True)
        false += [wrong for wrong, effect in zip(called, truth, strict=True) if effect == 0]
        ranks.append(stats.spearmanr(lifts, truth).statistic)
    return float(np.mean(false)), float(np.mean(ranks))


def test_the_joint_fit_sees_through_placement(worlds: list[World]) -> None:
    false_rate, rank = joint_scores(worlds)
    assert false_rate < 0.10
    assert rank >= 0.80


def test_the_raw_method_fails_the_same_test(worlds: list[World]) -> None:
    false_rate, rank = raw_scores(worlds)
    assert false_rate > 0.50
    assert rank < 0.80


def test_intervals_hold_the_truth_about_as_often_as_they_say(worlds: list[World]) -> None:
    held = []
    for world in worlds:
        truth = world.effects["click"] - world.effects["click"].mean()
        held += [e.low <= np.exp(truth[e.tag]) <= e.high for e in shown(fit(world.seen["click"]))]
    assert np.mean(held) > 0.80


def test_the_order_of_deliveries_changes_nothing(worlds: list[World]) -> None:
    seen = worlds[0].seen["click"]
    shuffled = seen.where(np.random.default_rng(9).permutation(len(seen)))
    for one, other in zip(shown(fit(seen)), shown(fit(shuffled)), strict=True):
        assert (one.log_lift, one.sd) == pytest.approx(
            (other.log_lift, other.sd), rel=1e-9, abs=1e-12
        )


def small(seed: int = 0) -> Deliveries:
    rng = np.random.default_rng(seed)
    stage = rng.integers(0, 2, 30)
    return Deliveries(
        y=rng.poisson(8, 30).astype(float),
        n=rng.uniform(50, 400, 30),
        channel=rng.integers(0, 2, 30),
        slot=rng.integers(0, 3, 30),
        stage=stage,
        stage_group=stage,
        asset=rng.integers(0, 6, 30),
        tags=(rng.random((6, 3)) < 0.5).astype(float),
        sizes=Sizes(channels=2, slots=3, stages=2, groups=2),
    )


def test_the_slope_is_the_derivative_of_the_objective() -> None:
    model = Posterior.of(small(), Priors())
    width = model.layout.width
    point = np.random.default_rng(1).normal(0, 0.3, width + 6)
    analytic = np.concatenate(model.slope(point[:width], point[width:]))
    numeric = optimize.approx_fprime(point, lambda at: model.value(at[:width], at[width:]), 1e-6)
    assert analytic == pytest.approx(numeric, rel=1e-3, abs=1e-2)


def test_the_covariance_is_the_inverse_of_the_slopes_slope() -> None:
    result = fit(small())
    width, at = (
        result.model.layout.width,
        np.concatenate([result.coefficients, result.asset_effects]),
    )
    curvature = np.empty((at.size, at.size))
    for column in range(at.size):
        step = np.zeros(at.size)
        step[column] = 1e-5
        ahead, behind = (
            np.concatenate(result.model.slope(p[:width], p[width:])) for p in (at + step, at - step)
        )
        curvature[:, column] = (behind - ahead) / 2e-5
    assert np.linalg.inv(curvature)[:width, :width] == pytest.approx(
        result.covariance, rel=1e-4, abs=1e-7
    )


def independent_loss(at: Floats, seen: Deliveries) -> float:
    """The same objective once more, term by term and without our design table."""
    level, channel, slot, stage = at[0], at[1:3], at[3:6], at[6:8]
    beta, delta, u = at[8:11], at[11:17].reshape(2, 3), at[17:]
    total = 0.0
    for d in range(len(seen)):
        x = seen.tags[seen.asset[d]]
        eta = (
            np.log(seen.n[d])
            + level
            + channel[seen.channel[d]]
            + slot[seen.slot[d]]
            + stage[seen.stage[d]]
        )
        eta += x @ (beta + delta[seen.stage_group[d]]) + u[seen.asset[d]]
        total -= seen.y[d] * eta - np.exp(eta)
    pooled = np.log((seen.y.sum() + 0.5) / seen.n.sum())
    cells = (channel**2).sum() + (slot**2).sum() + (stage**2).sum()
    total += 0.5 * 0.5 * cells + 0.5 * (level - pooled) ** 2 / 25
    return float(
        total
        + 0.5 * ((beta**2).sum() / 0.35**2 + (delta**2).sum() / 0.15**2 + (u**2).sum() / 0.25**2)
    )


def test_an_independent_optimiser_finds_the_same_mode() -> None:
    seen = small()
    found = optimize.minimize(
        independent_loss, np.r_[-3.0, np.zeros(22)], args=(seen,), method="L-BFGS-B"
    )
    result = fit(seen)
    ours = np.concatenate([result.coefficients, result.asset_effects])
    assert independent_loss(ours, seen) <= found.fun + 1e-9
    assert ours == pytest.approx(found.x, abs=5e-3)


ODD = {
    "nothing delivered": lambda d: d.where(np.array([], dtype=int)),
    "one delivery": lambda d: d.where(np.array([0])),
    "no response at all": lambda d: replace(d, y=np.zeros(30)),
    "one response in all": lambda d: replace(d, y=np.eye(1, 30).ravel()),
    "one cell": lambda d: replace(d, channel=d.channel * 0, slot=d.slot * 0, stage=d.stage * 0),
    "a tag that separates": lambda d: replace(d, y=d.y * (d.tags[d.asset, 0] == 0)),
    "a tag nobody carries": lambda d: replace(d, tags=d.tags * np.array([0.0, 1.0, 1.0])),
    "a tag all carry": lambda d: replace(d, tags=np.maximum(d.tags, np.array([1.0, 0.0, 0.0]))),
    "more responses than exposures": lambda d: replace(d, y=d.n * 50),
    "a whole city reached": lambda d: replace(d, n=d.n * 1e9, y=d.y * 1e7),
    "a hair of exposure": lambda d: replace(d, n=d.n * 1e-9),
    "one delivery dwarfs the rest": lambda d: replace(
        d, y=np.r_[1e9, d.y[1:]], n=np.r_[1e10, d.n[1:]]
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_input_still_ends_at_the_mode(name: str) -> None:
    seen = ODD[name](small())
    result = fit(seen)
    assert result.converged
    slope = np.concatenate(result.model.slope(result.coefficients, result.asset_effects))
    assert np.abs(slope).max() <= 1e-6 * max(1.0, float(seen.y.sum()))
    assert np.linalg.eigvalsh(result.covariance).min() > 0
    assert all(np.isfinite([e.lift, e.low, e.high, e.p]).all() for e in shown(result))


def test_without_any_response_no_tag_differs() -> None:
    assert all(e.low < 1 < e.high for e in shown(fit(ODD["no response at all"](small()))))


def test_a_separating_tag_is_low_but_not_absurd() -> None:
    effects = fit(ODD["a tag that separates"](small())).tag_effects()
    here = [e for (tag, _group), e in effects.items() if tag == 0 and e]
    assert here
    assert all(0.2 < e.lift < 1 for e in here)


IMPOSSIBLE = {
    "negative responses": {"y": np.full(30, -1.0)},
    "unknown responses": {"y": np.full(30, np.nan)},
    "no exposure": {"n": np.zeros(30)},
    "more exposure than people": {"n": np.full(30, 1e13)},
    "endless exposure": {"n": np.full(30, np.inf)},
    "channel out of range": {"channel": np.full(30, 2)},
    "asset out of range": {"asset": np.full(30, 6)},
    "half a slot": {"slot": np.full(30, 0.5)},
    "columns of unlike length": {"y": np.ones(29)},
    "tags beyond one": {"tags": np.full((6, 3), 2.0)},
    "tags without a table": {"tags": np.ones(6)},
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_input_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        replace(small(), **IMPOSSIBLE[name])


def test_priors_that_allow_anything_are_refused() -> None:
    with pytest.raises(ValueError):
        Priors(tag_sd=0.0)


def test_nothing_is_shown_under_three_assets_or_five_deliveries() -> None:
    rng = np.random.default_rng(3)
    asset = np.repeat(np.arange(8), 4)
    tags = np.zeros((8, 4))
    tags[:2, 0] = 1  # two assets with eight deliveries
    tags[[2, 3, 4], 1] = 1  # three assets with twelve
    tags[4:, 2] = 1
    chosen = ~(
        (asset >= 5) & (np.arange(32) % 4 > 0)
    )  # leaves one delivery of each of the last three
    tags[5:, 3] = 1  # three assets with three deliveries
    zeros = np.zeros(32, dtype=int)
    seen = Deliveries(
        y=rng.poisson(10, 32).astype(float), n=np.full(32, 100.0), channel=zeros, slot=zeros, stage=zeros,
        stage_group=zeros, asset=asset, tags=tags, sizes=Sizes(1, 1, 1, 2),
    ).where(chosen)  # fmt: skip
    effects = fit(seen).tag_effects()
    assert [effects[tag, 0] is None for tag in range(4)] == [True, False, False, True]
    assert all(effects[tag, 1] is None for tag in range(4))
    second = effects[1, 0]
    assert second
    assert (second.exposures, second.deliveries, second.assets) == (1200.0, 12, 3)


def test_expectation_follows_the_placement_and_the_tags() -> None:
    world = confounded(3)
    seen = world.seen["click"]
    result = fit(seen)
    expected = [result.expected(seen.placement(d)) for d in range(len(seen))]
    assert expected == pytest.approx(result.mean.tolist())
    assert sum(expected) == pytest.approx(seen.y.sum(), rel=0.01)
    nowhere = Placement(1000.0, channel=0, slot=0, stage=0, stage_group=0)
    best = int(np.argmax(world.effects["click"]))
    lift = result.expected(nowhere, tags=np.eye(12)[best]) / result.expected(
        nowhere, tags=np.zeros(12)
    )
    assert lift == pytest.approx(np.exp(0.6), rel=0.35)
    with pytest.raises(ValueError):
        result.expected(nowhere)


def test_a_large_library_is_fitted_in_seconds() -> None:
    rng = np.random.default_rng(1)
    size = 10_000
    stage = rng.integers(0, 6, size)
    seen = Deliveries(
        y=rng.poisson(20, size).astype(float),
        n=np.full(size, 400.0),
        channel=rng.integers(0, 8, size),
        slot=rng.integers(0, 21, size),
        stage=stage,
        stage_group=stage // 2,
        asset=rng.integers(0, 2000, size),
        tags=(rng.random((2000, 60)) < 0.08).astype(float),
        sizes=Sizes(8, 21, 6, 3),
    )
    start = time.perf_counter()
    result = fit(seen)
    effects = shown(result)
    assert time.perf_counter() - start < 12
    assert result.converged
    assert len(effects) == 180
