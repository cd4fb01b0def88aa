"""At most one letter for each subscriber, whatever breaks on the way."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from cms.core import config
from cms.core.db import session, transaction
from cms.demo.carriers.mail import MailSink
from schedules import addressing, mailings, subscribers
from schedules.models import Subscriber
from schedules.states import DeliveryState, Outcome
from schedules.states import PublicationState as State
from tests.schedules.channels.email import one_worker
from tests.schedules.channels.email.mailing import CHANNEL, claimed, send, states
from tests.schedules.ready import again


class TestAtMostOnce:
    def test_a_break_after_the_letter_left_is_uncertain_and_never_repeated(self, sink, account):
        sink.handler.script["bo@example.com"] = ["cut", "ok"]
        publication = send(account)
        assert publication.state is State.SCHEDULED
        assert states(publication) == {"ann": "sent", "bo": "uncertain", "cy": "waiting"}
        assert again(publication).state is State.PUBLISHED
        assert states(publication) == {"ann": "sent", "bo": "uncertain", "cy": "sent"}
        assert sorted(one.to[:2] for one in sink.letters()) == ["an", "bo", "cy"]
        assert publication.carrier_facts["uncertain"] == 1

    def test_a_resend_of_the_whole_writes_to_nobody_again(self, sink, account):
        publication = send(account)
        envelope = replace(addressing.envelope_of(publication), fence=publication.fence)
        receipt = CHANNEL.send(envelope)
        assert (receipt.outcome, receipt.external_id) == (
            Outcome.ACCEPTED,
            publication.idempotency_key,
        )
        assert len(sink.letters()) == 3

    def test_what_a_dead_worker_had_begun_is_left_alone(self, sink, account):
        publication, envelope = claimed(account)
        begun = mailings.turn(mailings.begin(envelope), None, 0)
        assert begun.address == "ann@example.com"
        receipt = CHANNEL.send(envelope)
        assert receipt.outcome is Outcome.ACCEPTED
        assert states(publication) == {"ann": "uncertain", "bo": "sent", "cy": "sent"}
        assert [one.to[:2] for one in sink.letters()] == ["bo", "cy"]

    def test_a_stale_worker_writes_to_nobody_more_but_settles_its_own(self, sink, account):
        publication, envelope = claimed(account)
        envelope = mailings.begin(envelope)
        begun = mailings.turn(envelope, None, 0)
        with transaction():
            publication.fence += 1
        with pytest.raises(mailings.TryAgain):
            mailings.turn(
                envelope, mailings.Done(begun.delivery_id, DeliveryState.SENT), begun.delivery_id
            )
        assert states(publication) == {"ann": "sent", "bo": "waiting", "cy": "waiting"}

    def test_who_leaves_meanwhile_gets_nothing(self, sink, account):
        publication, envelope = claimed(account)
        envelope = mailings.begin(envelope)
        with transaction():
            token = session.scalar(select(Subscriber.token).where(Subscriber.address.like("bo%")))
            subscribers.leave(token)
        CHANNEL.send(envelope)
        assert states(publication)["bo"] == "not_a_contact"
        assert [one.to[:2] for one in sink.letters()] == ["an", "cy"]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("place", "written_to"),
    [("letter.after_begun", ["ann", "cy"]), ("letter.after_sent", ["ann", "bo", "cy"])],
)
def test_nobody_gets_it_twice_through_a_kill(
    tmp_path: Path, place: str, written_to: list[str]
) -> None:
    """The worker dies at the second recipient, before or after the letter has left."""
    server = MailSink(tmp_path / "letters")
    server.start()
    environ = os.environ | {
        "SEEDBED_HOME": str(tmp_path / "home"),
        "SEEDBED_ENV": "test",
        "SEEDBED_SMTP_URL": server.url,
        "SEEDBED_MAIL_FROM": "shop@example.com",
        "REDIS_URL": "unix:///nonexistent/seedbed.sock",
        "PYTHONPATH": str(config.ROOT),
    }

    def run(step: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", one_worker.__name__, step],
            check=False,
            env=environ | more,
            cwd=config.ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )

    try:
        assert run("make").returncode == 0
        assert run("first", FAULT=f"{place}:kill9:2").returncode == -signal.SIGKILL
        second = run("again")
    finally:
        server.stop()
    assert [one.to.partition("@")[0] for one in server.letters()] == written_to
    told = second.stdout.splitlines()[-1]
    assert told == "published [('ann', 'sent'), ('bo', 'uncertain'), ('cy', 'sent')]"
