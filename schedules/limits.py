"""How long to wait after a carrier's answer, and after a try that did not get through."""

import random
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

from cms.core.clock import now

SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=6)
LONGEST_BACK_OFF = timedelta(minutes=5)
FIRST_BACK_OFF = timedelta(seconds=2)


def clamped(wait: timedelta) -> timedelta:
    """A carrier's wish how long to wait, never below a second nor above six hours."""
    return max(SHORTEST_WAIT, min(LONGEST_WAIT, wait))


def retry_after(header: str | None) -> timedelta | None:
    """Read a Retry-After header, seconds or a date, clamped; None when it says nothing usable."""
    text = (header or "").strip()
    if not text:
        return None
    digits = text.lstrip("-+")
    if digits.isascii() and digits.isdigit():
        seconds = min(int(digits[:12]), LONGEST_WAIT.total_seconds())
        return clamped(timedelta(seconds=-seconds if text.startswith("-") else seconds))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return clamped((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now())


def back_off(tries: int) -> timedelta:
    """How long to wait before the next try: doubling, bounded, spread so that nobody marches."""
    doubled = min(FIRST_BACK_OFF * 2 ** min(tries, 16), LONGEST_BACK_OFF)
    return doubled * random.uniform(0.5, 1.0)  # noqa: S311 - spreading, not secrecy
