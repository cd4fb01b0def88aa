"""Where an asset is used: a question to the floors above, which answer through a registry."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cms.core.registry import Registry


@dataclass(frozen=True)
class Use:
    """One use of an asset. `is_pending`: it has yet to happen and needs the asset to stay."""

    noun: str
    id: int
    title: str
    at: datetime | None
    state: str
    version_number: int
    is_pending: bool


class AssetUses(ABC):
    """One upper floor's answer to "who uses these assets?"."""

    slug: ClassVar[str]

    @abstractmethod
    def of(self, asset_id: int) -> list[Use]:
        """Every use of the asset, newest first."""

    @abstractmethod
    def last_used(self, asset_ids: Collection[int]) -> dict[int, datetime]:
        """When each asset was last, or will next be, put before readers; unused ones left out."""


USES: Registry[AssetUses] = Registry("use of assets")


def uses(asset_id: int) -> list[Use]:
    """Every use of the asset that any floor knows of."""
    return [use for member in USES for use in member.of(asset_id)]


def pending(asset_id: int) -> list[Use]:
    """Uses that have yet to happen: while there are any, the asset must stay as it is."""
    return [use for use in uses(asset_id) if use.is_pending]


def last_used(asset_ids: Collection[int]) -> dict[int, datetime]:
    """The latest moment of use of each asset; one query per answering floor."""
    latest: dict[int, datetime] = {}
    for member in USES:
        for asset_id, at in member.last_used(asset_ids).items():
            latest[asset_id] = max(at, latest.get(asset_id, at))
    return latest
