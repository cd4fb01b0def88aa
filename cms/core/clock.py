"""The moment: one place that reads the clock, so that tests and the demo can hold it still."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_held: ContextVar[datetime | None] = ContextVar("held_moment", default=None)


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return _held.get() or datetime.now(UTC)


@contextmanager
def holding(moment: datetime) -> Iterator[None]:
    """Inside, `now()` is that moment: for telling a past, as the demo world does, never for posts."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a zone")
    token = _held.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _held.reset(token)
