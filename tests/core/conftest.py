"""Servers of one test: what they are told to do, and an end for each."""

import ssl
from collections.abc import Iterator

import pytest

from tests.core.answering import Behaviour, Serve, Server


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def start(behave: Behaviour | bytes | None, tls: ssl.SSLContext | None = None) -> Server:
        says = behave
        action = (lambda connection: connection.sendall(says)) if isinstance(says, bytes) else says
        servers.append(Server(action, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
