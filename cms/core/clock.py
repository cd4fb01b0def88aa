"""The moment: one place that reads the clock, so that tests can hold it still."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)
