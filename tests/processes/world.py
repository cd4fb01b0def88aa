"""An application with a few jobs and ticks that leave traces in files, for processes under test."""

import os
import time
from pathlib import Path

from flask import current_app, has_app_context

from cms.core.db import session
from cms.core.jobs import QueueName, job
from cms.core.ticks import tick
from cms.factory import create_app

TRACES = Path(os.environ["SEEDBED_HOME"]) / "traces"


def leave(name: str, text: str) -> None:
    TRACES.mkdir(parents=True, exist_ok=True)
    with open(TRACES / name, "a") as file:
        file.write(text + "\n")


@job(queue=QueueName.MEDIA)
def note(number: int) -> None:
    left_over = session().info.get("number")
    session().info["number"] = number
    has_context = has_app_context() and current_app.name == "seedbed"
    leave("noted", f"{number} {has_context} {left_over}")


@job(queue=QueueName.MEDIA)
def fail(number: int) -> None:
    raise RuntimeError(f"job {number} was made to fail")


@job(queue=QueueName.MEDIA)
def linger(seconds: int) -> None:
    leave("lingered", "began")
    time.sleep(seconds)
    leave("lingered", "ended")


@tick(every=0.2)
def count() -> None:
    leave("ticks", "tick")


@tick(every=0.2)
def stumble() -> None:
    raise RuntimeError("this tick always fails")


@tick(every=0.2, guarded=True)
def publish_what_is_due() -> None:
    leave("guarded", "tick")


app = create_app()
