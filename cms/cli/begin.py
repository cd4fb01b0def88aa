"""What every long-running process does first, and what it does on being told to end."""

import logging
import signal
from collections.abc import Callable

import click
from flask import Flask

from cms.core import faults, logs
from cms.core.beats import Beat
from cms.core.config import Settings
from cms.core.processes import die_with_parent


def begin(app: Flask, kind: str, *, stuck_after: float | None = None) -> Beat:
    """Tie the process to its parent, set up its logs and faults, and start its beat."""
    die_with_parent()
    logs.configure(process=kind)
    arm_faults(app.config["SEEDBED"])
    return Beat(app, kind, stuck_after=stuck_after).start()


def arm_faults(settings: Settings) -> None:
    """Honour the FAULT setting, which is empty outside test mode; a misspelt one is refused."""
    try:
        faults.arm(settings.faults, settings.home)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if unknown := faults.unknown():
        raise click.ClickException(f"FAULT names no such place: {', '.join(unknown)}")
    if settings.faults:
        logging.getLogger(__name__).warning("faults armed: %s", settings.faults)


def on_stop(action: Callable[[], None]) -> None:
    """Have SIGTERM, Ctrl-C and a closed terminal do this and nothing else."""

    def handle(_number: int, _frame: object) -> None:
        action()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, handle)
