"""A mail server that keeps what it gets, and an account of ours with three subscribers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from cms.demo.carriers.mail import MailSink
from schedules.models import ChannelAccount
from tests import factories as make
from tests.demo_carriers import mail_sink
from tests.schedules.channels.email.mailing import listed


@pytest.fixture
def sink(app: Flask, tmp_path: Path) -> Iterator[MailSink]:
    with mail_sink(tmp_path / "letters") as server:
        yield server


@pytest.fixture
def account(sink: MailSink) -> ChannelAccount:
    made = make.account(
        channel="email",
        per_minute=6000,
        settings={"sender_name": "种子铺", "about": "Lane 3, Suzhou"},
    )
    listed(made, "ann@example.com", "bo@example.com", "cy@example.com")
    return made
