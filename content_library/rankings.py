"""Orders of assets by what readers did: a registry that upper floors fill."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Select

from cms.core.registry import Registry


@dataclass(frozen=True)
class RankedValue:
    """A figure with the interval and the sample without which it would mislead.

    `unit` is "rate" (0 to 1) or "count".
    """

    value: float
    low: float | None
    high: float | None
    sample: int
    unit: str


class Ranking(ABC):
    """One order. It joins what it orders by; assets without a figure must stay in, and come last."""

    slug: ClassVar[str]
    label: ClassVar[str]

    @abstractmethod
    def join(self, rows: Select[Any]) -> Select[Any]:
        """The select over assets with the order's own tables joined to it, one row an asset."""

    @abstractmethod
    def order_by(self) -> list[Any]:
        """Best first."""

    @abstractmethod
    def values(self, asset_ids: Collection[int]) -> dict[int, RankedValue]:
        """The figures of these assets, to be shown beside them; one query."""


RANKINGS: Registry[Ranking] = Registry("ranking")
