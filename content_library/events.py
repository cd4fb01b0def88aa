"""Past facts about the library that upper floors, and the index, listen to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AssetRevised:
    """An asset has a new version; the first one included."""

    asset_id: int
    version_id: int


@dataclass(frozen=True)
class AssetStatusChanged:
    asset_id: int
    status: str


@dataclass(frozen=True)
class AssetTagged:
    """An asset's tags changed; `change_id` names the entry that says how and why."""

    asset_id: int
    tag_id: int
    change_id: int


@dataclass(frozen=True)
class AssetsMarked:
    """Some assets stand in the outbox of the search index."""
