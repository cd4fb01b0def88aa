"""What is really true in the demo world: the planted effects, and the rate they give a publication."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from cms.demo import pack

Effects = dict[str, float]  # outcome -> effect on the log scale


@dataclass(frozen=True)
class Placing:
    """Where a publication stood, as far as the truth cares."""

    stage: str
    stage_group: str
    hour: int
    pool_kind: str


@dataclass(frozen=True)
class Delay:
    """Minutes until a response: half answer within the median."""

    median_minutes: float
    sigma: float


@dataclass(frozen=True)
class Truth:
    """The planted numbers. Nothing in Seedbed's statistics reads them."""

    seed: int
    outcomes: tuple[str, ...]
    base: Effects
    noise_sd: float
    tags: dict[str, Effects]
    shifts: dict[tuple[str, str], Effects]  # (tag, stage group)
    stages: dict[str, Effects]
    hours: dict[int, Effects]
    pool_kinds: dict[str, Effects]
    delays: dict[str, Delay]
    favourite_tags: int
    favourite_log_odds: float
    previews: int
    scanner_share: float
    null_tags: tuple[str, ...]
    hidden: dict[str, tuple[str, ...]]  # article -> tags its front matter does not carry

    def rate(self, outcome: str, tags: Collection[str], placing: Placing) -> float:
        """Responses per exposed reader, before the asset's own noise."""
        parts = [
            self.stages[placing.stage],
            self.hours[min(self.hours, key=lambda hour: abs(hour - placing.hour))],
            self.pool_kinds[placing.pool_kind],
            *(self.tags.get(tag, {}) for tag in tags),
            *(self.shifts.get((tag, placing.stage_group), {}) for tag in tags),
        ]
        return self.base[outcome] * math.exp(sum(part.get(outcome, 0.0) for part in parts))

    def true_tags(self, name: str, carried: Collection[str]) -> frozenset[str]:
        """The tags an asset of the pack really has."""
        return frozenset(carried) | frozenset(self.hidden.get(name, ()))


@cache
def load() -> Truth:
    """The truth of the pack."""
    raw = pack.read("truth.yaml")
    return Truth(
        seed=raw["seed"],
        outcomes=tuple(raw["outcomes"]),
        base=raw["base"],
        noise_sd=raw["asset_noise_sd"],
        tags=raw["tags"],
        shifts={
            (row["tag"], row["stage_group"]): _effects(row, raw["outcomes"])
            for row in raw["stage_group_shifts"]
        },
        stages=raw["stages"],
        hours=raw["hours"],
        pool_kinds=raw["channel_kinds"],
        delays={name: Delay(**row) for name, row in raw["delays"].items()},
        favourite_tags=raw["readers"]["favourite_tags"],
        favourite_log_odds=raw["readers"]["favourite_log_odds"],
        previews=raw["noise"]["preview_fetches_per_publication"],
        scanner_share=raw["noise"]["scanner_share_of_publications"],
        null_tags=tuple(raw["null_tags"]),
        hidden=_hidden(raw["hidden_tags"]),
    )


def _effects(row: dict[str, Any], outcomes: list[str]) -> Effects:
    return {outcome: float(row.get(outcome, 0.0)) for outcome in outcomes}


def _hidden(rows: list[dict[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        found[row["asset"]] = (*found.get(row["asset"], ()), row["tag"])
    return found
