"""Nightly jobs: asked for once a night by however many clocks, asked again when unfinished."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask

from cms.core import jobs, ticks
from cms.core.db import session
from cms.core.ticks import NIGHTLY, PeriodicRun, ask_for_nightly

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = datetime(2026, 11, 2, 3, 30, tzinfo=ZONE).astimezone(UTC)
runs: list[str] = []


def sweep() -> None:
    runs.append("swept")


@pytest.fixture(autouse=True)
def nightly_job(monkeypatch: pytest.MonkeyPatch) -> Iterator[jobs.Job]:
    before = dict(NIGHTLY)
    NIGHTLY.clear()
    runs.clear()
    declared = ticks.nightly(at=time(3, 30))(jobs.job(queue=jobs.QueueName.FEEDBACK)(sweep))
    yield declared
    NIGHTLY.clear()
    NIGHTLY.update(before)
    del jobs.JOBS[declared.name]


def test_a_new_installation_owes_nothing(app: Flask) -> None:
    with time_machine.travel(NIGHT + timedelta(hours=8), tick=False):
        assert ask_for_nightly(ZONE) == []
        assert ask_for_nightly(ZONE) == []


def test_asked_for_once_after_its_hour(app: Flask, nightly_job: jobs.Job) -> None:
    with time_machine.travel(NIGHT - timedelta(hours=1), tick=False):
        ask_for_nightly(ZONE)
    with time_machine.travel(NIGHT - timedelta(seconds=1), tick=False):
        assert ask_for_nightly(ZONE) == []
    with time_machine.travel(NIGHT + timedelta(seconds=1), tick=False):
        assert ask_for_nightly(ZONE) == [nightly_job.name]
        assert ask_for_nightly(ZONE) == [], "another clock, a moment later"


def test_asked_again_when_nobody_finished_it(app: Flask, nightly_job: jobs.Job) -> None:
    with time_machine.travel(NIGHT - timedelta(hours=1), tick=False):
        ask_for_nightly(ZONE)
    with time_machine.travel(NIGHT + timedelta(seconds=1), tick=False):
        ask_for_nightly(ZONE)
    with time_machine.travel(NIGHT + timedelta(minutes=15), tick=False):
        assert ask_for_nightly(ZONE) == [nightly_job.name]
        jobs.run_job(nightly_job.name)
    assert runs == ["swept"]
    with time_machine.travel(NIGHT + timedelta(hours=5), tick=False):
        assert ask_for_nightly(ZONE) == []
        run = session.get(PeriodicRun, nightly_job.name)
        assert run is not None
        assert run.last_run_at == NIGHT + timedelta(minutes=15)
    with time_machine.travel(NIGHT + timedelta(days=1, minutes=1), tick=False):
        assert ask_for_nightly(ZONE) == [nightly_job.name]
