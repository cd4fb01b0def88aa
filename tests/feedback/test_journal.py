"""What was acknowledged is counted exactly once, whoever is killed when."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import text

from cms.core.config import ROOT, settings_from
from cms.core.db import db, session
from cms.factory import create_app
from feedback import hints, ingest, journal, rollups
from feedback.facts import seen_now
from feedback.models import Event, JournalOffset, Rollup
from schedules import links
from tests.feedback import live

WRITER = """
import os, sys, threading, time
from cms.factory import create_app
from feedback import journal
from feedback.facts import seen_now
create_app()
def write():
    while True:
        fact = seen_now("link", "click", int(sys.argv[1]), visitor_key="c:x", link_code="x")
        journal.append(fact.to_line())
        os.write(1, fact.event_id.encode() + b"\\n")
        time.sleep(0.002)
for _ in range(3):
    threading.Thread(target=write).start()
"""
INGESTER = """
from cms.core import faults
from cms.factory import create_app
from feedback import ingest, rollups
app = create_app()
faults.arm(app.config["SEEDBED"].faults, app.config["SEEDBED"].home)
with app.app_context():
    ingest.ingest()
    rollups.roll_up()
"""


def fact(number, publication_id=None):
    return seen_now("test", "click", publication_id, event_id=f"e{number}", visitor_key="c:x")


def test_lines_are_read_in_turn_and_read_files_of_the_dead_removed(app):
    of = live.publication()
    for number in range(5):
        journal.append(fact(number, of.id).to_line())
    assert ingest.backlog() > 0
    assert ingest.ingest() == 5
    assert (ingest.ingest(), ingest.backlog()) == (0, 0)
    assert len(journal.files()) == 1, "its writer lives"
    journal._writers[journal.folder()].close()
    journal.append(fact(6, of.id).to_line())
    assert ingest.ingest() == 1
    assert len(journal.files()) == 1
    assert session.query(JournalOffset).count() == 1
    assert session.query(Event).count() == 6


def test_a_torn_last_line_waits_and_is_dropped_with_its_dead_writer(app):
    path = journal.folder() / "host-1-dead.jsonl"
    line = fact(1, live.publication().id).to_line()
    path.write_bytes(line + line[:20])
    assert ingest.ingest() == 1
    assert not path.exists()
    assert session.query(Event).count() == 1


def test_garbage_between_lines_stops_nothing(app):
    of = live.publication()
    lines = [fact(1, of.id).to_line(), b"\xff\x00garbage\n", b"{}\n", fact(2, of.id).to_line()]
    (journal.folder() / "host-1-odd.jsonl").write_bytes(b"".join(lines))
    assert ingest.ingest() == 2


def test_a_full_file_is_followed_by_another(app, monkeypatch):
    monkeypatch.setattr(journal, "ROTATE_BYTES", 500)
    of = live.publication()
    for number in range(20):
        journal.append(fact(number, of.id).to_line())
    assert len(journal.files()) > 3
    assert ingest.ingest() == 20
    assert len(journal.files()) == 1


def test_t18_64_at_once_on_one_code_lose_nothing_and_fail_nowhere(tmp_path):
    app = _app_at(tmp_path)
    with app.app_context():
        db.create_all()
        of = live.publication()
        url, publication_id = f"/l/{links.own_link(of).code}", of.id
    statuses, gate = [], threading.Barrier(64)

    def tap(number):
        client = app.test_client()
        client.set_cookie("sb_v", f"{number:032x}")
        gate.wait()
        statuses.append(client.get(url, headers={"User-Agent": live.PHONE}).status_code)

    threads = [threading.Thread(target=tap, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    with app.app_context():
        ingest.ingest()  # while they write
    for thread in threads:
        thread.join()
    assert statuses == [302] * 64
    with app.app_context():
        ingest.ingest()
        rollups.roll_up()
        row = session.query(Rollup).filter_by(publication_id=publication_id, kind="click").one()
        assert (row.raw, row.counted, row.people) == (64, 64, 64)
        db.session.remove()
        db.engine.dispose()
        journal._writers[journal.folder()].close()


def test_a_journal_that_takes_no_line_leaves_the_database(app, monkeypatch):
    of = live.publication()

    def full(_descriptor, line):
        raise OSError(28, "No space left on device")

    url = f"/l/{links.own_link(of).code}"
    with monkeypatch.context() as patch:
        patch.setattr(journal.os, "write", full)
        answer = app.test_client().get(url, headers={"User-Agent": live.PHONE})
    assert answer.status_code == 302
    assert session.query(Event).one().publication_id == of.id


def test_a_slow_broker_holds_readers_up_once_only(app, monkeypatch):
    asked = []
    monkeypatch.setattr(hints, "_next_at", 0.0)
    monkeypatch.setattr(hints, "SLOW_SECONDS", 0.0)
    monkeypatch.setattr(hints.jobs, "hint", lambda: asked.append(time.sleep(0.01)))
    for _ in range(20):
        hints.tell()
    assert len(asked) == 1


def _settings(home, **more):
    return {
        "SEEDBED_HOME": str(home),
        "SEEDBED_ENV": "test",
        "REDIS_URL": "unix:///nonexistent/seedbed.sock",
        "SEEDBED_BASE_URL": "http://localhost",
    } | more


def _app_at(home):
    app = create_app(settings_from(_settings(home)))
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def _start(code, *args, home, **more):
    env = dict(os.environ) | _settings(home, **more) | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *args], env=env, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.processes
@pytest.mark.parametrize(
    "place", ["ingest.before_commit", "ingest.after_commit", "rollup.before_commit"]
)
def test_kill_9_of_writer_and_ingester_loses_and_doubles_nothing(tmp_path, application, place):
    """Real processes: writers killed in the middle of writing, ingesters at each place and at random."""
    app = _app_at(tmp_path)
    with app.app_context():
        db.create_all()
        publication_id = live.publication().id
        db.session.remove()
    acknowledged = set()
    for _ in range(2):
        with _start(WRITER, str(publication_id), home=tmp_path) as writer:
            lines = iter(writer.stdout.readline, "")
            acknowledged |= {next(lines).strip() for _ in range(300)}
            writer.kill()
            acknowledged |= {line.strip() for line in lines if line.endswith("\n")}
    with _start(INGESTER, home=tmp_path, FAULT=f"{place}:kill9") as killed:
        assert killed.wait(60) == -signal.SIGKILL
    with _start(INGESTER, home=tmp_path) as unlucky:
        time.sleep(random.Random(place).uniform(0.8, 1.6))
        unlucky.kill()
    with _start(INGESTER, home=tmp_path) as last:
        assert last.wait(60) == 0
    with app.app_context():
        stored = [event_id for (event_id,) in session.execute(text("SELECT event_id FROM events"))]
        assert acknowledged <= set(stored)
        assert len(stored) == len(set(stored))
        assert sum(row.raw for row in session.query(Rollup)) == len(stored)
        assert not journal.files(), json.dumps([path.name for path in journal.files()])
        db.session.remove()
        db.engine.dispose()
