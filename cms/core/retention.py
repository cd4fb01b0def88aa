"""Removing what has been kept long enough."""

from sqlalchemy import Select, delete
from sqlalchemy.orm import InstrumentedAttribute

from cms.core.db import session, transaction

AT_ONCE = 1_000


def forget(old: Select[int], *keys: InstrumentedAttribute[int]) -> int:
    """Remove the rows whose key is among the ids that `old` selects, table after table.

    In short transactions, so that nobody waits for years of rows; how many ids there were.
    """
    removed = 0
    while True:
        with transaction():
            ids = session.scalars(old.limit(AT_ONCE)).all()
            for key in keys:
                session.execute(delete(key.class_).where(key.in_(ids)))
        removed += len(ids)
        if len(ids) < AT_ONCE:
            return removed
