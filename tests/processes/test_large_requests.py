"""The real web server, sent more than it wants, less than was promised, or without end."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cms.core.config import ROOT
from cms.core.limits import most
from tests.processes.conftest import Home, eventually

pytestmark = pytest.mark.processes

HEAD = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nConnection: close\r\n"
WORDS, FILES = b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@pytest.fixture(scope="module")
def server(module_home: Home) -> Iterator[int]:
    """The web server alone: it answers before it asks the database for anything."""
    argv = [sys.executable, "-m", "gunicorn", "-c", "python:cms.cli.web_server", "wsgi:app"]
    environ = module_home.environ(SEEDBED_ENV="development", PATH=os.environ["PATH"])
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        env=environ, cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    process = subprocess.Popen(argv, env=environ, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _listens(module_home.port), within=60, what="the server listens")
        yield module_home.port
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def send(port: int, head: bytes, *parts: bytes, ends: bool = False) -> int:
    """The status of the answer; nothing more is sent than the parts."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall(head + b"\r\n")
        for part in parts:
            line.sendall(part)
        if ends:
            line.shutdown(socket.SHUT_WR)
        answer = line.makefile("rb").readline()
    return int(answer.split()[1])


def chunks(total: int) -> Iterator[bytes]:
    """Chunked bytes of that many in all, and no last chunk."""
    piece = 65_536
    for _ in range(total // piece + 1):
        yield b"%x\r\n%s\r\n" % (piece, b"x" * piece)


def test_a_length_beyond_the_limit_is_refused_before_it_arrives(server: int) -> None:
    head = HEAD % FILES + b"Content-Length: 10000000000\r\n"
    assert send(server, head) == 413


@pytest.mark.parametrize(
    ("kind", "limit"), [(WORDS, "form_bytes"), (FILES, "request_bytes")], ids=["words", "files"]
)
def test_an_endless_stream_is_cut_at_the_limit(server: int, kind: bytes, limit: str) -> None:
    head = HEAD % kind + b"Transfer-Encoding: chunked\r\n"
    opening = [b"%x\r\n" % len(PART) + PART + b"\r\n"] if kind == FILES else []
    assert send(server, head, *opening, *chunks(most(limit))) == 413


def test_less_than_promised_is_a_bad_request(server: int) -> None:
    head = HEAD % WORDS + b"Content-Length: 1000\r\n"
    assert send(server, head, b"login=x", ends=True) == 400


def test_a_length_that_is_none_is_a_bad_request(server: int) -> None:
    assert send(server, HEAD % WORDS + b"Content-Length: many\r\n") == 400


def test_afterwards_it_serves_as_before(server: int) -> None:
    assert send(server, b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n") == 200
