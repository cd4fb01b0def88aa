"""Empties a demo installation, and nothing but a demo installation."""

from sqlalchemy import Table, delete, func, select, update

from cms.accounts.models import User
from cms.core import storage
from cms.core.db import Model, session, transaction
from cms.core.errors import conflict
from cms.core.i18n import N_
from cms.demo.marks import mark
from content_library.models import Media
from feedback import ingest

# What belongs to the running processes and not to the world: their beats, their place in the journals,
# and when the nightly work was last done.
KEPT = frozenset({"process_beats", "journal_offsets", "periodic_runs", "alembic_version"})


def refuse_real_work() -> None:
    """Raise Conflict unless everything here may go: `not_a_demo`, `people_at_work`."""
    if mark() is None:
        raise conflict("not_a_demo", N_("This is no demo installation. Nothing was touched."))
    real = session.scalar(select(func.count()).select_from(User).where(User.is_demo.is_(False)))
    if real:
        raise conflict(
            "people_at_work",
            N_(
                "%(count)s people who are not part of the demo have accounts here. Nothing was touched."
            ),
            count=real,
        )


def wipe() -> int:
    """Remove every row of the demo world and its pictures; how many tables were emptied."""
    refuse_real_work()
    ingest.ingest()  # what lies in the journals belongs to the old world and must not enter the new one
    files = _files()
    with transaction():
        refuse_real_work()  # asked again under the write lock
        for table in _tables():
            _loosen(table)
            session.execute(delete(table))
    for key in files:
        storage.media().delete(key)
    session.expire_all()
    return len(_tables())


def _tables() -> list[Table]:
    """Those that others point at come last."""
    return [table for table in reversed(Model.metadata.sorted_tables) if table.name not in KEPT]


def _loosen(table: Table) -> None:
    """Let go of references within the table, which no order of deleting can satisfy."""
    for column in table.columns:
        if column.nullable and any(key.column.table is table for key in column.foreign_keys):
            session.execute(update(table).values({column.name: None}))


def _files() -> set[str]:
    keys: set[str] = set()
    for picture in session.scalars(select(Media)):
        keys.add(picture.file)
        keys |= {drawn["file"] for drawn in picture.renditions.values() if "file" in drawn}
    return keys
