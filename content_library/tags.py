"""What assets are tagged with: applying, withdrawing and undoing, every change kept with its reason."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, conflict
from cms.core.events import emit
from cms.core.i18n import N_
from content_library.events import AssetTagged
from content_library.models import Asset, AssetTag, Tag, TagChange, TagSource
from content_library.vocabulary import find

__all__ = ["apply", "change", "changes", "find", "link", "of", "undo", "withdraw"]


def link(asset: Asset, tag: Tag) -> AssetTag | None:
    """That the asset carries the tag, if it does."""
    return session.get(AssetTag, (asset.id, tag.id))


def of(asset: Asset) -> list[AssetTag]:
    """The asset's tags in the order of groups."""
    links = session.scalars(
        select(AssetTag)
        .where(AssetTag.asset_id == asset.id)
        .options(joinedload(AssetTag.tag).joinedload(Tag.group))
    ).all()
    return sorted(links, key=lambda one: (one.tag.group.position, one.tag.position, one.tag.id))


def changes(asset: Asset) -> Select[TagChange]:
    """The asset's changes, newest first, for the caller to page."""
    return (
        select(TagChange)
        .where(TagChange.asset_id == asset.id)
        .order_by(TagChange.id.desc())
        .options(joinedload(TagChange.tag), joinedload(TagChange.by))
    )


def change(change_id: int) -> TagChange:
    """The change of that id; raises NotFound."""
    found = session.get(TagChange, change_id)
    if found is None:
        raise NotFound("tag change")
    return found


def apply(
    asset: Asset,
    tag: Tag,
    *,
    source: TagSource = TagSource.HUMAN,
    confidence: float = 1.0,
    evidence: dict[str, Any] | None = None,
    by: User | None,
    model_version: str | None = None,
) -> TagChange | None:
    """Put the tag on the asset. None: nothing changed, as it was there or a person had decided.

    What a person said outranks every other source for ever: neither is their tag taken over, nor
    one they took away put back, unless a person (`by`) accepts what feedback proposed.
    """
    before = link(asset, tag)
    is_human = source is TagSource.HUMAN
    if not is_human and _person_decided(asset, tag, before, by):
        return None
    confidence = 1.0 if is_human else round(min(max(confidence, 0.0), 1.0), 4)
    if before and before.source is source and before.confidence == confidence:
        return None
    was = _snapshot(before)
    made = before or AssetTag(asset_id=asset.id, tag_id=tag.id)
    made.source, made.confidence = source, confidence
    made.evidence = evidence or {}
    made.decided_by_id, made.decided_at = (by.id if by else None), now()
    session.add(made)
    return _log(asset, tag, was, source, evidence, by, model_version)


def withdraw(
    asset: Asset,
    tag: Tag,
    *,
    source: TagSource = TagSource.HUMAN,
    evidence: dict[str, Any] | None = None,
    by: User | None,
    model_version: str | None = None,
) -> TagChange | None:
    """Take the tag off. None: it was not there, or a person put it there and no person takes it."""
    before = link(asset, tag)
    if before is None:
        return None
    if source is not TagSource.HUMAN and before.source is TagSource.HUMAN:
        return None
    was = _snapshot(before)
    session.delete(before)
    return _log(asset, tag, was, source, evidence, by, model_version)


def undo(change: TagChange, *, by: User | None) -> TagChange:
    """Put back exactly what was there before the change; raises Conflict when that is past."""
    asset, tag = change.asset, change.tag
    standing = link(asset, tag)
    if change.undone_at is not None:
        raise conflict("already_undone", N_("This change has been undone already."))
    if _snapshot(standing) != change.after:
        raise conflict(
            "changed_meanwhile", N_("The tag has been changed since, so this cannot be undone.")
        )
    was = _snapshot(standing)
    if change.before is None:
        session.delete(standing)
    else:
        _restore(asset, tag, standing, change.before)
    change.undone_at = now()
    evidence = {"undoes": change.id, "undoes_source": change.source.value}
    return _log(asset, tag, was, TagSource.HUMAN, evidence, by, None)


def _person_decided(asset: Asset, tag: Tag, before: AssetTag | None, by: User | None) -> bool:
    if before is not None and before.source is TagSource.HUMAN:
        return True
    return by is None and before is None and _was_refused(asset, tag)


def _was_refused(asset: Asset, tag: Tag) -> bool:
    """Whether the last word about a missing tag was a person's "no"."""
    past = session.scalars(
        select(TagChange)
        .where(TagChange.asset_id == asset.id, TagChange.tag_id == tag.id)
        .where(TagChange.undone_at.is_(None))
        .order_by(TagChange.id.desc())
    )
    for one in past:
        # Taking back one's own word leaves the question open again.
        if one.evidence.get("undoes_source") != TagSource.HUMAN:
            return one.source is TagSource.HUMAN and one.after is None
    return False


def _snapshot(link: AssetTag | None) -> dict[str, Any] | None:
    if link is None:
        return None
    return {
        "source": link.source.value,
        "confidence": link.confidence,
        "evidence": link.evidence,
        "decided_by_id": link.decided_by_id,
        "decided_at": link.decided_at.isoformat(),
    }


def _restore(asset: Asset, tag: Tag, standing: AssetTag | None, was: dict[str, Any]) -> None:
    row = standing or AssetTag(asset_id=asset.id, tag_id=tag.id)
    row.source, row.confidence = TagSource(was["source"]), was["confidence"]
    row.evidence, row.decided_by_id = was["evidence"], was["decided_by_id"]
    row.decided_at = datetime.fromisoformat(was["decided_at"])
    session.add(row)


def _log(  # noqa: PLR0917 - one row's columns, passed on within this module only
    asset: Asset,
    tag: Tag,
    before: dict[str, Any] | None,
    source: TagSource,
    evidence: dict[str, Any] | None,
    by: User | None,
    model_version: str | None,
) -> TagChange:
    session.flush()  # the snapshot must read what the database now holds
    session.expire(asset, ["tag_links"])
    made = TagChange(
        asset_id=asset.id,
        tag_id=tag.id,
        before=before,
        after=_snapshot(link(asset, tag)),
        source=source,
        evidence=evidence or {},
        model_version=model_version,
        by_id=by.id if by else None,
        at=now(),
    )
    session.add(made)
    session.flush()  # listeners and the audit trail name the change by its id
    action = "asset.tagged" if made.after else "asset.untagged"
    audit.record(action, asset, by=by, tag=tag.slug, source=source.value, change=made.id)
    emit(AssetTagged(asset.id, tag.id, made.id))
    return made
