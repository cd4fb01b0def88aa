"""Made-up libraries whose true tag effects are known, placed by people who follow the tags."""

from dataclasses import dataclass

import numpy as np

from feedback.statistics.arrays import Floats, Integers
from feedback.statistics.deliveries import Deliveries, Sizes

SIZES = Sizes(channels=3, slots=6, stages=6, groups=3)
RATES = {"click": 0.08, "like": 0.05, "collect": 0.03, "comment": 0.01}


@dataclass(frozen=True)
class World:
    """Truth and what was seen: effects (tags,), tags as recorded and as they are (assets, tags)."""

    effects: dict[str, Floats]
    true_tags: Floats
    seen: dict[str, Deliveries]


@dataclass(frozen=True)
class Places:
    """Cells and exposures of each delivery."""

    channel: Integers
    slot: Integers
    stage: Integers
    asset: Integers
    n: Floats


def choose(rng: np.random.Generator, leaning: Floats) -> Integers:
    """One choice for each row, likelier where the row leans."""
    gumbel = rng.gumbel(size=leaning.shape)
    return np.argmax(leaning + gumbel, axis=1)


def place(rng: np.random.Generator, tags: Floats, deliveries: int, *, pull: float) -> Places:
    """Deliveries whose cell follows the asset's tags, as a planner's does; pull 0 is chance."""
    asset = np.resize(rng.permutation(tags.shape[0]), deliveries)
    cells = [
        choose(rng, pull * tags[asset] @ rng.normal(size=(tags.shape[1], size)))
        for size in (SIZES.channels, SIZES.slots, SIZES.stages)
    ]
    return Places(*cells, asset=asset, n=np.round(rng.lognormal(6.3, 0.6, deliveries)))


def respond(
    rng: np.random.Generator,
    places: Places,
    tags: Floats,
    *,
    effects: Floats,
    quality: Floats,
    rate: float,
) -> Floats:
    """Responses under cell effects that matter more than the tags do."""
    cells = (
        rng.normal(0, 0.7, SIZES.channels)[places.channel]
        + rng.normal(0, 0.5, SIZES.slots)[places.slot]
        + rng.normal(0, 0.5, SIZES.stages)[places.stage]
    )
    own = tags[places.asset] @ effects + quality[places.asset]
    return rng.poisson(places.n * rate * np.exp(cells - cells.mean() + own - own.mean())).astype(
        float
    )


def gather(places: Places, y: Floats, tags: Floats) -> Deliveries:
    """The deliveries as the model is given them."""
    return Deliveries(
        y=y,
        n=places.n,
        channel=places.channel,
        slot=places.slot,
        stage=places.stage,
        stage_group=places.stage // 2,
        asset=places.asset,
        tags=tags,
        sizes=SIZES,
    )


def confounded(seed: int) -> World:
    """40 assets, 12 tags of which half do nothing, one outcome."""
    rng = np.random.default_rng(seed)
    effects = rng.permutation([0.6, 0.45, 0.3, -0.3, -0.45, -0.6] + [0.0] * 6)
    tags = (rng.random((40, 12)) < 0.3).astype(float)
    places = place(rng, tags, 400, pull=0.8)
    y = respond(rng, places, tags, effects=effects, quality=rng.normal(0, 0.25, 40), rate=0.04)
    return World({"click": effects}, tags, {"click": gather(places, y, tags)})


def mistagged(seed: int, *, missing: int = 6, wrong: int = 6) -> World:
    """80 assets, 10 tags, four outcomes with effects of their own; some tags forgotten, some set wrongly."""
    rng = np.random.default_rng(seed)
    effects = {outcome: rng.normal(0, 0.5, 10) for outcome in RATES}
    strong = np.argsort(-sum(np.abs(effect) for effect in effects.values()))[:5]
    truth = (rng.random((80, 10)) < 0.25).astype(float)
    faulty = rng.permutation(80)
    spoilt = rng.choice(strong, missing + wrong)
    lost, added = (
        (faulty[:missing], spoilt[:missing]),
        (faulty[missing : missing + wrong], spoilt[missing:]),
    )
    truth[lost], truth[added] = 1.0, 0.0
    recorded = truth.copy()
    recorded[lost], recorded[added] = 0.0, 1.0
    places = place(rng, truth, 960, pull=0.5)
    shared = rng.normal(0, 0.25, 80)
    seen = {}
    for outcome, rate in RATES.items():
        quality = np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(0, 0.25, 80)
        y = respond(rng, places, truth, effects=effects[outcome], quality=quality, rate=rate)
        seen[outcome] = gather(places, y, recorded)
    return World(effects, truth, seen)
