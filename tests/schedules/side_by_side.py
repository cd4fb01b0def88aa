"""Several workers that begin at one moment, as threads or as processes of their own."""

import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from cms.core.db import db

WORKERS = 8


def in_threads(app: Flask, work: Callable[[], str]) -> list[str]:
    """What each of eight threads came back with; a fault is told by its name."""
    gate, told = threading.Barrier(WORKERS), [""] * WORKERS

    def run(number: int) -> None:
        with app.app_context():
            gate.wait()
            try:
                told[number] = work()
            except Exception as error:
                told[number] = type(error).__name__
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def in_processes(app: Flask, work: Callable[[], str], folder: Path) -> list[str]:
    """The same in eight forked processes, each with connections of its own."""
    fork = multiprocessing.get_context("fork")
    gate = fork.Barrier(WORKERS)

    def run(number: int) -> None:
        with app.app_context():
            db.engine.dispose(close=False)  # the parent's connections are not ours
            gate.wait()
            try:
                told = work()
            except Exception as error:
                told = type(error).__name__
            (folder / f"told-{number}").write_text(told)

    with app.app_context():
        db.engine.dispose()
    workers = [fork.Process(target=run, args=(number,)) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [(folder / f"told-{number}").read_text() for number in range(WORKERS)]
