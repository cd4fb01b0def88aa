"""A clock that sends nothing because its time leapt, or whose steps fail, is told to people."""

from functools import partial

import pytest

from cms.core import health
from cms.core.beats import ProcessBeat
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.health import Finding, Level
from cms.core.i18n import said_in
from cms.core.sentences import worded

pytestmark = pytest.mark.usefixtures("app")


def found(**details: dict[str, object]) -> Finding:
    """What is found when clocks of these hosts beat with these details."""
    with transaction():
        for host, detail in details.items():
            beat = {"kind": "clock", "host": host, "pid": 1, "started_at": now(), "beat_at": now()}
            session.add(ProcessBeat(id=f"{host}:clock:1", **beat, detail=detail))
    return health.CHECKS.get("clock").find()


def test_clocks_that_turn_are_well():
    finding = found(one={"is_paused": False, "failing": [], "failing_for_long": []}, two={})
    assert finding.level is Level.WELL


def test_a_leap_is_a_fault_and_says_how_to_go_on():
    finding = found(one={"is_paused": True}, two={"is_paused": False})
    assert finding.level is Level.FAULT
    said = worded(finding.message, finding.params, partial(said_in, "zh"))
    assert "one" in said
    assert "two" not in said
    assert "flask clock --accept-jump" in said


def test_a_step_that_keeps_failing_is_named():
    once = {"failing": ["schedules.jobs.reconcile"], "failing_for_long": []}
    assert found(one=once).level is Level.WELL
    finding = found(two={"failing_for_long": ["schedules.jobs.reconcile"]})
    assert finding.level is Level.FAULT
    assert "schedules.jobs.reconcile" in worded(finding.message, finding.params, str)
