"""Notices when the wall clock leaps, and keeps due-time work waiting until somebody confirms."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from cms.core import clock

log = structlog.get_logger(__name__)

NOTICED_FROM = timedelta(minutes=1)
REFUSED_FROM = timedelta(hours=1)
FLAG = "clock_jumped.json"


def steady_seconds() -> float:
    """Seconds that no clock setting moves and that go on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True)
class Jump:
    """The wall clock went from where it should have been to where it was found."""

    expected: datetime
    found: datetime

    @property
    def by(self) -> timedelta:
        return self.found - self.expected


class ClockGuard:
    """Closed after a leap forward of an hour or more: everything planned would go out at once.

    The flag file outlives the process, so that restarting the clock confirms nothing.
    """

    def __init__(
        self,
        home: Path,
        *,
        wall: Callable[[], datetime] = clock.now,
        steady: Callable[[], float] = steady_seconds,
    ) -> None:
        self._flag = home / FLAG
        self._wall = wall
        self._steady = steady
        self._trusted: timedelta | None = None  # wall minus steady; None: nothing to compare with
        self._was_closed = self._flag.exists()
        self.last_jump: Jump | None = None

    @property
    def is_closed(self) -> bool:
        return self._flag.exists()

    def look(self) -> Jump | None:
        """Compare both clocks; call it every second or so. Returns a leap just noticed."""
        if self.is_closed:
            self._was_closed = True
            self._reopen_if_back()
            return None
        offset = self._offset()
        trusted = offset if self._was_closed or self._trusted is None else self._trusted
        self._was_closed = False
        jump = self._jump(offset - trusted)
        if jump.by >= REFUSED_FROM:
            self._close(jump)
            return jump
        self._trusted = offset
        if abs(jump.by) < NOTICED_FROM:
            return None
        self.last_jump = jump
        log.warning("clock_jumped", seconds=jump.by.total_seconds(), found=jump.found.isoformat())
        return jump

    def _jump(self, by: timedelta) -> Jump:
        found = self._wall()
        return Jump(expected=found - by, found=found)

    def _close(self, jump: Jump) -> None:
        self.last_jump = jump
        moments = {"expected": jump.expected.isoformat(), "found": jump.found.isoformat()}
        self._flag.write_text(json.dumps(moments))
        log.critical(
            "clock_jumped_ahead",
            **moments,
            advice="due work waits; set the clock right, or confirm with: flask clock --accept-jump",
        )

    def _reopen_if_back(self) -> None:
        if self._trusted is not None and abs(self._offset() - self._trusted) < NOTICED_FROM:
            self._flag.unlink(missing_ok=True)
            log.warning("clock_came_back", found=self._wall().isoformat())

    def _offset(self) -> timedelta:
        found = self._wall()
        return found - datetime.fromtimestamp(self._steady(), found.tzinfo)


def accept_jump(home: Path) -> bool:
    """Confirm that the clock is right now; False when nothing was waiting for that."""
    flag = home / FLAG
    was_closed = flag.exists()
    flag.unlink(missing_ok=True)
    return was_closed
