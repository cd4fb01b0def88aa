"""Log lines: one JSON object each, from every logger, without secrets."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from cms.core import logs

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was logged; the handler keeps the stream it was made with, so it is made in the test."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return read


def test_both_kinds_of_logger_write_the_same_kind_of_line(lines: Lines) -> None:
    logs.configure(process="test")
    with logs.bound(request_id="r-1"):
        structlog.get_logger("ours").info("post_published", post=7, title="春天")
        logging.getLogger("theirs").warning("a %s thing", "strange")
    ours, theirs = lines()
    assert (ours["event"], ours["post"], ours["title"]) == ("post_published", 7, "春天")
    assert (theirs["event"], theirs["level"]) == ("a strange thing", "warning")
    assert {ours["request_id"], theirs["request_id"]} == {"r-1"}
    assert {ours["process"], theirs["process"]} == {"test"}


def test_what_was_bound_ends_with_its_block(lines: Lines) -> None:
    logs.configure(process="test")
    with logs.bound(job_id="j"):
        pass
    structlog.get_logger("ours").info("later")
    assert "job_id" not in lines()[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password", "hunter2"),
        ("access_token", "hunter2"),
        ("Authorization", "Bearer hunter2"),
        ("set_cookie", "hunter2"),
        ("app_secret", "hunter2"),
        ("url", "redis://:hunter2@127.0.0.1/0"),
        ("url", "postgresql://seed:hunter2@db/seed"),
        ("url", "https://carrier.example/send?key=hunter2&x=1"),
        ("headers", {"Authorization": "hunter2"}),
        ("answers", [{"token": "hunter2"}]),
        ("path", "/enter/hunter2"),
        ("path", "/callbacks/hunter2?signature=1"),
        ("path", "/u/hunter2"),
        ("path", "/set-up/hunter2"),
        ("path", "/f/hunter2.xml"),
        ("request", "GET /f/hunter2?page=2 HTTP/1.1"),
    ],
)
def test_no_secret_is_written(key: str, value: object, lines: Lines) -> None:
    logs.configure(process="test")
    structlog.get_logger("ours").info("sent", **{key: value})
    assert "hunter2" not in json.dumps(lines())


def test_a_traceback_does_not_betray_a_password(lines: Lines) -> None:
    logs.configure(process="test")
    try:
        raise ValueError("cannot reach postgresql://seed:hunter2@db/seed")
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    [line] = lines()
    assert "ValueError" in line["exception"]
    assert "hunter2" not in json.dumps(line)


@pytest.mark.parametrize("number", ["13812345678", "+86 138 1234 5678", "138-1234-5678"])
def test_no_readers_phone_number_is_written(number: str, lines: Lines) -> None:
    logs.configure(process="test")
    structlog.get_logger("ours").info("comment_held", text=f"call me: {number}, thanks")
    structlog.get_logger("ours").info("plain", publication=13812345678, key="a13812345678b")
    written, plain = lines()
    assert "1234" not in written["text"]
    assert "5678" in written["text"]  # enough to tell one number from another
    assert (plain["publication"], plain["key"]) == (13812345678, "a13812345678b")


def test_a_terminal_obeys_nothing_that_was_logged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    logs.configure(process="test")
    structlog.get_logger("ours").info("held", agent="\x1b]0;owned\x07\x1b[2J", lines="a\nb\tc")
    written = capsys.readouterr().err
    assert "\x1b]0" not in written
    assert "\x1b[2J" not in written
    assert "\\x1b]0;owned\\x07" in written
