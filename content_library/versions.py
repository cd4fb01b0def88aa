"""Versions of an asset: what was said at each save, found, compared and numbered."""

from dataclasses import dataclass
from difflib import SequenceMatcher

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, selectinload

from cms.core.db import session
from cms.core.errors import NotFound
from content_library.models import Asset, AssetVersion, VersionMedia


@dataclass(frozen=True)
class Line:
    """One line of a comparison: `sign` is "same", "added" or "removed"."""

    sign: str
    text: str


def get(version_id: int) -> AssetVersion:
    """The version of that id, whichever asset it belongs to; raises NotFound."""
    version = session.get(AssetVersion, version_id)
    if version is None:
        raise NotFound("version")
    return version


def numbered(asset: Asset, number: int) -> AssetVersion:
    """The asset's version of that number; raises NotFound."""
    version = session.scalar(
        select(AssetVersion).where(AssetVersion.asset_id == asset.id, AssetVersion.number == number)
    )
    if version is None:
        raise NotFound("version")
    return version


def current(asset: Asset) -> AssetVersion:
    """What the asset says now."""
    return numbered(asset, asset.latest_number)


def of(asset: Asset) -> Select[AssetVersion]:
    """The asset's versions, newest first, for the caller to page."""
    return (
        select(AssetVersion)
        .where(AssetVersion.asset_id == asset.id)
        .order_by(AssetVersion.number.desc())
        .options(selectinload(AssetVersion.created_by))
    )


def current_of(asset_ids: list[int]) -> dict[int, AssetVersion]:
    """The current version of each asset with its pictures, in two queries."""
    rows = session.scalars(
        select(AssetVersion)
        .join(AssetVersion.asset)
        .where(Asset.id.in_(asset_ids), AssetVersion.number == Asset.latest_number)
        .options(
            contains_eager(AssetVersion.asset),
            selectinload(AssetVersion.media_links).joinedload(VersionMedia.media),
        )
    )
    return {version.asset_id: version for version in rows}


def compare(before: str, after: str) -> list[Line]:
    """Two texts line by line, removed lines before the added ones that replace them."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[Line] = []
    for sign, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if sign == "equal":
            lines += [Line("same", text) for text in old[a:b]]
            continue
        lines += [Line("removed", text) for text in old[a:b]]
        lines += [Line("added", text) for text in new[c:d]]
    return lines
