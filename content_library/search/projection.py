"""What the index is made from: each asset's current words, read from the database in batches."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cache

from sqlalchemy import select

from cms.core.config import current
from cms.core.db import session
from content_library.kinds import KINDS
from content_library.models import Asset, AssetTag, AssetVersion, Tag, TagAlias
from content_library.search.document import SearchDocument
from content_library.search.engine import Index

BATCH = 500


@cache
def _index(home: str) -> Index:
    return Index(current().home)


def index() -> Index:
    """The index of this installation."""
    return _index(str(current().home))


def documents(asset_ids: Collection[int]) -> list[SearchDocument]:
    """The documents of these assets as the database has them now; missing assets are left out."""
    rows = session.execute(
        select(
            Asset.id,
            Asset.kind,
            AssetVersion.title,
            AssetVersion.summary,
            AssetVersion.html,
            AssetVersion.content,
            AssetVersion.lang,
        )
        .join(AssetVersion, AssetVersion.asset_id == Asset.id)
        .where(AssetVersion.number == Asset.latest_number, Asset.id.in_(list(asset_ids)))
    ).all()
    words = _tag_words(asset_ids)
    return [
        SearchDocument(
            id=row.id,
            title=row.title,
            summary=row.summary,
            body=KINDS.get(row.kind).plain_text(row.html, row.content),
            tags=tuple(words[row.id]),
            lang=row.lang,
        )
        for row in rows
    ]


def everything() -> Iterator[SearchDocument]:
    """Every asset's document, lazily, a batch at a time."""
    last = 0
    while True:
        ids = session.scalars(
            select(Asset.id).where(Asset.id > last).order_by(Asset.id).limit(BATCH)
        ).all()
        if not ids:
            return
        yield from documents(ids)
        last = ids[-1]


def _tag_words(asset_ids: Collection[int]) -> dict[int, list[str]]:
    """Under which words the tags of each asset are known: both names and the aliases."""
    words: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        select(AssetTag.asset_id, Tag.name_en, Tag.name_zh, TagAlias.name)
        .join(Tag, Tag.id == AssetTag.tag_id)
        .outerjoin(TagAlias, TagAlias.tag_id == Tag.id)
        .where(AssetTag.asset_id.in_(list(asset_ids)))
    )
    for asset_id, *names in rows:
        words[asset_id] += [name for name in names if name and name not in words[asset_id]]
    return words
