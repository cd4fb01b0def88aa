"""Servers that a run may kill, freeze and start again on the same files: PostgreSQL and Redis over TCP."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from cms.core import ports
from cms.core.broker import server_binary
from tests import postgres


class Server:
    """One server program in a process group of its own, so that a kill takes its children along."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.host = host
        self.port = ports.free()
        self.process: subprocess.Popen[bytes] | None = None
        self.owner: dict = {}

    def argv(self) -> list[str]:
        raise NotImplementedError

    def is_answering(self) -> bool:
        raise NotImplementedError

    def launch(self) -> None:
        """Start without waiting."""
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                self.argv(), stdout=log, stderr=log, start_new_session=True, **self.owner
            )

    def start(self, within: float = 30) -> None:
        self.launch()
        deadline = time.monotonic() + within
        while not self.is_answering():
            assert time.monotonic() < deadline, (self.folder / "server.log").read_text()[-2000:]
            if not self.is_alive():
                self.launch()
            time.sleep(0.1)

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, how: signal.Signals) -> None:
        if self.is_alive():
            assert self.process is not None
            os.killpg(self.process.pid, how)

    def stop(self) -> None:
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()


class Postgres(Server):
    """A PostgreSQL with one database, `seedbed`."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        super().__init__(folder, host)
        found = postgres.server_folder()
        assert found, "PostgreSQL is missing: apt-get install postgresql"
        self.programs = found
        self.owner = postgres.owner(folder)
        subprocess.run(
            [found / "initdb", "-D", folder / "d", "-U", "seedbed", "-A", "trust", "-E", "UTF8"],
            check=True,
            stdout=subprocess.DEVNULL,
            **self.owner,
        )
        (folder / "d" / "pg_hba.conf").write_text(
            "local all all trust\nhost all all 127.0.0.0/8 trust\nhost all all 10.0.0.0/8 trust\n"
        )

    @property
    def url(self) -> str:
        return f"postgresql://seedbed@{self.host}:{self.port}/seedbed"

    def argv(self) -> list[str]:
        options = {"listen_addresses": self.host, "max_connections": "200", "port": str(self.port)}
        words = [str(self.programs / "postgres"), "-D", str(self.folder / "d")]
        words += ["-k", str(self.folder)]
        return words + [
            word for name, value in options.items() for word in ("-c", f"{name}={value}")
        ]

    def is_answering(self) -> bool:
        address = f"postgresql://seedbed@{self.host}:{self.port}/postgres"
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True

    def create(self) -> None:
        address = f"postgresql://seedbed@{self.host}:{self.port}/postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE seedbed")

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """One in a folder of its own, with its database, gone at the end."""
        with tempfile.TemporaryDirectory(prefix="seedbed-pg-", dir="/tmp") as name:
            made = cls(Path(name))
            made.start()
            made.create()
            try:
                yield made
            finally:
                made.stop()


class RedisServer(Server):
    """A server that keeps nothing: killed, it comes back empty."""

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    def argv(self) -> list[str]:
        words = [server_binary(), "--port", str(self.port), "--bind", self.host, "--save", ""]
        return [*words, "--protected-mode", "no", "--dir", str(self.folder)]

    def is_answering(self) -> bool:
        client = Redis(host=self.host, port=self.port, socket_connect_timeout=1, socket_timeout=1)
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()
