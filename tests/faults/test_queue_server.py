"""The queue server is full, gone, or back without a memory: posts wait, none is lost, all go out."""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select

from cms.accounts.models import Role
from cms.core import health, jobs, workers
from cms.core.broker import EmbeddedBroker
from cms.core.clock import now
from cms.core.config import settings_from
from cms.core.db import session, transaction
from cms.core.jobs import QueueName
from feedback import journal
from feedback.jobs import hint_feedback
from feedback.models import Event
from schedules import hints
from schedules.hints import Hinted
from schedules.models import Publication
from schedules.states import PublicationState as State
from tests import factories as make
from tests.faults.conftest import Install
from tests.faults.engine import Engine
from tests.feedback import live
from tests.schedules.ready import account, approved

POSTS = 12
REMIND = 1.0  # seconds here; in service REMIND_SECONDS


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    url = settings_from({"SEEDBED_HOME": str(tmp_path)}).redis_url
    made = EmbeddedBroker(tmp_path / "broker", url)
    made.start(tmp_path / "broker.log")
    yield made
    made.stop()


@pytest.fixture
def house(
    install: Install, broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    monkeypatch.setattr("schedules.jobs._hinted", Hinted(remind=REMIND))
    yield install(tmp_path, REDIS_URL=broker.url)
    jobs.redis().close()


@pytest.fixture
def engine(house: Flask, broker: EmbeddedBroker) -> Engine:
    return Engine(house, broker)


def make_due(count: int = POSTS) -> None:
    pool, way = make.pool(), account()
    known = {"pool": pool, "account": way, "asset": make.asset(), "calendar": make.calendar()}
    known |= {"author_id": make.user().id, "by": make.user(Role.OPERATOR)}
    with transaction():
        for _ in range(count):
            approved(**known)


def counted(state: State) -> int:
    session.rollback()
    found = select(func.count()).select_from(Publication).where(Publication.state == state)
    return session.scalar(found) or 0


def all_out() -> bool:
    return counted(State.PUBLISHED) == POSTS


def effects(house: Flask) -> int:
    lines = [
        line
        for ledger in (house.config["SEEDBED"].home / "sandbox").glob("*.jsonl")
        for line in ledger.read_text().splitlines()
    ]
    return len(lines)


def squeeze(broker: EmbeddedBroker, memory: str) -> None:
    with Redis.from_url(broker.url) as client:
        client.config_set("maxmemory", memory)


def test_full_it_takes_no_hint_and_all_go_out_when_there_is_room(
    engine: Engine, broker: EmbeddedBroker, house: Flask
) -> None:
    squeeze(broker, "1")
    make_due()
    engine.rest(1.2)  # clock and worker meet the full server several times and live on
    assert counted(State.SCHEDULED) == POSTS
    squeeze(broker, "256mb")
    assert engine.run(all_out, within=15)
    assert effects(house) == POSTS


def test_gone_and_back_without_a_memory(
    engine: Engine, broker: EmbeddedBroker, house: Flask
) -> None:
    make_due()
    assert broker.process is not None
    broker.process.kill()
    broker.process.wait()
    engine.rest(1.2)
    assert counted(State.SCHEDULED) == POSTS
    assert health.CHECKS.get("queue").find().level is health.Level.FAULT
    shutil.rmtree(broker.folder / "appendonlydir")
    broker.start()
    assert engine.run(all_out, within=15)
    assert effects(house) == POSTS


def test_hints_lost_with_its_memory_are_given_again(
    engine: Engine, broker: EmbeddedBroker, house: Flask
) -> None:
    """The clock has hinted, no worker has listened yet, and then the server forgets everything."""
    make_due()
    clock = engine.clock()
    clock.turn()
    with Redis.from_url(broker.url) as client:
        assert client.llen("rq:queue:publish") == 1
        client.flushall()
    assert engine.run(all_out, within=15)
    assert effects(house) == POSTS


def test_a_slow_carrier_keeps_nobody_elses_posts_waiting(engine: Engine, house: Flask) -> None:
    """One worker; thirty posts go to a carrier that takes four seconds over each while others fall
    due elsewhere."""
    slow = account("slow", settings={"seconds": 4.0})
    swift, pool = account(), make.pool()
    stuck = [approved(account=slow, pool=pool).id for _ in range(30)]
    others = [
        approved(account=swift, publish_at=now() + timedelta(seconds=1 + number / 4)).id
        for number in range(4)
    ]

    def states(ids: list[int]) -> Counter[State]:
        asked = select(Publication.state).where(Publication.id.in_(ids))
        return Counter(session.scalars(asked).all())

    def is_free() -> bool:
        return states(others) == {State.PUBLISHED: 4} and State.PUBLISHED not in states(stuck)

    assert engine.run(is_free, within=15)
    assert engine.run(lambda: states(stuck) == {State.PUBLISHED: 30}, within=30)


def test_all_clocks_down_for_ten_minutes(engine: Engine, house: Flask) -> None:
    """Nobody hinted all the while; then one clock starts, and the late policy has its say."""
    make_due()
    rows = select(Publication).order_by(Publication.id)
    with transaction():
        for number, one in enumerate(session.scalars(rows)):
            one.due_at = now() - timedelta(minutes=10) + timedelta(seconds=10 * number)
            if number < 3:
                one.late_after = one.due_at + timedelta(minutes=5)
    assert engine.run(lambda: counted(State.SCHEDULED) == 0, within=60)
    assert engine.run(lambda: counted(State.PUBLISHED) == POSTS - 3, within=10)
    assert counted(State.MISSED) == 3
    assert effects(house) == POSTS - 3


def test_what_it_costs_is_less_than_fifteen_seconds_in_service() -> None:
    """Above, the clock reminds after one second; in service these are the longest pauses."""
    turn = 1.0  # the clock asks once a second
    assert hints.REMIND_SECONDS + turn + workers.LISTEN_SECONDS < 15
    assert workers.LONGEST_BACK_OFF + turn + workers.LISTEN_SECONDS < 15


def test_full_it_holds_no_reader_up_and_the_click_is_counted_later(
    engine: Engine, broker: EmbeddedBroker, house: Flask
) -> None:
    shown = live.publication()
    squeeze(broker, "1")
    reader, began = house.test_client(), time.monotonic()
    address = f"/l/{shown.links[0].code}"
    assert reader.get(address, headers={"User-Agent": live.PHONE}).status_code == 302
    assert time.monotonic() - began < 2
    assert len(journal.files()) == 1
    hint_feedback()
    squeeze(broker, "256mb")
    hint_feedback()
    clicks = select(func.count()).select_from(Event)
    assert engine.run(lambda: session.scalar(clicks) == 1, within=10, queue=QueueName.FEEDBACK)
