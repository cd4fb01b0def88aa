"""Worlds of real processes, one a test, on SQLite or on a PostgreSQL shared by the run."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.chaos.world import World

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.config.getoption("--database") == "sqlite":
        yield ""
        return
    with postgres.running() as server:
        yield server


@pytest.fixture
def new_world(tmp_path: Path, postgres_server: str) -> Iterator[Callable[..., World]]:
    """`new_world(FAULT=...)`: an empty installation with the stub channel running."""
    made: list[World] = []

    def new(**environ: str) -> World:
        number = next(_numbers)
        home = tmp_path / str(number)
        home.mkdir()
        url = (
            postgres.create_database(postgres_server, f"chaos_{number}") if postgres_server else ""
        )
        world = World(home, url, **environ)
        made.append(world)
        return world

    yield new
    for world in made:
        world.close()
