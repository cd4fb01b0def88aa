"""What a mail server refuses on the way of a letter, and what the next letter on that line meets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from cms.core import mail
from cms.core.errors import SeedbedError
from cms.core.mail import BadLetter, Letter, NotSent, PutOff, Refused
from cms.demo.carriers.mail import MailSink
from tests.demo_carriers import mail_sink

ANN = Letter(("ann@example.com",), "Hi", "Hi")
BO = Letter(("bo@example.com",), "Hi", "Hi")
SENDER = "shop@example.com"
LONG_HOST = "letters.content-marketing.some-long-company-name.example.com"


@pytest.fixture
def sink(app: Flask, tmp_path: Path) -> Iterator[MailSink]:
    with mail_sink(tmp_path / "letters") as server:
        yield server


def got(sink: MailSink) -> list[str]:
    return [one.to.partition("@")[0] for one in sink.letters()]


@pytest.mark.parametrize(
    ("whose", "word", "meaning"),
    [
        (SENDER, "451", PutOff),
        (SENDER, "554", Refused),
        ("ann@example.com", "data:451", PutOff),
        ("ann@example.com", "data:554", Refused),
        ("ann@example.com", "end:451", PutOff),
        ("ann@example.com", "end:554", Refused),
    ],
)
def test_a_no_to_one_letter_is_no_no_to_the_next(
    sink: MailSink, whose: str, word: str, meaning: type[SeedbedError]
) -> None:
    """Without a RSET the next MAIL would be out of order, and its recipient blamed for it."""
    sink.handler.script[whose] = [word, "ok"]
    with mail.connected() as line:
        with pytest.raises(meaning):
            line.send(ANN)
        assert line.send(BO).accepted == BO.to
    assert got(sink) == ["bo"]


@pytest.mark.parametrize(
    ("whose", "word"),
    [
        (SENDER, "421"),
        ("ann@example.com", "rcpt:421"),
        ("ann@example.com", "data:421"),
        ("ann@example.com", "end:421"),
    ],
)
def test_a_server_that_closes_down_is_away(sink: MailSink, whose: str, word: str) -> None:
    sink.handler.script[whose] = [word, "ok"]
    with mail.connected() as line, pytest.raises(NotSent) as told:
        line.send(ANN)
    assert not isinstance(told.value, PutOff)
    assert sink.letters() == []


def raw_headers(sink: MailSink) -> dict[str, bytes]:
    """The headers as they came over the wire, folds and all."""
    content = next(sink.folder.glob("*.eml")).read_bytes()
    head = content.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b"\n ")
    pairs = [line.partition(b":")[::2] for line in head.split(b"\r\n")]
    return {name.decode().lower(): value.strip() for name, value in pairs}


def test_what_machines_read_is_never_encoded(sink: MailSink) -> None:
    assert len(LONG_HOST) == 60
    headers = {
        "List-Id": f"<weekly-letters-of-the-seed-shop.{LONG_HOST}>",
        "List-Unsubscribe": f"<https://{LONG_HOST}/u/{'Tok_-' * 6}ab>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Reply-To": f"answers-to-the-weekly-letters@{LONG_HOST}",
    }
    reader = f"somebody-with-a-rather-long-name@{LONG_HOST}"
    mail.send(Letter((reader,), "Hi", "Hi", id="a" * 60, headers=headers))
    raw = raw_headers(sink)
    assert {name: raw[name.lower()].decode() for name in headers} == headers
    assert raw["to"].decode() == reader
    assert raw["message-id"].decode() == f"<{'a' * 60}@example.com>"
    assert b"=?" not in b"".join(raw.values())


def test_a_long_list_folds_between_its_members(sink: MailSink) -> None:
    ways = [f"<https://{LONG_HOST}/u/{number}>" for number in range(30)]
    mail.send(Letter(ANN.to, "Hi", "Hi", headers={"List-Unsubscribe": ", ".join(ways)}))
    lines = raw_headers(sink)["list-unsubscribe"].decode().split("\n")
    assert [line.strip().rstrip(",") for line in lines] == ways


def test_a_line_longer_than_letters_have_is_refused(sink: MailSink) -> None:
    with pytest.raises(BadLetter):
        mail.send(Letter(ANN.to, "Hi", "Hi", headers={"List-Id": "<" + "a" * 1000 + ">"}))
    assert sink.letters() == []


def test_a_sender_with_a_name_and_a_long_host_keeps_the_address(sink: MailSink) -> None:
    sender = f"seedbed@{LONG_HOST}"
    line = mail.composed(Letter(ANN.to, "Hi", "Hi", sender_name="种子铺的每周来信"), sender)
    [told] = [one for one in line.replace(b"\r\n ", b" ").split(b"\r\n") if one[:5] == b"From:"]
    assert told.endswith(f"<{sender}>".encode())
