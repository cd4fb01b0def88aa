"""A real PostgreSQL is killed at the worst moments: before a claim is written, and after a carrier took the post."""

import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cms.core.db import db, session
from cms.core.threads import each_in_a_thread
from schedules import publishing, reconciling, stops
from schedules.channels.base import Receipt
from schedules.envelopes import Envelope
from schedules.models import Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests.chaos.servers import Postgres
from tests.faults.conftest import Install
from tests.schedules import fake_carrier

LEASE = 3


class QuickPostgres(Postgres):
    """Killed, never cut off from power: what it has handed to the system is safe without waiting."""

    def argv(self) -> list[str]:
        return [*super().argv(), "-c", "fsync=off"]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with QuickPostgres.running() as made:
        yield made


@pytest.fixture
def house(install: Install, server: Postgres, tmp_path: Path) -> Iterator[Flask]:
    made = install(tmp_path, DATABASE_URL=server.url, SEEDBED_LEASE_SECONDS=str(LEASE))
    yield made
    session.remove()
    db.drop_all()


def kill(server: Postgres) -> None:
    server.signal(signal.SIGKILL)
    assert server.process is not None
    server.process.wait()


def look(publication_id: int) -> Publication:
    session.rollback()
    return session.get_one(Publication, publication_id)


def test_killed_in_the_middle_of_a_claim(
    house: Flask, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not committed has not been: the row waits as before, and nothing was sent."""
    with fake_carrier.registered() as carrier:
        publication_id = fake_carrier.ready(confirmation="nobody").id
        session.remove()
        with monkeypatch.context() as patch:
            patch.setattr(stops, "is_stopped", lambda _account: kill(server))
            with pytest.raises(OperationalError):
                publishing.publish(publication_id, worker="here")
        assert carrier.done("deliver") == []
        session.remove()
        server.start()
        found = look(publication_id)
        assert (found.state, found.fence, found.attempts) == (State.SCHEDULED, 0, [])
        session.remove()
        publishing.publish(publication_id, worker="here")
        assert len(carrier.done("deliver")) == 1
    assert look(publication_id).state is State.PUBLISHED


def test_what_was_taken_is_recorded_when_it_is_back_within_the_lease(
    house: Flask, server: Postgres
) -> None:
    with fake_carrier.registered() as carrier:
        publication_id = fake_carrier.ready(confirmation="nobody").id
        session.remove()
        back = threading.Thread(target=lambda: (time.sleep(1), server.start()))

        def taken(_envelope: Envelope) -> Receipt:
            kill(server)
            back.start()
            return fake_carrier.ACCEPTED

        carrier.answers["deliver"] = taken
        publishing.publish(publication_id, worker="here")
        back.join()
        assert len(carrier.done("deliver")) == 1
    found = look(publication_id)
    assert (found.state, found.external_id) == (State.PUBLISHED, "task-1")
    assert [attempt.outcome for attempt in found.attempts] == [Outcome.ACCEPTED]


def test_away_for_longer_the_carriers_class_decides(house: Flask, server: Postgres) -> None:
    """With a key it is sent again under the same key; without, a person is asked."""
    with fake_carrier.registered() as carrier:
        keyed = fake_carrier.ready(confirmation="nobody", **{"class": "K"}).id
        never = fake_carrier.ready(confirmation="nobody", **{"class": "N"}).id
        session.remove()
        both = threading.Barrier(2, action=lambda: kill(server))

        def taken(_envelope: Envelope) -> Receipt:
            both.wait()
            return fake_carrier.ACCEPTED

        carrier.answers["deliver"] = taken
        began = time.monotonic()
        send = partial(publishing.publish, worker="here")
        each_in_a_thread(send, (keyed, never), threads=2)
        assert time.monotonic() - began >= LEASE
        server.start()
        assert look(keyed).state is look(never).state is State.SENDING
        session.remove()
        time.sleep(max(0.0, began + LEASE + 0.5 - time.monotonic()))
        assert reconciling.settle_expired() == 2
        assert (look(keyed).state, look(never).state) == (State.SCHEDULED, State.UNCERTAIN)
        carrier.answers["deliver"] = fake_carrier.ACCEPTED
        for one in (keyed, never):
            session.remove()
            publishing.publish(one, worker="here")
        keys = [envelope.key for envelope in carrier.done("deliver")]
        assert len(keys) == 3
        assert len(set(keys)) == 2
    assert (look(keyed).state, look(never).state) == (State.PUBLISHED, State.UNCERTAIN)
    assert look(never).reason
    assert session.scalar(text("SELECT count(*) FROM attempts")) == 3
