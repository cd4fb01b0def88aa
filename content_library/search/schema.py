"""The fields of the index and the version that makes an older one unreadable on purpose."""

from typing import Any

from whoosh.fields import NUMERIC, TEXT, Schema

from content_library.search.analysis import FIELD_BREAK, MixedAnalyzer
from content_library.search.document import SearchDocument

# Raise this whenever fields, folding, stemming or cutting change: the index is then rebuilt.
SCHEMA_VERSION = 1

# What a hit in these fields adds on top of a hit anywhere in the document.
BOOSTS = {"title": 3.0, "tags": 2.0}


def index_schema() -> Schema:
    """One field to match in, two small ones to rank by.

    A word may stand in any part of a document, so words are looked up in `text`, which holds all
    parts; asking each part by itself would cost as many times as much.
    """
    cut = MixedAnalyzer()
    ranking = {
        name: TEXT(analyzer=cut, phrase=False, stored=False, field_boost=boost)
        for name, boost in BOOSTS.items()
    }
    return Schema(
        id=NUMERIC(int, bits=64, unique=True, sortable=True, shift_step=0),
        text=TEXT(analyzer=cut, phrase=True, stored=False),
        **ranking,
    )


def fields_of(document: SearchDocument) -> dict[str, Any]:
    """The document as the index takes it; the breaks keep phrases from crossing two parts."""
    tags = FIELD_BREAK.join(document.tags)
    parts = (document.title, document.summary, tags, document.body)
    return {
        "id": document.id,
        "title": document.title,
        "tags": tags,
        "text": FIELD_BREAK.join(part for part in parts if part),
    }
