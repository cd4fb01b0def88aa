"""What tests of the engine begin with: a carrier of their own, a person, a database of their own."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cms.accounts.models import Role, User
from cms.core import config, jobs
from cms.core.db import db
from cms.factory import create_app
from schedules.models import Publication
from tests import factories as make
from tests import postgres
from tests.schedules.fake_carrier import FakeCarrier, registered


@pytest.fixture
def fake() -> Iterator[FakeCarrier]:
    """A carrier for a test that opens an application of its own."""
    with registered() as made:
        yield made


@pytest.fixture
def carrier(app: Flask, fake: FakeCarrier) -> FakeCarrier:
    return fake


@pytest.fixture
def operator(app: Flask) -> User:
    return make.user(Role.OPERATOR)


@pytest.fixture
def effects(data_home: Path) -> Callable[[Publication], list[dict[str, Any]]]:
    """What the sandbox has really done, by key."""

    def of(publication: Publication) -> list[dict[str, Any]]:
        ledger = data_home / "sandbox" / f"{publication.account.slug}.jsonl"
        if not ledger.exists():
            return []
        lines = [json.loads(line) for line in ledger.read_text().splitlines()]
        return [line for line in lines if line["key"] == publication.idempotency_key]

    return of


@pytest.fixture
def own_database(application: Flask, database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """An application whose commits are real ones; nobody holds its context open."""
    before = config.current()
    url = f"sqlite:///{tmp_path / 'own.db'}"
    if not before.is_sqlite:
        server, _, name = database_url.rpartition("/")
        url = postgres.create_database(server, f"{name}_own_{os.getpid()}")
    settings = dataclasses.replace(
        config.settings_from({"SEEDBED_HOME": str(tmp_path), "DATABASE_URL": url}),
        mode=before.mode,
        redis_url=before.redis_url,
        lease_seconds=600,  # a starved machine must not send a thread of ours home too slow
    )
    made = create_app(settings)
    with made.app_context():
        db.create_all()
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
    config.use(before)
    jobs.connect(before.redis_url)
