"""What `flask up` does before its first start and says once the pages answer: filled by others."""

from collections.abc import Callable, Iterable

import structlog
from flask import Flask

log = structlog.get_logger(__name__)

Hook = Callable[[], Iterable[str]]

BEFORE_START: list[Hook] = []  # before clock and workers: load the demo world, say so
AFTER_START: list[Hook] = []  # sign-in links and the like


def preparations(app: Flask) -> Iterable[str]:
    """Run what has to be there before clock and workers start; yields a line per step."""
    yield from _run(app, BEFORE_START)


def lines(app: Flask) -> Iterable[str]:
    """What to print below the address."""
    yield from _run(app, AFTER_START)


def _run(app: Flask, hooks: list[Hook]) -> Iterable[str]:
    for hook in hooks:
        try:
            with app.app_context():
                yield from hook()
        except Exception as error:  # a start must not fail for want of a greeting
            log.exception("start_hook_failed", hook=hook.__name__)
            yield f"{hook.__name__} failed: {error}"
