"""Runs migrations inside the application's own engine; batch mode, so that SQLite can follow."""

from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import JSON, Enum

from cms.core.db import UTCDateTime

db = current_app.extensions["migrate"].db


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types by the names they have in cms.core.db; states as plain text."""
    if kind != "type":
        return False
    if isinstance(item, UTCDateTime):
        return "cms.core.db.UTCDateTime()"
    if isinstance(item, JSON):
        return "cms.core.db.Json"
    if isinstance(item, Enum):
        return f"sa.String({item.length})"
    return False


def run() -> None:
    """Bring the database from where it is to where the command says, in one transaction."""
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


if context.is_offline_mode():
    raise SystemExit("Seedbed migrates a live database only: flask db upgrade")
run()
