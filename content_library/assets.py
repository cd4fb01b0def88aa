"""Assets: finding them, and everything one can do with one: create, revise, restore, retire."""

from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import select

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Conflict, NotFound, Problem, conflict
from cms.core.events import emit
from cms.core.i18n import N_
from content_library import versions, where_used
from content_library.events import AssetRevised, AssetStatusChanged
from content_library.kinds import KINDS, AssetFields, Composed, MediaUse
from content_library.models import Asset, AssetStatus, AssetVersion, TagChange, VersionMedia
from content_library.versions import current
from content_library.where_used import Use

__all__ = [
    "AssetFields",
    "AssetInUse",
    "MediaUse",
    "by_source_key",
    "create",
    "current",
    "delete",
    "fields_of",
    "get",
    "problems_told",
    "restore",
    "retire",
    "revise",
    "set_status",
]


class AssetInUse(Conflict):
    """Refused because of `uses`, which whoever tells it should list."""

    def __init__(self, uses: list[Use]) -> None:
        super().__init__(
            Problem(
                "asset_in_use",
                N_("%(count)s posts use this asset. Replace it there or drop them first."),
                {"count": len(uses)},
            )
        )
        self.uses = uses


def get(asset_id: int) -> Asset:
    """The asset of that id; raises NotFound."""
    asset = session.get(Asset, asset_id)
    if asset is None:
        raise NotFound("asset")
    return asset


def by_source_key(key: str) -> Asset | None:
    """What an importer made under that name, if it did."""
    return session.scalar(select(Asset).where(Asset.source_key == key))


def create(
    kind: str,
    fields: AssetFields,
    *,
    by: User | None,
    status: AssetStatus = AssetStatus.DRAFT,
    source_key: str | None = None,
) -> Asset:
    """A new asset with its first version; raises Invalid with every fault found."""
    composed = KINDS.get(kind).compose(fields)
    moment = now()
    asset = Asset(
        kind=kind,
        status=status,
        title=composed.title,
        lang=composed.lang,
        source_key=source_key,
        owner_id=by.id if by else None,
        created_at=moment,
        updated_at=moment,
    )
    _describe(asset, fields)
    session.add(asset)
    session.flush()  # the version and the audit trail need the asset's id
    version = _add_version(asset, composed, fields.note, by=by)
    audit.record("asset.created", asset, by=by, kind=kind, title=asset.title)
    emit(AssetRevised(asset.id, version.id))
    return asset


def revise(
    asset: Asset, fields: AssetFields, *, expected_number: int, by: User | None
) -> AssetVersion:
    """A new version from the fields, or the current one when they say nothing new.

    Raises Conflict `changed_meanwhile` when the asset has moved on from `expected_number`.
    """
    _lock(asset)
    if asset.latest_number != expected_number:
        raise conflict(
            "changed_meanwhile",
            N_(
                "Somebody saved version %(number)s of this asset meanwhile. Compare, then save again."
            ),
            number=asset.latest_number,
        )
    composed = KINDS.get(asset.kind).compose(fields)
    before = current(asset)
    is_described = _describe(asset, fields)
    if _says_same(before, composed):
        if is_described:
            asset.updated_at = now()
            audit.record("asset.described", asset, by=by)
        return before
    version = _add_version(asset, composed, fields.note, by=by)
    asset.title, asset.lang, asset.updated_at = composed.title, composed.lang, version.created_at
    audit.record("asset.revised", asset, by=by, number=version.number)
    emit(AssetRevised(asset.id, version.id))
    return version


def restore(asset: Asset, number: int, *, expected_number: int, by: User | None) -> AssetVersion:
    """Make what version `number` said the asset's newest version."""
    old = versions.numbered(asset, number)
    return revise(asset, fields_of(asset, old), expected_number=expected_number, by=by)


