"""What the joint model is told: deliveries as arrays, one planned placement, and the prior spreads."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from .arrays import Booleans, Floats, Integers, counts, indices

MOST = 1e12
"""More responses or exposures than any audience has; beyond, doubles could not carry the priors beside them."""


@dataclass(frozen=True, slots=True)
class Priors:
    """Spreads on the log scale; a simulation showed under-coverage below 0.35 and 0.25, so do not go lower."""

    cell_precision: float = 0.5
    tag_sd: float = 0.35
    split_sd: float = 0.15
    asset_sd: float = 0.25

    def __post_init__(self) -> None:
        """Refuse spreads under which the model would be improper."""
        if min(self.cell_precision, self.tag_sd, self.split_sd, self.asset_sd) <= 0:
            raise ValueError("prior spreads and precisions must be positive")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one delivery stands: exposures and positions; asset None is one that was never delivered."""

    n: float
    channel: int
    slot: int
    stage: int
    stage_group: int
    asset: int | None = None


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many channels (channel × denominator kind), slots, stages and stage groups there are."""

    channels: int
    slots: int
    stages: int
    groups: int


@dataclass(frozen=True, slots=True)
class Deliveries:
    """One outcome's deliveries.

    y: responses, shape (deliveries,). n: matured exposures, shape (deliveries,), above zero. channel, slot, stage,
    stage_group, asset: positions, shape (deliveries,); the denominator kind is folded into the channel, since rates
    over different denominators may not share a level. tags: shape (assets, tags), 0 absent … 1 present; a fraction
    is a confidence. Raises ValueError when shapes disagree, a position is out of range or a number is impossible.
    """

    y: Floats
    n: Floats
    channel: Integers
    slot: Integers
    stage: Integers
    stage_group: Integers
    asset: Integers
    tags: Floats
    sizes: Sizes

    def __post_init__(self) -> None:
        """Coerce and check each array once, so that the fit need not."""
        tags = counts(self.tags, "tags")
        if tags.ndim != 2 or np.any(tags > 1):
            raise ValueError("tags must be an assets by tags table between 0 and 1")
        checked = {
            "y": counts(self.y, "y"),
            "n": counts(self.n, "n"),
            "channel": indices(self.channel, self.sizes.channels, "channel"),
            "slot": indices(self.slot, self.sizes.slots, "slot"),
            "stage": indices(self.stage, self.sizes.stages, "stage"),
            "stage_group": indices(self.stage_group, self.sizes.groups, "stage_group"),
            "asset": indices(self.asset, tags.shape[0], "asset"),
        }
        if {array.shape for array in checked.values()} != {(checked["y"].size,)}:
            raise ValueError("every delivery needs one value in each column")
        if np.any(checked["y"] > MOST) or np.any(checked["n"] > MOST):
            raise ValueError("y and n must be counts of people, at most a million million")
        if np.any(checked["n"] <= 0):
            raise ValueError("n must be above zero; leave out deliveries without exposure")
        for name, array in {**checked, "tags": tags}.items():
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        """Number of deliveries."""
        return int(self.y.size)

    def where(self, chosen: Booleans | Integers) -> Self:
        """The chosen deliveries, by mask or by positions, over the same assets and tags."""
        columns = ("y", "n", "channel", "slot", "stage", "stage_group", "asset")
        picked = {name: getattr(self, name)[chosen] for name in columns}
        return type(self)(**picked, tags=self.tags, sizes=self.sizes)

    def placement(self, index: int) -> Placement:
        """The placement of one delivery."""
        cell = (
            int(getattr(self, name)[index])
            for name in ("channel", "slot", "stage", "stage_group", "asset")
        )
        return Placement(float(self.n[index]), *cell)
