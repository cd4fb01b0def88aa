"""`flask up` with real processes: starts, heals, ends, and never leaves anything behind."""

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from flask import Flask

from cms.core import beats
from cms.core.config import settings_from
from cms.factory import create_app
from tests.processes.conftest import Home, Running, eventually, is_alive

pytestmark = pytest.mark.processes

BACKGROUND = ("clock", "publish-1", "publish-2", "media", "index", "feedback")
CHILDREN = ("broker", "web", *BACKGROUND)


def started(home: Home) -> Running:
    running = home.run("up")
    eventually(
        lambda: all(running.pid_of(label) for label in CHILDREN) or running.process.poll(),
        within=40,
        what="all children started",
    )
    assert running.process.poll() is None, running.text
    return running


@pytest.fixture(scope="module")
def system(module_home: Home) -> Running:
    return started(module_home)


@pytest.fixture(scope="module")
def reader(module_home: Home, system: Running) -> Iterator[Flask]:
    """An application on the same database, to read beats with."""
    app = create_app(settings_from(module_home.environ()))
    with app.app_context():
        yield app
        beats.session.remove()


def page(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return int(error.code)


def living_pids(kind: str) -> set[int]:
    beats.session.rollback()
    return {beat.pid for beat in beats.alive() if beat.kind == kind}


def test_everything_runs_and_says_so(module_home: Home, system: Running, reader: Flask) -> None:
    assert page(module_home.port) < 500
    assert system.said(f"http://127.0.0.1:{module_home.port}")

    def nobody_is_missing() -> bool:
        beats.session.rollback()
        return not beats.missing({**beats.expected(2), "web": 2, "supervisor": 1})

    eventually(nobody_is_missing, within=20, what="a beat from every process")
    [supervisor] = [beat for beat in beats.alive() if beat.kind == "supervisor"]
    assert set(supervisor.detail["children"]) == set(CHILDREN)


def test_a_failing_tick_does_not_hinder_the_others(module_home: Home, system: Running) -> None:
    before = len(module_home.trace("ticks"))
    eventually(lambda: len(module_home.trace("ticks")) > before + 3)
    assert "this tick always fails" in module_home.log("clock")


def test_a_second_start_on_the_same_directory_refuses(module_home: Home, system: Running) -> None:
    second = module_home.run("up", PORT="1")
    assert second.wait() != 0
    assert "already running" in second.text
    assert str(system.process.pid) in second.text
    assert "Traceback" not in second.text
    assert system.process.poll() is None


def test_a_busy_port_is_told_with_a_free_one(
    home: Home, module_home: Home, system: Running
) -> None:
    second = home.run("up", PORT=str(module_home.port))
    assert second.wait() != 0
    [line] = second.said("is in use")
    free = int(line.rpartition("PORT=")[2].split()[0])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", free))
    assert "Traceback" not in second.text


@pytest.mark.parametrize("label", ["web", "clock", "publish-1", "media", "broker"])
def test_a_killed_child_comes_back(label: str, module_home: Home, system: Running) -> None:
    victim = system.pid_of(label)
    os.kill(victim, signal.SIGKILL)
    eventually(
        lambda: system.pid_of(label) not in (0, victim), within=3, what=f"{label} started again"
    )
    assert [line for line in system.said("was killed by SIGKILL") if f" {label} " in line]
    assert page(module_home.port) < 500, "callers wait for a returning web server, none is refused"


def test_a_killed_web_worker_comes_back(module_home: Home, system: Running, reader: Flask) -> None:
    before = eventually(lambda: len(living_pids("web")) >= 2 and living_pids("web"))
    victim = next(pid for pid in before if is_alive(pid))
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: living_pids("web") - before, what="a new web process beats")
    assert page(module_home.port) < 500


def test_after_all_that_everybody_beats(system: Running, reader: Flask) -> None:
    """The beats of the killed grow old, those of the returned are there."""

    def all_current() -> bool:
        beats.session.rollback()
        return not beats.missing(beats.expected(2)) and all(
            is_alive(beat.pid) for beat in beats.alive()
        )

    eventually(all_current, within=20, what="beats of living processes only")


def test_ctrl_c_ends_everything_in_order(module_home: Home, system: Running) -> None:
    pids = [system.pid_of(label) for label in CHILDREN]
    began = time.monotonic()
    system.signal(signal.SIGINT)
    assert system.wait(20) == 0
    assert time.monotonic() - began < 12
    assert not [pid for pid in pids if is_alive(pid)]
    ended = [line.split()[1] for line in system.lines if line.endswith(" ended")]
    assert ended[0] == "web"
    assert ended[-2:] == ["broker", "supervisor"]
    assert "Traceback" not in system.text
    assert (module_home.path / "supervisor.lock").read_text() == ""


def test_killing_the_supervisor_leaves_nobody_and_the_next_start_resumes(
    module_home: Home, system: Running
) -> None:
    if system.process.poll() is None:  # the order of tests may have changed
        system.signal(signal.SIGINT)
        system.wait(20)
    second = started(module_home)
    pids = [second.pid_of(label) for label in CHILDREN]
    assert all(is_alive(pid) for pid in pids)
    second.signal(signal.SIGKILL)
    second.wait()
    eventually(
        lambda: not [pid for pid in pids if is_alive(pid)], within=2, what="all children gone"
    )
    third = module_home.run("up")
    eventually(lambda: third.said("Seedbed is running"), within=20, what="a third start")
    assert page(module_home.port) < 500


def test_a_misspelt_fault_is_refused(home: Home) -> None:
    worker = home.run("worker", "media", FAULT="no.such.place:kill9")
    assert worker.wait() != 0
    assert "no.such.place" in worker.text
    assert json.dumps("faults armed") not in worker.text
