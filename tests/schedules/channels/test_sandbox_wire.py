"""The sandbox over HTTP: what each answer of a carrier proves, with real sockets."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from cms.core.clock import now
from cms.core.config import ROOT
from cms.core.db import transaction
from schedules import addressing, reconciling
from schedules.channels import wire
from schedules.models import Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import again, approved, tried

pytestmark = pytest.mark.processes


class Carrier:
    """The stub channel's address and its ledger."""

    def __init__(self, home: Path) -> None:
        self.ledger = home / "ledger.jsonl"
        argv = [sys.executable, "-m", "tests.chaos.stub_channel", str(self.ledger), str(home / "p")]
        self.process = subprocess.Popen(argv, cwd=ROOT)
        deadline = time.monotonic() + 20
        while not (home / "p").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.endpoint = f"http://127.0.0.1:{(home / 'p').read_text()}"

    def effects(self, publication: Publication) -> int:
        """How often it has really happened there; keys never repeat, numbers of posts do."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return sum(json.loads(line)["key"] == publication.idempotency_key for line in lines)


@pytest.fixture(scope="module")
def carrier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carrier]:
    made = Carrier(tmp_path_factory.mktemp("carrier"))
    yield made
    made.process.kill()
    made.process.wait()


def send(carrier: Carrier, kind: str, script: str, **more: str) -> Publication:
    query = "&".join(f"{name}={value}" for name, value in {"script": script, **more}.items())
    settings = {"endpoint": f"{carrier.endpoint}/{kind}?{query}", "class": kind}
    way = make.account(channel="sandbox", settings=settings, per_minute=6000)
    publication = approved(account=way)
    return tried(publication)


@pytest.mark.parametrize(
    ("script", "outcome", "state", "effects"),
    [
        ("ok", Outcome.ACCEPTED, State.PUBLISHED, 1),
        ("400", Outcome.REJECTED, State.FAILED, 0),
        ("401", Outcome.REJECTED, State.HELD, 0),
        ("redirect", Outcome.REJECTED, State.FAILED, 0),
        ("429", Outcome.NOT_SENT, State.SCHEDULED, 0),
        ("500", Outcome.UNCERTAIN, State.UNCERTAIN, 0),
        ("reset", Outcome.UNCERTAIN, State.UNCERTAIN, 1),
        ("html", Outcome.UNCERTAIN, State.UNCERTAIN, 1),
        ("huge", Outcome.UNCERTAIN, State.UNCERTAIN, 1),
    ],
)
def test_what_an_answer_proves(
    app: Flask, carrier: Carrier, script: str, outcome: Outcome, state: State, effects: int
) -> None:
    publication = send(carrier, "N", script)
    assert publication.attempts[0].outcome is outcome
    assert publication.state is state
    assert carrier.effects(publication) == effects


def test_accepted_then_silent_is_uncertain_when_the_call_runs_out(
    app: Flask, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addressing, "LONGEST_CALL", 0.5)
    publication = send(carrier, "N", "hang")
    assert publication.state is State.UNCERTAIN
    assert carrier.effects(publication) == 1
    blocked = publication.account.blocked_until
    assert blocked is not None
    assert blocked > publication.attempts[0].finished_at
    assert send(carrier, "N", "ok").state is State.PUBLISHED


@pytest.mark.parametrize("kind", ["K", "Q"])
@pytest.mark.parametrize("first", ["reset", "html", "500", "429"])
def test_with_a_key_or_a_question_there_is_one_effect(
    app: Flask, carrier: Carrier, kind: str, first: str
) -> None:
    publication = again(send(carrier, kind, f"{first},ok"))
    assert publication.state is State.PUBLISHED
    assert carrier.effects(publication) == 1


@pytest.mark.parametrize(
    ("header", "wait"),
    [("1000000000", 6 * 3600), ("-7", 1), ("0", 1), ("90", 90), ("Mon,%2001%20Jan%202001", None)],
)
def test_the_wish_to_wait_is_clamped(
    app: Flask, carrier: Carrier, header: str, wait: int | None
) -> None:
    publication = send(carrier, "K", "429", retry_after=header)
    blocked = publication.account.blocked_until
    if wait is None:
        assert blocked is None or blocked <= now() + timedelta(seconds=2)
    else:
        assert abs((blocked - now()).total_seconds() - wait) < 5


def test_a_refused_account_is_paused_and_says_so(app: Flask, carrier: Carrier) -> None:
    publication = send(carrier, "K", "401")
    assert publication.account.is_paused
    assert publication.account.last_fault == wire.UNWELCOME


def test_nobody_at_the_other_end_is_not_sent(app: Flask) -> None:
    settings = {"endpoint": "http://127.0.0.1:9/K", "class": "N"}
    way = make.account(channel="sandbox", settings=settings, per_minute=6000)
    publication = approved(account=way)
    tried(publication)
    assert publication.attempts[0].outcome is Outcome.NOT_SENT
    assert publication.state is State.SCHEDULED


@pytest.mark.parametrize("endpoint", ["http://10.0.0.1/x", "http://[::1]:80/", "ftp://127.0.0.1/"])
def test_private_addresses_are_not_called(app: Flask, endpoint: str) -> None:
    way = make.account(
        channel="sandbox", settings={"endpoint": endpoint, "class": "N"}, per_minute=6000
    )
    publication = approved(account=way)
    tried(publication)
    assert (publication.state, publication.reason) == (State.FAILED, wire.NOT_ALLOWED)


def test_a_look_up_that_fails_sends_nothing(app: Flask, carrier: Carrier) -> None:
    """Class Q, and the carrier that might have the post cannot be asked: wait, never guess."""
    publication = send(carrier, "Q", "reset,ok")
    with transaction():
        settings = dict(publication.account.settings)
        publication.account.settings = settings | {"endpoint": "http://127.0.0.1:9/Q"}
    again(publication)
    assert publication.state is State.SCHEDULED
    assert publication.attempts[-1].outcome is Outcome.UNCERTAIN
    assert reconciling.settle_expired() == 0
    with transaction():
        publication.account.settings = settings
    assert again(publication).state is State.PUBLISHED
    assert carrier.effects(publication) == 1


def test_its_calls_can_be_read_in_the_attempt_log(app: Flask, carrier: Carrier) -> None:
    publication = again(send(carrier, "Q", "reset,ok"))
    first, second = (attempt.detail["calls"] for attempt in publication.attempts)
    assert [call["method"] for call in first] == ["POST"]
    assert first[0]["status"] is None
    assert [call["method"] for call in second] == ["GET"]
    assert publication.idempotency_key not in second[0]["address"]
