"""Work that time asks for: what runs every few seconds, and what runs once a night."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, mapped_column

from cms.core import clock
from cms.core.db import Model, session, transaction
from cms.core.jobs import JOBS, Job

CLAIM_MARGIN = timedelta(minutes=10)


class PeriodicRun(Model):
    """One nightly job: when some clock last asked for it, and when it last ran to its end."""

    __tablename__ = "periodic_runs"

    name: Mapped[str] = mapped_column(primary_key=True)
    claimed_at: Mapped[datetime | None]
    last_run_at: Mapped[datetime]


@dataclass(frozen=True)
class Tick:
    """A function the clock calls every so many seconds, in an application context of its own."""

    name: str
    every: float
    function: Callable[[], object]
    is_guarded: bool  # pauses while the wall clock is in doubt


@dataclass(frozen=True)
class Nightly:
    """A job asked for once after that wall time of each day, in the workspace's zone."""

    job: Job
    at: time


TICKS: dict[str, Tick] = {}
NIGHTLY: dict[str, Nightly] = {}


def tick(
    *, every: float = 1.0, guarded: bool = False
) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Declare in a package's jobs.py: `@tick(every=1)`. It must be quick: hand work to a job.

    `guarded=True` for whatever acts on due times: it waits when the clock has leapt ahead.
    """

    def declare(function: Callable[[], object]) -> Callable[[], object]:
        name = f"{function.__module__}.{function.__name__}"
        TICKS[name] = Tick(name, every, function, guarded)
        return function

    return declare


def nightly(*, at: time) -> Callable[[Job], Job]:
    """Declare above `@job(...)`: some clock asks for it once a day; unfinished, it is asked again."""

    def declare(job: Job) -> Job:
        @wraps(job.function)
        def run(*args: Any) -> Any:
            result = job.function(*args)
            _note_end(job.name)
            return result

        noting = replace(job, function=run)
        JOBS[job.name] = noting
        NIGHTLY[job.name] = Nightly(noting, at)
        return noting

    return declare


def ask_for_nightly(zone: ZoneInfo) -> list[str]:
    """Enqueue each nightly job whose time has come and that no other clock asked for; their names."""
    asked = []
    for name, entry in NIGHTLY.items():
        due = _last_due(entry.at, zone)
        if not _is_waiting(name, due):
            continue
        with transaction():
            if _claim(entry.job, due):
                entry.job.enqueue()
                asked.append(name)
    return asked


def _is_waiting(name: str, due: datetime) -> bool:
    """A read first, so that the clock takes the write lock only when there is something to claim."""
    run = session.get(PeriodicRun, name)
    return run is None or run.last_run_at < due


def _claim(job: Job, due: datetime) -> bool:
    now = clock.now()
    if session.get(PeriodicRun, job.name) is None:
        # A new installation owes nothing for nights before it existed.
        session.add(PeriodicRun(name=job.name, claimed_at=None, last_run_at=now))
        return False
    lapsed = now - CLAIM_MARGIN - timedelta(seconds=job.timeout)
    claimed = session.execute(
        update(PeriodicRun)
        .where(PeriodicRun.name == job.name, PeriodicRun.last_run_at < due)
        .where(or_(PeriodicRun.claimed_at.is_(None), PeriodicRun.claimed_at < lapsed))
        .values(claimed_at=now)
        .execution_options(synchronize_session=False)
    )
    return isinstance(claimed, CursorResult) and claimed.rowcount == 1


def _note_end(name: str) -> None:
    with transaction():
        run = session.scalar(select(PeriodicRun).where(PeriodicRun.name == name))
        if run is None:
            session.add(PeriodicRun(name=name, claimed_at=None, last_run_at=clock.now()))
        else:
            run.last_run_at, run.claimed_at = clock.now(), None


def _last_due(at: time, zone: ZoneInfo) -> datetime:
    """The latest moment, not after now, when the zone's clocks showed that time."""
    now = clock.now().astimezone(zone)
    due = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return due if due <= now else due - timedelta(days=1)
