"""The search index over the library: a projection of the database, never the truth."""

from content_library.search.document import SearchDocument
from content_library.search.engine import Hits, Index, IndexStatus, Matches
from content_library.search.fallback import like_condition
from content_library.search.generations import IndexBusy, IndexMissing
from content_library.search.highlight import Fragment, highlight
from content_library.search.query import Query, parse

__all__ = [
    "Fragment",
    "Hits",
    "Index",
    "IndexBusy",
    "IndexMissing",
    "IndexStatus",
    "Matches",
    "Query",
    "SearchDocument",
    "highlight",
    "like_condition",
    "parse",
]
