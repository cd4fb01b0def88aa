"""Starts a throw-away PostgreSQL for the tests, or uses the one SEEDBED_TEST_POSTGRES names."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from cms.core import ports


def server_folder() -> Path | None:
    """Where the PostgreSQL server programs lie; None when there are none."""
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


@contextmanager
def running(*settings: str) -> Iterator[str]:
    """A server's URL (without database name), stopped and removed afterwards.

    Each of `settings` is one of PostgreSQL's own, as `name=value`.
    """
    given = os.environ.get("SEEDBED_TEST_POSTGRES")
    if given:
        yield given.rstrip("/")
        return
    programs = server_folder()
    if programs is None:
        raise RuntimeError(
            "PostgreSQL is missing: apt-get install postgresql (or set SEEDBED_TEST_POSTGRES)"
        )
    with tempfile.TemporaryDirectory(prefix="seedbed-pg-", dir="/tmp") as name:
        folder, port = Path(name), ports.free()
        as_owner = owner(folder)
        subprocess.run(
            [programs / "initdb", "-D", folder / "d", "-U", "seedbed", "-A", "trust", "-E", "UTF8"],
            check=True,
            stdout=subprocess.DEVNULL,
            **as_owner,
        )
        options = ("fsync=off", "max_connections=200", *settings)
        server = subprocess.Popen(
            [
                *(programs / "postgres", "-D", folder / "d", "-k", folder),
                *("-h", "127.0.0.1", "-p", str(port)),
                *(word for option in options for word in ("-c", option)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **as_owner,
        )
        try:
            _wait(port, server)
            yield f"postgresql://seedbed@127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)  # fast: does not wait for forgotten clients
            server.wait(20)


def create_database(server: str, name: str) -> str:
    """Make an empty database; returns its URL."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server}/{name}"


def owner(folder: Path) -> dict:
    """PostgreSQL refuses to run as root: hand the folder to a lesser user."""
    if os.geteuid() != 0:
        return {}
    for candidate in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(candidate)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("no user to run PostgreSQL as")


def _wait(port: int, server: subprocess.Popen) -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise RuntimeError("PostgreSQL did not start")
        try:
            psycopg.connect(f"postgresql://seedbed@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("PostgreSQL did not answer within 20 s")
