"""One whole system with the demo world a run, started as a new user starts it, and one browser."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from bench.running import System, eventually, system
from tests.browser import world
from tests.browser.world import People


@pytest.fixture(scope="session")
def running() -> Iterator[System]:
    """`flask up` on an empty data directory, until it has printed its links and everybody beats."""
    with system("browser") as one:
        if filled := os.environ.get(
            "SEEDBED_BROWSER_HOME"
        ):  # saves the loading while writing tests
            shutil.copytree(filled, one.home, dirs_exist_ok=True)
        one.up()
        eventually(lambda: len(world.links(one)) == len(world.ROLES), what="a link for each role")
        world.until_healthy(one)
        yield one


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = world.launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def signed_in() -> dict[str, Any]:
    """What each role's browser keeps after signing in, shared by all tests: the links work once."""
    return {}


@pytest.fixture
def people(running: System, browser: Browser, signed_in: dict[str, Any]) -> Iterator[People]:
    with world.watched(running, browser, signed_in) as made:
        yield made
