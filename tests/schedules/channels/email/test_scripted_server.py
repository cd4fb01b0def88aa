"""The demo mail server refuses where its script says so, and keeps the order of commands."""

import smtplib
from collections.abc import Iterator

import pytest

from cms.demo.carriers.mail import MailSink

BODY = b"Subject: Hi\r\n\r\nHi\r\n"


@pytest.fixture
def line(sink: MailSink) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", sink.port) as smtp:
        smtp.ehlo()
        yield smtp


def begun(line: smtplib.SMTP) -> None:
    assert line.mail("shop@example.com")[0] == 250
    assert line.rcpt("ann@example.com")[0] == 250


@pytest.mark.parametrize("code", ["421", "451", "554"])
def test_each_step_can_be_refused_for_now_or_for_good(
    sink: MailSink, line: smtplib.SMTP, code: str
) -> None:
    sink.handler.script = {
        "shop@example.com": [code, "ok"],
        "ann@example.com": [f"rcpt:{code}", f"data:{code}", f"end:{code}", "ok"],
    }
    assert line.mail("shop@example.com")[0] == int(code)
    assert line.mail("shop@example.com")[0] == 250
    assert line.rcpt("ann@example.com")[0] == int(code)
    assert line.rcpt("ann@example.com")[0] == 250
    assert line.docmd("DATA")[0] == int(code)
    line.rset()
    begun(line)
    assert line.data(BODY)[0] == int(code)
    assert sink.letters() == []
    begun(line)
    assert line.data(BODY)[0] == 250
    assert len(sink.letters()) == 1


def test_a_letter_begun_is_in_the_way_of_the_next(sink: MailSink, line: smtplib.SMTP) -> None:
    sink.handler.script["ann@example.com"] = ["data:554", "ok"]
    begun(line)
    assert line.docmd("DATA")[0] == 554
    assert line.mail("shop@example.com")[0] == 503
    line.rset()
    begun(line)
