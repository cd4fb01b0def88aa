"""TLS speaks for the name, and before it has nothing has left."""

import socket
import threading

import pytest

from cms.core.http import AddressNotAllowed, NotSent
from tests.core.answering import OK, Serve, client, redirect, tls_server, trusting


def test_a_failed_tls_handshake_is_not_sent() -> None:
    """A plain server where TLS was expected: it sees a greeting, never the request."""
    greetings: list[bytes] = []
    raw = socket.create_server(("127.0.0.1", 0))
    port = raw.getsockname()[1]

    def speak_plainly() -> None:
        connection, _ = raw.accept()
        with connection:
            greetings.append(connection.recv(65_536))
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=speak_plainly, daemon=True)
    thread.start()
    with pytest.raises(NotSent, match="TLS"):
        client(port).request(
            "POST", f"https://hooks.example:{port}/secret-path", body=b"secret-body"
        )
    thread.join(5)
    raw.close()
    assert greetings[0].startswith(b"\x16\x03")
    assert b"secret" not in greetings[0]


def test_a_tls_handshake_that_hangs_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(NotSent, match="timed out"):
            client(port, seconds=0.4).request("POST", f"https://hooks.example:{port}/")


def test_tls_names_and_checks_the_host_though_an_address_was_dialled(
    serve: Serve,
) -> None:
    names: list[str | None] = []
    context = tls_server()
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server = serve(OK, context)
    answer = client(server.port, host="seedbed.test", tls=trusting()).request(
        "POST", f"https://seedbed.test:{server.port}/in", body=b"{}"
    )
    assert answer.body == b"hello"
    assert names == ["seedbed.test"]
    assert f"Host: seedbed.test:{server.port}".encode() in server.received[0]


def test_a_certificate_for_another_name_or_from_nobody_is_not_sent(
    serve: Serve,
) -> None:
    server = serve(OK, tls_server())
    with pytest.raises(NotSent, match="TLS"):
        client(server.port, tls=trusting()).request("POST", f"https://hooks.example:{server.port}/")
    with pytest.raises(NotSent, match="TLS"):
        client(server.port, host="seedbed.test").request(
            "POST", f"https://seedbed.test:{server.port}/"
        )
    assert server.received == []


def test_a_secure_address_does_not_lead_to_a_plain_one(serve: Serve) -> None:
    plain = serve(OK)
    server = serve(redirect(f"http://seedbed.test:{plain.port}/"), tls_server())
    caller = client(server.port, plain.port, host="seedbed.test", tls=trusting())
    with pytest.raises(AddressNotAllowed):
        caller.request("GET", f"https://seedbed.test:{server.port}/", redirects=1)
    assert plain.received == []
