"""Signs of life: each process writes a row every two seconds, so that a dead one can be named."""

import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from cms.core import clock
from cms.core.db import Model, session, transaction

log = structlog.get_logger(__name__)

BEAT_SECONDS = 2.0
ALIVE_WITHIN = timedelta(seconds=10)
KEPT_FOR = timedelta(days=1)


class ProcessBeat(Model):
    """One process: who it is, since when, and when it last said so."""

    __tablename__ = "process_beats"

    id: Mapped[str] = mapped_column(primary_key=True)  # host:kind:pid
    kind: Mapped[str] = mapped_column(index=True)  # web, clock, worker:<queue>, supervisor, broker
    host: Mapped[str]
    pid: Mapped[int]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


def latest() -> list[ProcessBeat]:
    """Every process that beat within the last day, by kind, the liveliest first."""
    rows = select(ProcessBeat).order_by(ProcessBeat.kind, ProcessBeat.beat_at.desc())
    return list(session.scalars(rows))


def alive(within: timedelta = ALIVE_WITHIN) -> list[ProcessBeat]:
    """The processes that gave a sign of life within that time."""
    floor = clock.now() - within
    rows = select(ProcessBeat).where(ProcessBeat.beat_at >= floor).order_by(ProcessBeat.kind)
    return list(session.scalars(rows))


def missing(expected: Mapping[str, int], within: timedelta = ALIVE_WITHIN) -> dict[str, int]:
    """How many processes of each expected kind give no sign of life; empty when all is well."""
    living = [beat.kind for beat in alive(within)]
    lacking = {kind: count - living.count(kind) for kind, count in expected.items()}
    return {kind: count for kind, count in lacking.items() if count > 0}


def expected(publish_workers: int) -> dict[str, int]:
    """What `flask up` runs, for `missing`: one of each kind, and as many publishers as set."""
    workers = {"worker:media": 1, "worker:index": 1, "worker:feedback": 1}
    return {"web": 1, "clock": 1, "worker:publish": publish_workers, **workers}


def prune() -> None:
    """Forget processes silent for a day."""
    with transaction() as current:
        current.execute(delete(ProcessBeat).where(ProcessBeat.beat_at < clock.now() - KEPT_FOR))


def last_beats(kinds: Iterable[str]) -> dict[str, datetime | None]:
    """The last sign of life of each kind, None for one never seen."""
    newest: dict[str, datetime | None] = dict.fromkeys(kinds)
    for beat in latest():
        if beat.kind in newest and newest[beat.kind] is None:
            newest[beat.kind] = beat.beat_at
    return newest


class HasContext(Protocol):
    """What a beat needs of the application: a context to open a session in."""

    def app_context(self) -> AbstractContextManager[Any]: ...


class Beat:
    """Beats in a thread of its own until stopped; a database that is away only delays it.

    With `stuck_after`, it falls silent when the main loop has not called `touch` for so long:
    a thread that beats while the work hangs would be a lie.
    """

    def __init__(self, app: HasContext, kind: str, *, stuck_after: float | None = None) -> None:
        self.app = app
        self.kind = kind
        self.stuck_after = stuck_after
        self.host = socket.gethostname()
        self.id = f"{self.host}:{kind}:{os.getpid()}"
        self._started_at = clock.now()
        self._detail: dict[str, Any] = {}
        self._touched = time.monotonic()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)
        self._is_in_trouble = False

    def start(self) -> "Beat":
        self._thread.start()
        return self

    def touch(self, **detail: Any) -> None:
        """Say that the main loop moves; what is given shows up beside the next beat."""
        self._touched = time.monotonic()
        self._detail = {**self._detail, **detail}

    def stop(self) -> None:
        """Say goodbye: a process that ended on purpose leaves no row behind."""
        self._ending.set()
        self._thread.join(timeout=2)
        self._try(self._forget)

    def _run(self) -> None:
        self._try(prune)
        while True:
            self._try(self._write)
            if self._ending.wait(BEAT_SECONDS):
                return

    def _try(self, step: Any) -> None:
        """A thread's door: trouble is told once, and again when it is over."""
        try:
            with self.app.app_context():
                step()
        except (SQLAlchemyError, OSError) as error:
            if not self._is_in_trouble:
                log.warning("beat_delayed", kind=self.kind, error=str(error))
            self._is_in_trouble = True
        else:
            if self._is_in_trouble:
                log.info("beat_resumed", kind=self.kind)
            self._is_in_trouble = False

    def _write(self) -> None:
        if self.stuck_after and time.monotonic() - self._touched > self.stuck_after:
            log.error("main_loop_stuck", kind=self.kind, seconds=self.stuck_after)
            return
        now = clock.now()
        with transaction() as current:
            touched = current.execute(
                update(ProcessBeat)
                .where(ProcessBeat.id == self.id)
                .values(beat_at=now, detail=self._detail)
                .execution_options(synchronize_session=False)
            )
            if isinstance(touched, CursorResult) and touched.rowcount == 0:
                current.add(self._row(now))

    def _row(self, now: datetime) -> ProcessBeat:
        return ProcessBeat(
            id=self.id,
            kind=self.kind,
            host=self.host,
            pid=os.getpid(),
            started_at=self._started_at,
            beat_at=now,
            detail=self._detail,
        )

    def _forget(self) -> None:
        with transaction() as current:
            current.execute(delete(ProcessBeat).where(ProcessBeat.id == self.id))
