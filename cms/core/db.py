"""The database: base class, column types, and the one word that opens a transaction."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Dialect, Engine, Enum, MetaData, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.types import TypeDecorator

BUSY_TIMEOUT_MS = 15_000
POSTGRES_DISK_FULL = "53100"

_is_writing: ContextVar[bool] = ContextVar("is_writing", default=False)


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: aware going in, UTC at rest, aware coming out, on every database alike."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: say which zone it is in")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def by_value(states: type[StrEnum]) -> Enum:
    """A column type that stores the enum's value as text, checked in Python."""
    return Enum(
        states,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=False,
        validate_strings=True,
        length=32,
    )


class Base(DeclarativeBase):
    """Root of all tables; constraint names follow one pattern so that migrations can name them."""

    registry = registry(
        type_annotation_map={datetime: UTCDateTime(), dict[str, Any]: Json, list[Any]: Json},
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
    )


db = SQLAlchemy(model_class=Base)
session = db.session

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


@contextmanager
def transaction() -> Iterator[Session]:
    """Open a transaction, or join the one already open; commit at the outermost end.

    Rows read before are read again inside, so decisions rest on what the write lock protects.
    Effects given to `after_commit` run once the outermost block has committed, and never otherwise.
    """
    current: Session = session()
    if "effects" in current.info:
        yield current
        return
    if current.new or current.dirty or current.deleted:
        raise RuntimeError("rows were changed outside transaction()")
    current.commit()  # ends the read transaction that lazy loading began; nothing is pending
    effects: list[Callable[[], object]] = []
    current.info["effects"] = effects
    token = _is_writing.set(True)
    try:
        current.connection()  # takes the write lock now, not at the first change
        yield current
        current.commit()
    except BaseException:
        current.rollback()
        raise
    finally:
        _is_writing.reset(token)
        current.info.pop("effects", None)
    for effect in effects:
        effect()


def give_back() -> None:
    """End the read transaction that a finder began: no connection waits while others are called."""
    current: Session = session()
    if "effects" in current.info:
        raise RuntimeError("a transaction is open: call nobody from inside it")
    if current.new or current.dirty or current.deleted:
        raise RuntimeError("rows were changed outside transaction()")
    current.commit()


def after_commit(effect: Callable[[], object]) -> None:
    """Have the effect run when the open transaction has committed; at once when none is open.

    Capture ids, never rows: the effect may run long after the row has changed.
    """
    effects = session().info.get("effects")
    if effects is None:
        effect()
    else:
        effects.append(effect)


def lacks_room(error: DBAPIError) -> bool:
    """Whether the database refused because the disk took no more, on every database alike."""
    told = error.orig
    return (
        getattr(told, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(told, "sqlstate", None) == POSTGRES_DISK_FULL
    )


@event.listens_for(Session, "before_flush")
def _refuse_stray_changes(current: Session, _context: Any, _instances: Any) -> None:
    """A change outside transaction() would be lost or, worse, join somebody else's commit."""
    if "effects" not in current.info and (current.new or current.dirty or current.deleted):
        raise RuntimeError("rows were changed outside transaction()")


@event.listens_for(Engine, "connect")
def _prepare_connection(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # BEGIN is ours, or savepoints would not hold
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -16000",
    ):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Any) -> None:
    """On SQLite a writer queues for the lock at BEGIN; a late upgrade could not wait for it."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _is_writing.get() else "BEGIN")
