"""Wakes the job that takes journals in, at most once a second, and never at a reader's cost."""

import threading
import time

from feedback import jobs

EVERY_SECONDS = 1.0
SLOW_SECONDS = 0.25
REST_SECONDS = 30.0

_lock = threading.Lock()
_next_at = 0.0


def tell() -> None:
    """Hint the job unless somebody did just now; the clock does so every two seconds anyway."""
    global _next_at
    started = time.monotonic()
    with _lock:
        if started < _next_at:
            return
        _next_at = started + EVERY_SECONDS
    jobs.hint()
    if time.monotonic() - started > SLOW_SECONDS:
        # The broker is away or ailing: readers must not wait for it again and again.
        _next_at = time.monotonic() + REST_SECONDS