def fields_of(asset: Asset, version: AssetVersion | None = None) -> AssetFields:
    """What a version was made from, for a form to start with."""
    version = version or current(asset)
    uses = {
        link.role: MediaUse(link.media, link.role, link.alt)
        for link in version.media_links
        if link.role != "inline"
    }
    return AssetFields(
        title=version.title,
        summary=version.summary,
        body=version.body,
        lang=version.lang,
        url=version.content.get("url", ""),
        duration=version.content.get("duration", ""),
        cover=uses.get("cover"),
        poster=uses.get("poster"),
        images=version.content.get("images", {}),
        source=asset.source,
        rights=asset.rights,
        valid_from=asset.valid_from,
        valid_until=asset.valid_until,
    )


def problems_told(version: AssetVersion) -> list[Problem]:
    """What the author of the version must hear was taken out of it at save."""
    return [Problem(**told) for told in version.content.get("told", [])]


def set_status(asset: Asset, status: AssetStatus, *, by: User | None) -> None:
    """Move between draft, ready and retired; retiring is refused while posts wait to use it."""
    _lock(asset)
    before = asset.status
    if before is status:
        return
    if status is AssetStatus.RETIRED and (waiting := where_used.pending(asset.id)):
        raise AssetInUse(waiting)
    asset.status, asset.updated_at = status, now()
    audit.record("asset.status_changed", asset, by=by, before=before, after=status)
    emit(AssetStatusChanged(asset.id, status))


def retire(asset: Asset, *, by: User | None) -> None:
    """Keep the asset and its history, offer it no longer."""
    set_status(asset, AssetStatus.RETIRED, by=by)


def delete(asset: Asset, *, by: User | None) -> None:
    """Remove an asset that nothing has ever used, with its versions and tags."""
    _lock(asset)
    if used := where_used.uses(asset.id):
        raise AssetInUse(used)
    audit.record("asset.deleted", asset, by=by, kind=asset.kind, title=asset.title)
    session.execute(delete_rows(TagChange).where(TagChange.asset_id == asset.id))
    for version in list(asset.versions):
        session.delete(version)
    session.flush()  # versions point at the asset, so they go first
    session.delete(asset)


def _lock(asset: Asset) -> None:
    """Nobody else saves while we compare; SQLite's one writer needs no more, PostgreSQL does."""
    session.refresh(asset, with_for_update=True)


def _describe(asset: Asset, fields: AssetFields) -> bool:
    """What belongs to the asset, not to a version; whether any of it changed."""
    has_changed = False
    for name in ("source", "rights", "valid_from", "valid_until"):
        value = getattr(fields, name)
        if getattr(asset, name) != value:
            setattr(asset, name, value)
            has_changed = True
    return has_changed


def _add_version(asset: Asset, composed: Composed, note: str, *, by: User | None) -> AssetVersion:
    number = asset.latest_number + 1
    version = AssetVersion(
        asset_id=asset.id,
        number=number,
        title=composed.title,
        summary=composed.summary,
        body=composed.body,
        html=composed.html,
        lang=composed.lang,
        content=_content(composed),
        note=note,
        created_at=now(),
        created_by_id=by.id if by else None,
    )
    for position, use in enumerate(composed.media):
        version.media_links.append(
            VersionMedia(media_id=use.media.id, role=use.role, alt=use.alt, position=position)
        )
    session.add(version)
    asset.latest_number = number
    session.flush()  # events and audit name the version by its id
    session.expire(asset, ["versions"])
    return version


def _content(composed: Composed) -> dict[str, Any]:
    told = [
        {"code": problem.code, "message": problem.message, "params": dict(problem.params)}
        for problem in composed.told
    ]
    return composed.content | ({"told": told} if told else {})


def _says_same(version: AssetVersion, composed: Composed) -> bool:
    before = {(link.media_id, link.role, link.alt) for link in version.media_links}
    after = {(use.media.id, use.role, use.alt) for use in composed.media}
    return before == after and all(
        getattr(version, name) == value
        for name, value in (
            ("title", composed.title),
            ("summary", composed.summary),
            ("lang", composed.lang),
            ("body", composed.body),
            ("html", composed.html),
            ("content", _content(composed)),
        )
    )
