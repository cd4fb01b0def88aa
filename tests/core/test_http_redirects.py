"""Where answers lead: nowhere unless asked, and never to a closed address."""

import socket

import pytest

from cms.core.http import AddressNotAllowed, Client, Unanswered
from tests.core.answering import OK, Serve, client, redirect


def test_redirects_are_not_followed_unless_asked(serve: Serve) -> None:
    target = serve(OK)
    server = serve(redirect(f"http://hooks.example:{target.port}/"))
    caller = client(server.port, target.port)
    url = f"http://hooks.example:{server.port}/"
    assert caller.request("GET", url).status == 302
    answer = caller.request("GET", url, redirects=1, headers={"Authorization": "secret"})
    assert (answer.status, answer.url) == (200, f"http://hooks.example:{target.port}/")
    assert b"secret" in server.received[-1]
    assert b"secret" not in target.received[0]  # another origin
    with pytest.raises(ValueError):
        caller.request("POST", url, redirects=1)


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/",
        "http://[::ffff:127.0.0.1]/",
        "file:///etc/passwd",
        "//evil@x/",
        "http://127.0.0.1:{port}/",
    ],
)
def test_a_redirect_to_a_closed_address_is_refused(serve: Serve, location: str) -> None:
    inside = serve(OK)
    server = serve(redirect(location.format(port=inside.port)))

    def resolve(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == "hooks.example" else [host]

    caller = Client(
        allow_private=frozenset({("hooks.example", server.port)}), resolve=resolve, seconds=3
    )
    with pytest.raises(AddressNotAllowed):
        caller.request("GET", f"http://hooks.example:{server.port}/", redirects=3)
    assert inside.received == []


def test_a_redirect_that_leads_nowhere_does_not_claim_that_nothing_was_sent(
    serve: Serve,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = serve(redirect(f"http://hooks.example:{port}/"))
    with pytest.raises(Unanswered):
        client(server.port, port).request(
            "GET", f"http://hooks.example:{server.port}/", redirects=1
        )


def test_an_endless_circle_of_redirects_ends(serve: Serve) -> None:
    server = serve(redirect("/again"))
    answer = client(server.port).request("GET", f"http://hooks.example:{server.port}/", redirects=3)
    assert answer.status == 302
    assert len(server.received) == 4
