"""`flask carriers` as a real process: it answers, it keeps to its port, and it dies with its parent."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from cms.core.config import ROOT, settings_from
from tests.processes.conftest import WORLD, Home, eventually, is_alive

pytestmark = pytest.mark.processes

PARENT = """
import sys, time
from cms.core.processes import Spawn
child = Spawn(argv=sys.argv[1:]).start()
print(child.pid, flush=True)
time.sleep(120)
"""


def answers(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_it_answers_takes_letters_and_dies_with_its_parent(home: Home) -> None:
    environ = home.environ(SEEDBED_DEMO="on")
    url = settings_from(environ).carriers_url
    command = [sys.executable, "-m", "flask", "--app", WORLD, "carriers"]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *command],
        env=environ,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        page = eventually(lambda: answers(f"{url}/"), within=30, what="the demo carriers' page")
        assert "nothing here reaches WeChat" in page
        port = int((home.path / "carriers" / "mail").read_text())
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            assert line.recv(100).startswith(b"220")
        os.kill(parent.pid, signal.SIGKILL)
        eventually(lambda: not is_alive(child), within=5, what="the end of the orphan")
    finally:
        parent.kill()
        parent.wait()
        if parent.stdout:
            parent.stdout.close()


def test_a_port_that_a_setting_names_is_waited_for(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        running = home.run("carriers", SEEDBED_DEMO="on", SEEDBED_CARRIERS_URL=url)
        assert running.wait(30) == 1
    assert "in use by another program" in running.text
    assert "Traceback" not in running.text


def test_none_run_without_a_demo(home: Home) -> None:
    running = home.run("carriers")
    assert running.wait(30) == 1
    assert "No demo carriers run here" in running.text
