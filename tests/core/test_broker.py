"""The embedded broker with the real server program."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.retry import Retry

from cms.core.broker import BrokerUnavailable, EmbeddedBroker
from cms.core.config import LONGEST_SOCKET_PATH, settings_from

pytestmark = pytest.mark.processes


def broker_of(home: Path) -> EmbeddedBroker:
    settings = settings_from({"SEEDBED_HOME": str(home)})
    return EmbeddedBroker(home / "broker", settings.redis_url)


def client_of(broker: EmbeddedBroker) -> Redis:
    return Redis.from_url(broker.url, socket_timeout=3)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    made = broker_of(tmp_path)
    made.start()
    yield made
    made.stop()


def test_only_the_owner_can_reach_it(broker: EmbeddedBroker) -> None:
    assert stat.S_IMODE(broker.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((broker.folder / "broker.sock").stat().st_mode) == 0o700
    assert stat.S_IMODE((broker.folder / "seedbed.conf").stat().st_mode) == 0o600
    with client_of(broker) as client:
        assert client.config_get("port")["port"] == "0"


def test_a_full_broker_refuses_rather_than_forgets(broker: EmbeddedBroker) -> None:
    with client_of(broker) as client:
        client.set("kept", "yes")
        client.config_set("maxmemory", "1mb")
        with pytest.raises(RedisError, match="maxmemory"):
            client.set("large", "x" * 2_000_000)
            client.set("more", "x")
        assert client.get("kept") == b"yes"


def test_what_was_acknowledged_survives_a_kill(broker: EmbeddedBroker) -> None:
    with client_of(broker) as client:
        for number in range(200):
            client.rpush("queue", number)
    assert broker.process is not None
    broker.process.kill()
    broker.process.wait()
    broker.start()
    with client_of(broker) as client:
        assert client.llen("queue") == 200


def test_a_second_one_on_the_same_folder_refuses(broker: EmbeddedBroker, tmp_path: Path) -> None:
    with client_of(broker) as client:
        client.set("mine", "1")
    with pytest.raises(BrokerUnavailable, match="already running"):
        broker_of(tmp_path).start()
    with client_of(broker) as client:
        assert client.get("mine") == b"1"


def test_a_stranger_at_the_address_is_left_alone(tmp_path: Path) -> None:
    stranger = broker_of(tmp_path)
    stranger.start()
    try:
        (stranger.folder / "broker.lock").unlink()  # as if it had been started without our lock
        with pytest.raises(BrokerUnavailable, match="another server"):
            broker_of(tmp_path).start()
        assert stranger.is_answering()
    finally:
        stranger.stop()


def test_a_dead_socket_does_not_hinder(tmp_path: Path) -> None:
    broker = broker_of(tmp_path)
    first = broker.start()
    first.kill()
    first.wait()
    assert (broker.folder / "broker.sock").exists()
    broker.start()
    assert broker.is_answering()
    broker.stop()


def test_an_unreadable_file_is_set_aside(tmp_path: Path) -> None:
    broker = broker_of(tmp_path)
    broker.start()
    with client_of(broker) as client:
        client.set("hint", "1")
    broker.stop()
    [manifest] = (broker.folder / "appendonlydir").glob("*.manifest")
    manifest.write_text("nonsense")
    broker.start()
    assert broker.is_answering()
    assert len(list(broker.folder.glob("appendonlydir.unreadable-*"))) == 1
    broker.stop()


def test_a_long_path_falls_back_to_a_port_with_a_password(tmp_path: Path) -> None:
    home = tmp_path / ("长" * 20) / ("x" * 60)
    assert len(os.fsencode(home / "broker" / "broker.sock")) > LONGEST_SOCKET_PATH
    broker = broker_of(home)
    assert broker.url.startswith("redis://:")
    assert broker.url == broker_of(home).url, "every process must be told the same address"
    broker.start()
    try:
        with client_of(broker) as client:
            assert client.ping()
        port = int(broker.url.rpartition(":")[2].partition("/")[0])
        with (
            Redis(port=port, retry=Retry(NoBackoff(), 0)) as intruder,
            pytest.raises(AuthenticationError),
        ):
            intruder.ping()
        assert broker.process is not None
        command_line = Path(f"/proc/{broker.process.pid}/cmdline")
        if command_line.exists():
            password = broker.url.split(":")[2].partition("@")[0]
            assert password not in command_line.read_text()
    finally:
        broker.stop()


def test_odd_characters_in_the_path() -> None:
    home = Path(f"/tmp/seedbed {os.getpid()} 50%?#种")
    try:
        broker = broker_of(home)
        broker.start()
        with client_of(broker) as client:
            assert client.ping()
        assert (home / "broker" / "broker.sock").is_socket()
        broker.stop()
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)


def test_it_dies_with_whoever_started_it(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from tests.core.test_broker import broker_of\n"
        "home = Path(sys.argv[1])\n"
        "print(broker_of(home).start(home / 'broker.log').pid, flush=True); time.sleep(60)\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    again = broker_of(tmp_path)
    began = time.monotonic()
    again.replace_orphan()
    try:
        assert time.monotonic() - began < 4
        assert again.process is not None
        assert again.process.pid != pid
        assert again.is_answering()
    finally:
        again.stop()
