"""Demo carriers for tests: each test gets its own server and its own ledgers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import BaseWSGIServer

from cms.demo.carriers.serving import Carriers, in_a_thread
from cms.demo.carriers.simulator import Simulator
from schedules.channels import calling

Start = Callable[..., tuple[Carriers, str]]


@pytest.fixture
def start_carriers(app: Flask, tmp_path: Path) -> Iterator[Start]:
    """`start_carriers(WeCom, ...)`: the running carriers and their base address."""
    running: list[tuple[BaseWSGIServer, Carriers]] = []

    def start(*kinds: type[Simulator]) -> tuple[Carriers, str]:
        carriers = Carriers(tmp_path / "carriers", kinds)
        server, url = in_a_thread(carriers)
        running.append((server, carriers))
        calling.allow_in_tests(url)
        return carriers, url

    yield start
    for server, carriers in running:
        server.shutdown()
        server.server_close()
        carriers.close()
