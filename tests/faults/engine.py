"""The real clock loop and the real publish worker in one process, with a queue server of their own."""

import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask

from cms.cli.clock import ClockLoop
from cms.core.broker import EmbeddedBroker
from cms.core.clock_guard import ClockGuard
from cms.core.config import Settings
from cms.core.db import session
from cms.core.jobs import QueueName
from cms.core.threads import Crew, employ
from cms.core.ticks import TICKS, Tick
from cms.core.workers import QueueWorker, broker_connection
from schedules.jobs import THREADS


def ticks_of(*names: str) -> list[Tick]:
    """The declared ticks of those functions."""
    return [tick for name, tick in TICKS.items() if name.rpartition(".")[2] in names]


class Engine:
    """Runs until a question is answered; the worker keeps the main thread, as RQ's timeouts ask."""

    def __init__(self, app: Flask, broker: EmbeddedBroker) -> None:
        self.app = app
        self.broker = broker
        self.settings: Settings = app.config["SEEDBED"]
        self.guard = ClockGuard(self.settings.home)
        self.seconds = 0.0

    def clock(self) -> ClockLoop:
        due = ticks_of("hint_due", "reconcile")
        return ClockLoop(
            due, guard=self.guard, context=self.app.app_context, touch=lambda **_detail: None
        )

    def run(
        self, question: Callable[[], Any], *, within: float, queue: QueueName = QueueName.PUBLISH
    ) -> bool:
        """Whether the answer came in time; how long it took is in `seconds`."""
        session.remove()
        worker = QueueWorker(
            queue,
            connection=broker_connection(self.settings.redis_url),
            context=self.app.app_context,
        )
        crew, loop, began = Crew(THREADS), self.clock(), time.monotonic()
        answers: list[Any] = []

        def watch() -> None:
            with self.app.app_context():
                while not answers and time.monotonic() < began + within:
                    session.rollback()
                    answers.extend(filter(None, [question()]))
                    time.sleep(0.05)
                session.remove()
            self.seconds = time.monotonic() - began
            loop.stop()
            worker.stop()

        threads = [threading.Thread(target=loop.run), threading.Thread(target=watch)]
        for thread in threads:
            thread.start()
        employ(crew)
        worker.serve()
        for thread in threads:
            thread.join()
        crew.finish()
        employ(None)
        worker.connection.close()
        return bool(answers)

    def rest(self, seconds: float) -> None:
        self.run(lambda: False, within=seconds)
