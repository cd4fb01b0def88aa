"""Whose word about the reader's address is taken: the proxies that the settings name, and nobody's else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from cms.core.config import settings_from
from cms.web.requests import ListedProxies

SAID = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}


@pytest.fixture
def seen(tmp_path: Path) -> Callable[[str, str], str]:
    """`seen(proxies, peer)`: the address that the application takes for the reader's."""

    def inner(environ: dict, start_response: Callable) -> object:  # type: ignore[type-arg]
        request = Request(environ)
        return Response(f"{request.scheme} {request.remote_addr}")(environ, start_response)

    def ask(proxies: str, peer: str) -> str:
        settings = settings_from({"SEEDBED_HOME": str(tmp_path), "SEEDBED_PROXIES": proxies})
        client = Client(ListedProxies(inner, settings.proxies))
        return client.get("/", headers=SAID, environ_base={"REMOTE_ADDR": peer}).text

    return ask


@pytest.mark.parametrize(
    ("proxies", "peer"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("172.18.0.0/16", "172.18.0.1"),
        ("10.0.0.1,172.18.0.0/16", "172.18.255.9"),
        ("172.18.0.0/16", "::ffff:172.18.0.1"),
        ("fd00::/8", "fd00::12"),
    ],
)
def test_one_that_is_named_is_believed(
    seen: Callable[[str, str], str], proxies: str, peer: str
) -> None:
    assert seen(proxies, peer) == "https 198.51.100.7"


@pytest.mark.parametrize(
    ("proxies", "peer"),
    [
        ("127.0.0.1", "127.0.0.2"),
        ("172.18.0.0/16", "172.19.0.1"),
        ("172.18.0.0/16", "fd00::12"),
        ("172.18.0.0/16", ""),
        ("172.18.0.0/16", "unix:"),
    ],
)
def test_another_is_not(seen: Callable[[str, str], str], proxies: str, peer: str) -> None:
    assert "198.51.100.7" not in seen(proxies, peer)
