"""`flask worker` with a real broker: runs ours, refuses others', outlives outages, ends politely."""

import json
import pickle
import signal
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer

from cms.core.broker import EmbeddedBroker
from cms.core.workers import ENTRANCE
from tests.processes.conftest import WORLD, Home, Running, eventually

pytestmark = pytest.mark.processes


@pytest.fixture
def broker(home: Home) -> EmbeddedBroker:
    return home.start_broker()


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Redis]:
    with Redis.from_url(broker.url) as connection:
        yield connection


@pytest.fixture
def worker(home: Home, broker: EmbeddedBroker) -> Running:
    return started(home)


def started(home: Home, **environ: str) -> Running:
    running = home.run("worker", "media", **environ)
    eventually(lambda: running.said("worker_listening"), within=20, what="a listening worker")
    return running


def ask(client: Redis, name: str, *args: int, job_id: str | None = None) -> None:
    queue = Queue("media", connection=client, serializer=JSONSerializer)
    queue.enqueue_call(ENTRANCE, args=(f"{WORLD}.{name}", *args), job_id=job_id, timeout=60)


def slip_in(client: Redis, job_id: str, data: bytes) -> None:
    """What somebody with access to the broker, or another program, could leave on the queue."""
    fields: dict[str, bytes | str] = {
        "data": data,
        "origin": "media",
        "status": "queued",
        "created_at": "2026-11-01T00:00:00.000000Z",
    }
    client.hset(RqJob.key_for(job_id), mapping=fields)
    client.rpush("rq:queue:media", job_id)


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_jobs_run_each_in_a_context_of_its_own_and_fail_alone(
    home: Home, client: Redis, worker: Running
) -> None:
    for number in (1, 2, 3):
        ask(client, "note", number)
    eventually(lambda: len(home.trace("noted")) == 3)
    assert home.trace("noted") == ["1 True None", "2 True None", "3 True None"]
    line = json.loads(eventually(lambda: worker.said("job_done"))[0])
    assert line["job"] == f"{WORLD}.note"
    assert line["args"] == [1]
    assert line["ms"] >= 0
    ask(client, "fail", 7)
    ask(client, "note", 8)
    eventually(lambda: len(home.trace("noted")) == 4)
    line = json.loads(worker.said("job_failed")[0])
    assert "job 7 was made to fail" in line["exception"]
    assert worker.process.poll() is None


def test_what_is_not_ours_is_refused(home: Home, client: Redis, worker: Running) -> None:
    loot = home.path / "loot"

    def call(function: str, args: list[object]) -> bytes:
        return json.dumps([function, None, args, {}]).encode()

    pickled = pickle.dumps(("pathlib.Path.touch", None, (Malicious(loot),), {}))
    slip_in(client, "pickled", pickled)
    slip_in(client, "compressed", zlib.compress(pickled))
    slip_in(client, "foreign", call("os.mkdir", [str(loot)]))
    slip_in(client, "undeclared", call(ENTRANCE, ["os.mkdir", str(loot)]))
    slip_in(client, "not-a-call", b'{"a": 1}')
    slip_in(client, "nested", call(ENTRANCE, [f"{WORLD}.note", {"id": 1}]))
    slip_in(client, "called-back", call(ENTRANCE, [f"{WORLD}.note", 5]))
    client.hset(RqJob.key_for("called-back"), "success_callback_name", "os.mkdir")
    client.hset(RqJob.key_for("bad-date"), mapping={"data": b"x", "created_at": "yesterday"})
    client.rpush("rq:queue:media", "bad-date")
    client.set(RqJob.key_for("a-string"), "not a hash")
    client.rpush("rq:queue:media", "a-string")
    client.rpush("rq:queue:media", b"\xff\xfe")
    ask(client, "note", 99)
    eventually(lambda: home.trace("noted"), what="our own job after all the foreign ones")
    assert home.trace("noted") == ["99 True None"]
    assert worker.process.poll() is None
    assert not loot.exists()
    alarms = [json.loads(line) for line in worker.said("foreign_job_refused")]
    assert {alarm["level"] for alarm in alarms} == {"critical"}
    refused = {alarm.get("job_id") for alarm in alarms}
    assert {"pickled", "compressed", "foreign", "undeclared", "not-a-call", "nested"} < refused
    assert {"called-back", "bad-date", "a-string"} < refused
    assert client.llen("rq:queue:media:intermediate") == 0


def test_it_waits_for_a_broker_that_comes_back_empty(
    home: Home, client: Redis, worker: Running, broker: EmbeddedBroker
) -> None:
    assert broker.process is not None
    broker.process.kill()
    broker.process.wait()
    eventually(lambda: worker.said("broker_unreachable"))
    time.sleep(3)
    assert worker.process.poll() is None
    for file in (broker.folder / "appendonlydir").iterdir():
        file.unlink()
    broker.start(home.path / "broker.log")
    back = time.monotonic()
    ask(client, "note", 1)
    eventually(lambda: home.trace("noted"), within=15)
    assert time.monotonic() - back < 15
    assert worker.process.poll() is None
    assert len(worker.said("broker_unreachable")) < 10, "it backs off"


def test_it_can_start_before_its_broker(home: Home) -> None:
    early = home.run("worker", "media")
    eventually(lambda: early.said("broker_unreachable"), within=20)
    broker = home.start_broker()
    with Redis.from_url(broker.url) as client:
        ask(client, "note", 1)
    eventually(lambda: home.trace("noted"), within=15)


def test_a_broker_lost_during_a_job_costs_nothing(
    home: Home, client: Redis, worker: Running, broker: EmbeddedBroker
) -> None:
    ask(client, "linger", 2, job_id="slow")
    eventually(lambda: home.trace("lingered"))
    assert broker.process is not None
    broker.process.kill()
    broker.process.wait()
    eventually(lambda: worker.said("broker_unreachable"), what="the job ended without a broker")
    assert home.trace("lingered") == ["began", "ended"]
    broker.start(home.path / "broker.log")
    ask(client, "note", 1)
    eventually(lambda: home.trace("noted"))
    eventually(lambda: not client.exists("rq:job:slow"), within=12, what="its id is free again")


def test_sigterm_finishes_the_job_in_hand(home: Home, client: Redis, worker: Running) -> None:
    ask(client, "linger", 1)
    ask(client, "note", 1)
    eventually(lambda: home.trace("lingered"))
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert home.trace("lingered") == ["began", "ended"]
    assert home.trace("noted") == [], "no further job is begun"
    assert client.llen("rq:queue:media") == 1


@pytest.mark.parametrize("place", ["worker.dequeued", "during the job"])
def test_after_a_kill_the_same_request_can_be_made_again(
    place: str, home: Home, broker: EmbeddedBroker, client: Redis
) -> None:
    """RQ would hold the id of an abandoned job for minutes, and with it the ledger's next hint."""
    if place == "worker.dequeued":
        victim = started(home, FAULT="worker.dequeued:kill9")
        ask(client, "note", 1, job_id="pub-1")
    else:
        victim = started(home)
        ask(client, "linger", 60, job_id="pub-1")
        eventually(lambda: home.trace("lingered"))
        victim.signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    started(home, FAULT="worker.dequeued:kill9")  # fires once per data directory
    if place == "worker.dequeued":
        eventually(
            lambda: home.trace("noted"), within=12, what="the undelivered hint is given back"
        )
    else:
        eventually(
            lambda: not client.exists("rq:job:pub-1"), within=12, what="its id is free again"
        )
