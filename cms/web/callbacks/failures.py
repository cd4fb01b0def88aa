"""Who has lately knocked in vain: after a number of wrong calls they wait for a while.

Right calls are never counted, so that a carrier with much to tell is not held up.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

MOST = 30
WITHIN = 60.0  # seconds
REMEMBERED = 2_000  # knockers; the one unheard of for longest is forgotten first


class Failures:
    """Counted in this process alone: several processes let through several times as many."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def too_many(self, knocker: str) -> bool:
        with self._lock:
            return len(self._recent(knocker)) >= MOST

    def note(self, knocker: str) -> None:
        with self._lock:
            moments = self._recent(knocker)
            moments.append(self._steady())
            self._seen[knocker] = moments
            self._seen.move_to_end(knocker)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._seen.clear()

    def _recent(self, knocker: str) -> deque[float]:
        moments = self._seen.get(knocker, deque(maxlen=MOST))
        while moments and moments[0] <= self._steady() - WITHIN:
            moments.popleft()
        return moments
