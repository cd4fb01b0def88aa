"""Installations whose commits are real ones, for faults that strike between two of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from flask import Flask

from cms.core import config, jobs, storage
from cms.core.config import settings_from
from cms.core.db import db
from cms.factory import create_app
from schedules.hints import Hinted
from tests.conftest import Client

Install = Callable[..., Flask]


@pytest.fixture
def install(application: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(home, **settings)`: an installation in that folder, its context open."""
    before = config.current()
    monkeypatch.setattr("schedules.jobs._hinted", Hinted())  # ids begin anew in each database
    with ExitStack() as stack:
        yield lambda home, **settings: stack.enter_context(_installed(home, **settings))
    config.use(before)
    jobs.connect(before.redis_url)
    storage.connect(before.folder("media"))


@contextmanager
def _installed(home: Path, **settings: str) -> Iterator[Flask]:
    given = {
        "SEEDBED_HOME": str(home),
        "SEEDBED_ENV": "test",
        "SEEDBED_DEMO": "off",
        "SEEDBED_BASE_URL": "http://localhost",
        "REDIS_URL": "unix:///nonexistent/seedbed.sock",
    }
    made = create_app(settings_from(given | settings))
    made.test_client_class = Client
    made.config["WTF_CSRF_ENABLED"] = False
    with made.app_context():
        db.create_all()
        yield made
        db.session.remove()
        db.engine.dispose()
