"""The demo world, loaded once into an installation of its own: it cannot live in a test's transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from cms.core import config, jobs, storage
from cms.core.config import Settings, settings_from
from cms.core.db import db
from cms.demo import world
from cms.factory import create_app
from tests import postgres


@contextmanager
def installation(home: Path, database_url: str) -> Iterator[Flask]:
    """An application beside the one the other tests use; theirs is in force again afterwards."""
    before = config._current
    settings = settings_from(
        {
            "SEEDBED_HOME": str(home),
            "SEEDBED_ENV": "test",
            "DATABASE_URL": database_url,
            "SEEDBED_BASE_URL": "http://localhost",
            "REDIS_URL": "unix:///nonexistent/seedbed.sock",
        }
    )
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        db.create_all()
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
            if before is not None:
                _return_to(before)


def _return_to(settings: Settings) -> None:
    config.use(settings)
    jobs.connect(settings.redis_url)
    storage.connect(settings.folder("media"))


@pytest.fixture(scope="module")
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[str]]:
    """The lines of a whole load, with the application's context open on the world it made."""
    home = tmp_path_factory.mktemp("demo")
    if request.config.getoption("--database") == "sqlite":
        with installation(home, f"sqlite:///{home / 'demo.db'}"):
            yield list(world.load())
        return
    with (
        postgres.running() as server,
        installation(home, postgres.create_database(server, "seedbed_demo")),
    ):
        yield list(world.load())


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Flask]:
    """An empty installation of one test's own."""
    with installation(tmp_path, f"sqlite:///{tmp_path / 'other.db'}") as app:
        yield app
