"""Is everything well? A registry of checks, each of which states what it found, never a guess."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cms.core import beats, clock, demo_carriers, jobs
from cms.core.config import current
from cms.core.db import session
from cms.core.i18n import N_
from cms.core.registry import Registry
from cms.core.sentences import sentence

# What processes are called before people.
PROCESSES: Mapping[str, str] = {
    "supervisor": N_("Supervisor"),
    "broker": N_("Queue server"),
    "web": N_("Web"),
    "clock": N_("Clock"),
    demo_carriers.KIND: N_("Demo carriers"),
    "worker:publish": N_("Worker: publishing"),
    "worker:media": N_("Worker: media"),
    "worker:index": N_("Worker: search index"),
    "worker:feedback": N_("Worker: feedback"),
}


LEAPT = N_(
    "The time of %(hosts)s leapt ahead, so nothing is sent from there. Set the time right, or "
    "confirm it there with: flask clock --accept-jump"
)
FAILING = N_("Steps of the clock have been failing for a minute: %(steps)s. The log says why.")


class Level(StrEnum):
    WELL = "well"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """What one check found: a level, words for `sentences.worded`, what fills them, and bare figures."""

    level: Level
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A named question with a function that answers it."""

    slug: str
    label: str
    run: Callable[[], Finding]

    def find(self) -> Finding:
        """The answer; a database that is away is an answer too."""
        try:
            return self.run()
        except SQLAlchemyError as error:
            session.rollback()
            return Finding(
                Level.FAULT,
                N_("The database does not answer: %(fault)s"),
                {"fault": str(getattr(error, "orig", None) or type(error).__name__)},
            )


def examine() -> dict[str, Finding]:
    """Run every check, by slug."""
    return {check.slug: check.find() for check in CHECKS}


def worst(findings: Mapping[str, Finding]) -> Finding | None:
    """The first fault, else the first warning, else None."""
    for level in (Level.FAULT, Level.WARNING):
        for finding in findings.values():
            if finding.level is level:
                return finding
    return None


def _database() -> Finding:
    started = time.perf_counter()
    session.execute(text("SELECT 1"))
    took = (time.perf_counter() - started) * 1000
    return Finding(Level.WELL, N_("Answers."), figures={"answer_ms": round(took, 2)})


def _queue() -> Finding:
    try:
        waiting = {name.value: jobs.queue(name).count for name in jobs.QueueName}
    except RedisError:
        return Finding(
            Level.FAULT,
            N_("The queue server does not answer. No post is lost; they go out when it is back."),
        )
    return Finding(Level.WELL, N_("Answers."), figures={"waiting": waiting})


def _processes() -> Finding:
    seen = beats.latest()
    if not seen:
        return Finding(Level.FAULT, N_("No process has given a sign of life yet."))
    moment = clock.now()
    ages: dict[str, float] = {}
    for beat in seen:
        age = round((moment - beat.beat_at).total_seconds(), 1)
        ages[beat.kind] = min(age, ages.get(beat.kind, age))
    lacking = beats.missing(_expected())
    figures = {"seconds_since_beat": ages, "missing": lacking}
    if lacking:
        names = [_several(kind, count) for kind, count in sorted(lacking.items())]
        return Finding(
            Level.FAULT, N_("No sign of life from: %(names)s"), {"names": names}, figures
        )
    return Finding(Level.WELL, N_("All processes are alive."), figures=figures)


def _clock() -> Finding:
    """Whether every clock trusts its time and its steps succeed; which of them live is told above."""
    clocks = [beat for beat in beats.alive() if beat.kind == "clock"]
    doubting = sorted(beat.host for beat in clocks if beat.detail.get("is_paused"))
    failing = sorted({name for beat in clocks for name in beat.detail.get("failing_for_long", ())})
    figures = {"clocks_in_doubt": len(doubting), "steps_failing": len(failing)}
    if doubting:
        return Finding(Level.FAULT, LEAPT, {"hosts": doubting}, figures)
    if failing:
        return Finding(Level.FAULT, FAILING, {"steps": failing}, figures)
    return Finding(Level.WELL, N_("Keeps its pace."), figures=figures)


def _several(kind: str, count: int) -> dict[str, Any]:
    name = sentence(PROCESSES.get(kind, kind))
    return sentence("%(count)s × %(name)s", {"count": count, "name": name})


def _expected() -> dict[str, int]:
    """What `flask up` runs here; the demo carriers too once a demo is loaded."""
    own = beats.expected(current().publish_workers)
    return own | ({demo_carriers.KIND: 1} if demo_carriers.are_here() else {})


CHECKS: Registry[Check] = Registry(
    "check",
    Check("database", N_("Database"), _database),
    Check("queue", N_("Queue server"), _queue),
    Check("processes", N_("Processes"), _processes),
    Check("clock", N_("Clock"), _clock),
)


def add(checks: Iterable[Check]) -> None:
    """Take in a package's checks; asking twice changes nothing."""
    for check in checks:
        if check.slug not in CHECKS:
            CHECKS.add(check)
