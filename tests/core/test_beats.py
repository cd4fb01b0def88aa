"""Signs of life in the database, and who is missing."""

from datetime import timedelta

import pytest
from flask import Flask

from cms.core import beats, clock
from cms.core.beats import ProcessBeat
from cms.core.db import session, transaction


def beat(kind: str, pid: int, age: timedelta) -> None:
    moment = clock.now() - age
    with transaction():
        session.add(
            ProcessBeat(
                id=f"host:{kind}:{pid}",
                kind=kind,
                host="host",
                pid=pid,
                started_at=moment,
                beat_at=moment,
                detail={},
            )
        )


def test_the_silent_and_the_unseen_are_missing(app: Flask) -> None:
    beat("clock", 1, timedelta(seconds=3))
    beat("worker:publish", 2, timedelta(seconds=3))
    beat("worker:publish", 3, timedelta(minutes=3))
    expected = {"clock": 1, "worker:publish": 2, "worker:index": 1}
    assert beats.missing(expected) == {"worker:publish": 1, "worker:index": 1}
    assert [living.pid for living in beats.alive()] == [1, 2]


def test_last_sign_of_each_kind(app: Flask) -> None:
    beat("clock", 1, timedelta(hours=3))
    beat("clock", 2, timedelta(hours=1))
    last = beats.last_beats(["clock", "web"])
    assert last["web"] is None
    assert last["clock"] is not None
    assert timedelta(minutes=59) < clock.now() - last["clock"] < timedelta(minutes=61)


def test_a_day_of_silence_is_forgotten(app: Flask) -> None:
    beat("clock", 1, timedelta(days=2))
    beat("clock", 2, timedelta(hours=2))
    beats.prune()
    assert [row.pid for row in beats.latest()] == [2]


@pytest.mark.parametrize("publishers", [1, 5])
def test_expected_names_every_queue(publishers: int) -> None:
    expected = beats.expected(publishers)
    assert expected["worker:publish"] == publishers
    assert {"web", "clock", "worker:media", "worker:index", "worker:feedback"} < set(expected)
