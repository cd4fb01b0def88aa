"""Which weeks a report speaks of: bounded, so that no page grows with all of history."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from cms.core.clock import now
from cms.core.config import current

WEEKS = (1, 4, 12, 26)
USUAL = 4


@dataclass(frozen=True)
class Period:
    """Whole days in the workspace's zone, the last one included."""

    first: date
    last: date

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), current().zone)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), current().zone)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def last_weeks(weeks: int) -> Period:
    """That many times seven days up to and including today; other numbers than offered become 4."""
    today = now().astimezone(current().zone).date()
    weeks = weeks if weeks in WEEKS else USUAL
    return Period(today - timedelta(days=7 * weeks - 1), today)
