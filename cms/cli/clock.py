"""`flask clock`: calls what packages declared as ticks, at their pace, until told to stop."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import click
import structlog
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from cms.cli.begin import begin, on_stop
from cms.core import ticks
from cms.core.clock_guard import ClockGuard, accept_jump
from cms.core.config import Settings
from cms.core.faults import declare, fault
from cms.core.ticks import TICKS, Tick

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 1.0
STUCK_SECONDS = 60.0
NIGHTLY_SECONDS = 30.0
LASTING_SECONDS = 60.0  # a tick that fails for longer is told to people

declare("clock.turn")


class ClockLoop:
    """Paces ticks by a clock that nobody can set; a tick that fails is recorded, others go on."""

    def __init__(
        self,
        declared: Iterable[Tick],
        *,
        guard: ClockGuard,
        context: Callable[[], AbstractContextManager[Any]],
        touch: Callable[..., None],
    ) -> None:
        self._due = dict.fromkeys(declared, 0.0)
        self._guard = guard
        self._context = context
        self._touch = touch
        self._failing: dict[str, float] = {}  # since when
        self._ending = threading.Event()

    def stop(self) -> None:
        self._ending.set()

    def run(self) -> None:
        pause = 0.0
        while not self._ending.wait(pause):
            self.turn()
            soonest = min(self._due.values(), default=time.monotonic() + LONGEST_PAUSE)
            pause = min(max(soonest - time.monotonic(), 0.0), LONGEST_PAUSE)

    def turn(self) -> None:
        """Call every tick whose time has come, once, however many times it was missed."""
        fault("clock.turn")
        is_in_doubt = self._is_clock_in_doubt()
        for tick, due in self._due.items():
            if self._ending.is_set() or time.monotonic() < due:
                continue
            self._due[tick] = time.monotonic() + tick.every
            if tick.is_guarded:  # the tick before it may have taken long
                is_in_doubt = self._is_clock_in_doubt()
            if not (tick.is_guarded and is_in_doubt):
                self._call(tick)
        jump, lasting = self._guard.last_jump, time.monotonic() - LASTING_SECONDS
        self._touch(
            failing=sorted(self._failing),
            failing_for_long=sorted(name for name, at in self._failing.items() if at <= lasting),
            is_paused=is_in_doubt,
            clock_jump=jump.by.total_seconds() if jump else None,
        )

    def _is_clock_in_doubt(self) -> bool:
        try:
            self._guard.look()
        except OSError as error:  # a full disk cannot hold the flag: rather late than all at once
            log.error("clock_guard_failed", error=str(error))
            return True
        return self._guard.is_closed

    def _call(self, tick: Tick) -> None:
        try:
            with self._context():
                tick.function()
        except Exception as error:  # a job's door: one tick's trouble is not the others'
            if tick.name in self._failing:
                log.warning("tick_still_failing", tick=tick.name, error=repr(error))
            else:
                log.exception("tick_failed", tick=tick.name)
            self._failing.setdefault(tick.name, time.monotonic())
        else:
            self._failing.pop(tick.name, None)


@click.command()
@click.option("--accept-jump", is_flag=True, help="Confirm that the clock is right after a leap.")
@pass_script_info
def clock(info: ScriptInfo, accept_jump: bool) -> None:
    """Call what falls due. Any number of clocks may run."""
    app: Flask = info.load_app()
    settings: Settings = app.config["SEEDBED"]
    if accept_jump:
        _accept(settings)
        return
    beat = begin(app, "clock", stuck_after=STUCK_SECONDS)
    nightly = Tick(
        "cms.core.ticks.ask_for_nightly",
        NIGHTLY_SECONDS,
        lambda: ticks.ask_for_nightly(settings.zone),
        True,
    )
    loop = ClockLoop(
        [*TICKS.values(), nightly],
        guard=ClockGuard(settings.home),
        context=app.app_context,
        touch=beat.touch,
    )
    on_stop(loop.stop)
    loop.run()
    beat.stop()


def _accept(settings: Settings) -> None:
    if accept_jump(settings.home):
        click.echo("Confirmed. Due work goes on; what is too late by now is shown as missed.")
    else:
        click.echo("Nothing was waiting for a confirmation.")
