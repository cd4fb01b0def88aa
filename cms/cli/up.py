"""`flask up`: one command that prepares the data directory and runs every process of Seedbed."""

import http.client
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address
from pathlib import Path

import click
import flask_migrate
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from cms.cli import carriers, up_banner
from cms.cli.begin import on_stop
from cms.core import logs, ports, preparing
from cms.core.beats import Beat
from cms.core.broker import BrokerUnavailable, EmbeddedBroker
from cms.core.config import Settings
from cms.core.home_lock import HomeInUse, HomeLock
from cms.core.jobs import QueueName
from cms.core.processes import Spawn
from cms.core.supervisor import Program, Supervisor

WEB_FIRST_SECONDS = 8.0  # how long the others leave the machine to the web server at the start
PREDECESSOR_SECONDS = 3.0
TWICE_SECONDS = 1.0  # one Ctrl-C may reach us by two ways, from the terminal and through make
WEB, BACKGROUND, BROKER = 1, 2, 3  # the order in which they end
WIDTH = 16


@click.command()
@pass_script_info
def up(info: ScriptInfo) -> None:
    """Run broker, web, clock and workers until Ctrl-C."""
    app: Flask = info.load_app()
    settings: Settings = app.config["SEEDBED"]
    logs.configure(process="supervisor")
    try:
        with HomeLock(settings.home) as lock:
            patience = PREDECESSOR_SECONDS if lock.was_left_behind else 0.0
            with closing(
                ports.listen(settings.port, host=settings.bind, patience=patience)
            ) as listener:
                System(app, info.app_import_path or "wsgi", listener).run()
    except (HomeInUse, ports.PortBusy, BrokerUnavailable) as error:
        raise click.ClickException(str(error)) from None


class System:
    """All the processes of one data directory."""

    def __init__(self, app: Flask, import_path: str, listener: socket.socket) -> None:
        self.app = app
        self.import_path = import_path
        self.listener = listener
        self.settings: Settings = app.config["SEEDBED"]
        self.logs = self.settings.folder("logs")
        self.ending = threading.Event()
        self.asked_at = 0.0
        self.supervisor = Supervisor(_tell)

    def run(self) -> None:
        """Start, watch, end. Whatever happens, no child is left."""
        on_stop(self._ask_to_end)
        started = time.monotonic()
        try:
            self._prepare()
            self._start_web(started)
            self._fill()
            self._start_background()
            self._greet()
            with self._beating() as beat:
                self.supervisor.watch(
                    self.ending, lambda: beat.touch(children=self.supervisor.state())
                )
        finally:
            _tell("supervisor", "ending")
            self.supervisor.stop()
            _tell("supervisor", "ended")

    def _ask_to_end(self) -> None:
        now = time.monotonic()
        if not self.ending.is_set():
            self.asked_at = now
            self.ending.set()
        elif now - self.asked_at > TWICE_SECONDS:
            self.supervisor.kill()  # asked again: somebody is in a hurry

    def _prepare(self) -> None:
        _tell("data", str(self.settings.home))
        with self.app.app_context():
            _bring_schema_up_to_date()
        logs.configure(process="supervisor")  # migrations set up logging of their own
        preparing.clear(self.settings.home)
        if moved := carriers.settle(self.app):
            _tell("carriers", moved)
        if self.settings.is_redis_embedded:
            self._start_broker()

    def _start_broker(self) -> None:
        broker = EmbeddedBroker(self.settings.home / "broker", self.settings.redis_url)
        log = self.logs / "broker.log"
        self.supervisor.add(
            Program(
                label="broker", start=lambda: broker.replace_orphan(log), stop_order=BROKER, log=log
            )
        )

    def _start_web(self, started: float) -> None:
        """The web server first; the rest when it answers, so that the first page comes soon."""
        self._add("web", self._gunicorn(), WEB, descriptors=(self.listener.fileno(),))
        is_answering = threading.Event()
        threading.Thread(
            target=self._announce, args=(is_answering, started), name="announce", daemon=True
        ).start()
        deadline = time.monotonic() + WEB_FIRST_SECONDS
        while (
            not is_answering.is_set() and time.monotonic() < deadline and not self.ending.is_set()
        ):
            self.supervisor.turn()
            is_answering.wait(0.1)

    def _fill(self) -> None:
        """Load what a first start needs, while the pages tell how far it is.

        Clock and workers start afterwards: they must not publish a past that is still being told.
        """
        for done, line in enumerate(up_banner.preparations(self.app), start=1):
            _tell("data", line)
            preparing.say(self.settings.home, line, done)
            self.supervisor.turn()
            if self.ending.is_set():
                return
        preparing.clear(self.settings.home)

    def _start_background(self) -> None:
        if self.ending.is_set():
            return
        if carriers.are_wanted(self.app):
            self._add("carriers", self._flask("carriers"), BACKGROUND)
        self._add("clock", self._flask("clock"), BACKGROUND)
        for name in QueueName:
            count = self.settings.publish_workers if name is QueueName.PUBLISH else 1
            for number in range(1, count + 1):
                label = f"{name.value}-{number}" if count > 1 else name.value
                self._add(label, self._flask("worker", name.value), BACKGROUND)

    def _add(
        self, label: str, argv: list[str], stop_order: int, *, descriptors: tuple[int, ...] = ()
    ) -> None:
        log = self.logs / f"{label}.log"
        environ = {"SEEDBED_LISTEN": f"fd://{descriptors[0]}"} if descriptors else {}
        spawn = Spawn(argv=argv, log=log, environ=environ, descriptors=descriptors)
        self.supervisor.add(Program(label=label, start=spawn.start, stop_order=stop_order, log=log))

    def _flask(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "flask", "--app", self.import_path, *words]

    def _gunicorn(self) -> list[str]:
        module, _, name = self.import_path.partition(":")
        target = f"{module}:{name or 'app'}"
        return [sys.executable, "-m", "gunicorn", "-c", "python:cms.cli.web_server", target]

    @contextmanager
    def _beating(self) -> Iterator[Beat]:
        beat = Beat(self.app, "supervisor").start()
        try:
            yield beat
        finally:
            beat.stop()

    def _announce(self, is_answering: threading.Event, started: float) -> None:
        while not self.ending.is_set() and not _answers(self.settings):
            time.sleep(0.1)
        if self.ending.is_set():
            return
        _tell(
            "web", f"answering after {time.monotonic() - started:.1f} s: {self.settings.base_url}"
        )
        is_answering.set()

    def _greet(self) -> None:
        if self.ending.is_set():
            return
        print(f"\n  Seedbed is running at {self.settings.base_url}")
        for line in up_banner.lines(self.app):
            print(f"  {line}")
        print(f"\n  Logs: {_short(self.logs)}   End with Ctrl-C.\n", flush=True)


def _bring_schema_up_to_date() -> None:
    flask_migrate.upgrade()


def _answers(settings: Settings) -> bool:
    """Whether the web server gives any answer at all; what it says is not our matter."""
    host = ports.HOST if ip_address(settings.bind).is_unspecified else settings.bind
    connection = http.client.HTTPConnection(host, settings.port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _short(path: Path) -> str:
    here = Path(os.getcwd())
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _tell(label: str, what: str) -> None:
    stamp = time.strftime("%H:%M:%S")
    name = click.style(f"{label:<{WIDTH}}", fg="cyan")
    click.echo(f"{stamp}  {name}{what}")
