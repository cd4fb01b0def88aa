"""One application and one schema a run; every test in an outer transaction that is rolled back."""

import contextvars
import gc
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from argon2 import PasswordHasher
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import event

from cms.accounts import passwords
from cms.core import config, jobs, storage
from cms.core.config import settings_from
from cms.core.db import db, session, transaction
from cms.factory import create_app
from schedules.channels import calling
from tests import postgres
from tests.demo_carriers import Start, starting

# Guessing must be dear for a stranger, not for every test that signs somebody in.
REAL_HASHER, passwords._hasher = (
    passwords._hasher,
    PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
)

# What a test writes is never committed: a vacuum beside it would find every table empty, and have
# PostgreSQL plan for empty ones. A statement that waits for minutes is a fault, not a long wait.
POSTGRES = ("autovacuum=off", "statement_timeout=2min")

# Fixtures through which a test meets the database that `--database` names.
DATABASES = {"database_url", "url", "told", "postgres_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what meets the database runs: the rest was proven on SQLite a minute ago."""
    if config.getoption("--database") == "postgresql":
        same = [item for item in items if not _meets_database(item)]
        config.hook.pytest_deselected(items=same)
        items[:] = [item for item in items if _meets_database(item)]


def _meets_database(item: pytest.Item) -> bool:
    return bool(DATABASES & set(getattr(item, "fixturenames", ()))) or any(
        item.get_closest_marker(name) for name in ("browser", "chaos", "processes")
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What imports and collecting make stays to the end: no search for rubbish need look at it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


class Client(FlaskClient):
    """Runs each request outside the test's own app context, as a server would."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        answer = contextvars.Context().run(lambda: FlaskClient.open(self, *args, **kwargs))
        if has_app_context():  # following a redirect, we are already outside it
            session.expire_all()
        return answer


@pytest.fixture(scope="session")
def database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if request.config.getoption("--database") == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.db'}"
        return
    name = "seedbed_" + os.environ.get("PYTEST_XDIST_WORKER", "one")
    with postgres.running(*POSTGRES) as server:
        yield postgres.create_database(server, name)


@pytest.fixture(scope="session")
def application(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    settings = settings_from(
        {
            "SEEDBED_HOME": str(tmp_path_factory.mktemp("home")),
            "SEEDBED_ENV": "test",
            "DATABASE_URL": database_url,
            "SEEDBED_BASE_URL": "http://localhost",
            "REDIS_URL": "unix:///nonexistent/seedbed.sock",
        }
    )
    made = create_app(settings)
    made.test_client_class = Client
    made.config["WTF_CSRF_ENABLED"] = False
    with made.app_context():
        db.create_all()
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(application: Flask) -> Iterator[Flask]:
    """The application with an app context open and everything written undone afterwards."""
    settings = application.config["SEEDBED"]
    config.use(settings)  # another test may have made an application of its own meanwhile
    jobs.connect(settings.redis_url)
    storage.connect(settings.folder("media"))
    with application.app_context():
        engine = db.engine
        with engine.connect() as connection:
            outer = connection.begin()
            engines = db._app_engines[application]
            engines[None] = connection
            db.session.configure(join_transaction_mode="create_savepoint")
            try:
                yield application
            finally:
                db.session.remove()
                engines[None] = engine
                outer.rollback()


@pytest.fixture(autouse=True)
def plain_tracebacks() -> None:
    """Without words of ours, structlog paints every traceback: half a second each, for nobody."""
    if not structlog.is_configured():
        *others, _painter = structlog.get_config()["processors"]
        plain = structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback, colors=False
        )
        structlog.configure(processors=[*others, plain])


@pytest.fixture(autouse=True)
def allowed_for_one_test() -> Iterator[None]:
    """Private addresses that one test may call, the next may not."""
    before = list(calling._in_tests)
    yield
    calling._in_tests[:] = before


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody has signed in."""
    return app.test_client()


@pytest.fixture
def start_carriers(app: Flask, tmp_path: Path) -> Iterator[Start]:
    """`start_carriers(WeCom, ...)`: the running carriers and their base address."""
    with starting(tmp_path) as start:
        yield start


@pytest.fixture
def data_home(app: Flask) -> Path:
    return app.config["SEEDBED"].home


@pytest.fixture
def count_queries(app: Flask) -> Callable[[], Any]:
    """`with count_queries() as statements:` collects every SQL statement run inside."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
                statements.append(statement)

        connection = db._app_engines[app][None]
        event.listen(connection, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(connection, "before_cursor_execute", note)

    return counting


__all__ = ["Client", "transaction"]
