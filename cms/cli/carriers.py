"""`flask carriers`: serves the demo carriers on this machine, as one more of Seedbed's processes."""

import importlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import click
import structlog
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from cms.cli.begin import begin, on_stop
from cms.core import config, demo_carriers, ports
from cms.core.config import Settings
from cms.core.db import session
from cms.demo import consoles, marks, ways
from cms.demo.carriers import families
from cms.demo.carriers.mail import MailSink, letters_folder
from cms.demo.carriers.pulse import Pulse
from cms.demo.carriers.serving import Carriers, server
from schedules import polling
from schedules.models import ChannelAccount, Publication
from schedules.states import PublicationState as State

log = structlog.get_logger(__name__)

TURN_SECONDS = 1.0
STUCK_SECONDS = 90.0
NEWS_APART = 2.0  # seconds: six employees at once are one reason to ask
PREDECESSOR_SECONDS = 2.0
SETTING = "SEEDBED_CARRIERS_URL"
NONE_RUN = f"No demo carriers run here: SEEDBED_DEMO is off, or {SETTING} is set to nothing."
BUSY = "Port {port} of the demo carriers is in use by another program. Everything else goes on."


@click.command("carriers")
@pass_script_info
def carriers(info: ScriptInfo) -> None:
    """Serve the demo carriers on 127.0.0.1, with a demo mail server beside them."""
    app: Flask = info.load_app()
    settings: Settings = app.config["SEEDBED"]
    if not settings.carriers_url:
        raise click.ClickException(NONE_RUN)
    with closing(_listener(settings)) as listener:
        beat = begin(app, demo_carriers.KIND, stuck_after=STUCK_SECONDS)
        with app.app_context():
            house = families.opened(_pages(app))
            sink = _mail_sink()
        try:
            _serve(app, house, listener, beat.touch)
        finally:
            sink.stop()
            house.close()
            beat.stop()


def are_wanted(app: Flask) -> bool:
    """Whether `flask up` runs them: only where a demo is loaded."""
    settings: Settings = app.config["SEEDBED"]
    if not settings.carriers_url:
        return False
    with app.app_context():
        return marks.mark() is not None


def settle(app: Flask) -> str:
    """Before anything starts: where another program has taken the kept port, choose another one.

    A port that a setting names is left alone: then the demo carriers wait, and say so.
    """
    settings: Settings = app.config["SEEDBED"]
    if not settings.carriers_url or os.environ.get(SETTING) or _is_free(settings):
        return ""
    url = f"http://{ports.HOST}:{ports.free()}"
    demo_carriers.keep(demo_carriers.address_file(), url)
    app.config["SEEDBED"] = replace(settings, carriers_url=url)
    config.use(app.config["SEEDBED"])
    return f"their port was taken; they are at {url} now"


def prepare() -> None:
    """Accounts call the demo carriers where they are now; without a demo there is no demo mail."""
    if marks.mark() is None:
        demo_carriers.close_mail()
    elif config.current().carriers_url:
        demo_carriers.open_mail()
        ways.follow()


def _pages(app: Flask) -> Any:
    """Loaded when needed: other commands draw no pages."""
    return importlib.import_module("cms.demo.carriers.pages").Pages(app)


def _listener(settings: Settings) -> socket.socket:
    port = _port(settings)
    try:
        return ports.listen(port, patience=PREDECESSOR_SECONDS)
    except ports.PortBusy:
        raise click.ClickException(BUSY.format(port=port)) from None


def _is_free(settings: Settings) -> bool:
    try:
        ports.listen(_port(settings), patience=PREDECESSOR_SECONDS).close()
    except ports.PortBusy:
        return False
    return True


def _port(settings: Settings) -> int:
    return urlsplit(settings.carriers_url).port or 80


def _mail_sink() -> MailSink:
    """On the kept port, or on another one when that is taken: letters look for it each time."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # a line for every word of a letter
    for anew in (False, True):
        sink = MailSink(letters_folder(), demo_carriers.open_mail(anew=anew))
        try:
            sink.start()
            return sink
        except OSError:
            log.warning("demo_mail_port_taken", port=sink.port)
    raise click.ClickException("No port is free for the demo mail server.")


def _serve(
    app: Flask, house: Carriers, listener: socket.socket, touch: Callable[..., None]
) -> None:
    ending = threading.Event()
    on_stop(ending.set)
    web = server(house, listener)
    threading.Thread(target=web.serve_forever, args=(0.2,), name="carriers", daemon=True).start()
    pulse = Pulse(house, _Hurry(app))
    log.info("demo_carriers_listening", port=web.port)
    is_connected = False
    while not ending.wait(TURN_SECONDS):
        is_connected = is_connected or _connect(app, house)
        pulse.turn()
        touch()
    web.shutdown()


def _connect(app: Flask, house: Carriers) -> bool:
    """Whether the carriers know our accounts now; a database that is away is asked again."""
    with app.app_context():
        try:
            consoles.connect(house)
        except SQLAlchemyError as error:
            session.rollback()
            log.debug("demo_carriers_wait_for_database", error=str(getattr(error, "orig", "")))
            return False
    return True


class _Hurry:
    """Has the ledger ask WeCom now about everything that employees are still to do."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._last = 0.0

    def __call__(self) -> None:
        time.sleep(max(0.0, self._last + NEWS_APART - time.monotonic()))
        self._last = time.monotonic()
        with self._app.app_context():
            for publication_id in session.scalars(_open_at_wecom()).all():
                polling.hurry(publication_id)


def _open_at_wecom() -> Any:
    return (
        select(Publication.id)
        .join(Publication.account)
        .where(ChannelAccount.channel.in_(("wecom_moments", "wecom_mass")))
        .where(Publication.state.in_((State.HANDED_OVER, State.PUBLISHED)))
        .where(Publication.poll_at.is_not(None))
    )
