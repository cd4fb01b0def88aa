"""Uploads at carriers: kept while they last, made anew in time, never shared between realms."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cms.core import clock
from cms.core.clock import now
from cms.core.db import db, session, transaction
from cms.core.errors import TryAgain
from schedules import uploads
from schedules.models import CarrierUpload
from schedules.uploads import Uploaded
from tests.schedules.side_by_side import WORKERS, in_threads

SHA = "a" * 64
THREE_DAYS = timedelta(days=3)


class Carrier:
    """Takes files and numbers them."""

    def __init__(self, lives: timedelta | None = THREE_DAYS) -> None:
        self.lives, self.taken = lives, 0

    def upload(self) -> Uploaded:
        self.taken += 1
        return Uploaded(f"media-{self.taken}", self.lives)


def ask(carrier: Carrier, realm: str = "carrier:one", purpose: str = "moments", **how: str) -> str:
    return uploads.reference(realm, SHA, purpose, carrier.upload, **how)


def test_a_file_is_uploaded_once(app: Flask) -> None:
    carrier = Carrier()
    assert ask(carrier) == ask(carrier) == "media-1"
    assert carrier.taken == 1


def test_realms_and_purposes_share_nothing(app: Flask) -> None:
    carrier = Carrier()
    told = [ask(carrier), ask(carrier, realm="carrier:two"), ask(carrier, purpose="article")]
    assert told == ["media-1", "media-2", "media-3"]
    assert ask(carrier) == "media-1"
    assert [uploads.held(realm) for realm in ("carrier:one", "carrier:two")] == [2, 1]


@pytest.mark.parametrize(
    ("lives", "age", "taken"),
    [
        (THREE_DAYS, timedelta(hours=65), 1),
        (THREE_DAYS, timedelta(hours=67), 2),  # six hours before its end
        (timedelta(hours=4), timedelta(hours=2), 1),
        (timedelta(hours=4), timedelta(hours=3, minutes=30), 2),  # the last quarter of a short life
        (None, timedelta(days=4000), 1),
    ],
)
def test_it_is_renewed_before_the_carrier_throws_it_away(
    app: Flask, lives: timedelta | None, age: timedelta, taken: int
) -> None:
    carrier = Carrier(lives)
    with clock.holding(now() - age):
        ask(carrier)
    assert ask(carrier) == f"media-{taken}"
    assert ask(carrier) == f"media-{taken}"


def test_its_life_is_counted_from_before_the_answer(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = now()
    moments = [begun]
    monkeypatch.setattr(uploads, "now", lambda: moments[-1])

    def slow() -> Uploaded:
        moments.append(begun + timedelta(seconds=50))
        return Uploaded("media-1", THREE_DAYS)

    uploads.reference("carrier:one", SHA, "moments", slow)
    assert session.scalar(select(CarrierUpload.expires_at)) == begun + THREE_DAYS


def test_what_the_carrier_refused_is_uploaded_anew(app: Flask) -> None:
    carrier = Carrier()
    ask(carrier)
    assert ask(carrier, stale="media-1") == "media-2"
    assert ask(carrier, stale="media-1") == "media-2"
    assert carrier.taken == 2


def test_what_the_carrier_refused_is_given_to_nobody_though_it_is_away(app: Flask) -> None:
    def away() -> Uploaded:
        raise TryAgain("away")

    carrier = Carrier()
    ask(carrier)
    with pytest.raises(TryAgain):
        uploads.reference("carrier:one", SHA, "moments", away, stale="media-1")
    assert ask(carrier) == "media-2"


def test_a_realm_of_any_length_has_its_place(app: Flask) -> None:
    carrier, long = Carrier(), "carrier:" + "x" * 400
    assert ask(carrier, realm=long) == ask(carrier, realm=long) == "media-1"
    assert ask(carrier, realm=long + "y") == "media-2"
    assert uploads.held(long) == 1


def test_eight_workers_that_upload_at_once_end_with_one_row(own_database: Flask) -> None:
    gate, lock, taken = threading.Barrier(WORKERS), threading.Lock(), list[str]()

    def upload() -> Uploaded:
        gate.wait(10)  # all have looked, nobody has written
        with lock:
            taken.append(f"media-{len(taken)}")
            return Uploaded(taken[-1], THREE_DAYS)

    def work() -> str:
        return uploads.reference("carrier:one", SHA, "moments", upload)

    assert sorted(in_threads(own_database, work)) == sorted(taken)
    with own_database.app_context():
        assert session.scalars(select(CarrierUpload.reference)).one() in taken


def test_no_connection_waits_on_the_carrier(own_database: Flask) -> None:
    seen: list[int] = []

    def upload() -> Uploaded:
        seen.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
        return Uploaded("media-1")

    with own_database.app_context():
        session.scalar(select(CarrierUpload.id))  # a reading transaction is open
        uploads.reference("carrier:one", SHA, "moments", upload)
        with pytest.raises(RuntimeError), transaction():
            uploads.reference("carrier:two", SHA, "moments", upload)
    assert seen == [0]
