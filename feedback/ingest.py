"""Takes the journals into the database: rows and the place read up to move in one transaction."""

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.faults import declare, fault
from feedback import events, journal
from feedback.facts import Fact
from feedback.models import JournalOffset

log = structlog.get_logger(__name__)

CHUNK_BYTES = 256 * 1024

declare("ingest.before_commit", "ingest.after_commit")


def ingest() -> int:
    """Read every journal to its end; how many events were new. Safe to run any number at once."""
    stored = 0
    for path in journal.files():
        while True:
            taken = _take_chunk(path.name)
            if taken is None:
                break
            stored += taken
        _tidy(path.name)
    return stored


def backlog() -> int:
    """Bytes written to journals and not yet read."""
    read = {row.file: row.offset for row in session.scalars(select(JournalOffset))}
    waiting = 0
    for path in journal.files():
        try:
            waiting += max(0, path.stat().st_size - read.get(path.name, 0))
        except FileNotFoundError:
            continue
    return waiting


def _take_chunk(name: str) -> int | None:
    """Store the next lines; None when there are none."""
    path = journal.folder() / name
    if not journal.read(path, _offset(name), 1).lines:
        return None
    with transaction():
        place = _locked(name)
        chunk = journal.read(path, place.offset, CHUNK_BYTES)
        if not chunk.lines:
            return None
        stored = events.store(_facts(name, chunk.lines))
        place.offset, place.updated_at = chunk.end, now()
        session.flush()
        fault("ingest.before_commit")
    fault("ingest.after_commit")
    return stored


def _offset(name: str) -> int:
    found = select(JournalOffset.offset).where(JournalOffset.file == name)
    return session.scalar(found) or 0


def _locked(name: str) -> JournalOffset:
    """The file's row, held until commit, so that two readers never store the same lines at once."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    new = insert(JournalOffset).values(file=name, offset=0, updated_at=now())
    session.execute(new.on_conflict_do_nothing())
    found = select(JournalOffset).where(JournalOffset.file == name).with_for_update()
    return session.scalars(found.execution_options(populate_existing=True)).one()


def _facts(name: str, lines: tuple[bytes, ...]) -> list[Fact]:
    facts = []
    for line in lines:
        try:
            facts.append(Fact.from_line(line))
        except ValueError as error:  # a torso left by a full disk; it was never acknowledged
            log.warning("journal_line_dropped", file=name, error=str(error), bytes=len(line))
    return facts


def _tidy(name: str) -> None:
    """Remove what is read and closed; the row goes after the file, so a kill between costs nothing."""
    if journal.remove_if_abandoned(journal.folder() / name, _offset(name)):
        with transaction():
            session.execute(delete(JournalOffset).where(JournalOffset.file == name))
