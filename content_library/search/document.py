"""What one searchable thing offers to the index."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SearchDocument:
    """The words of one row, frozen, so that no database session is needed while indexing."""

    id: int
    title: str
    summary: str = ""
    body: str = ""
    tags: tuple[str, ...] = ()
    lang: str = ""
