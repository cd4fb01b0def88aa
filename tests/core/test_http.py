"""The outgoing client against real sockets: whole answers, and whether anything can have left."""

import contextlib
import socket
import struct
import threading
import time

import pytest

from cms.core.http import Client, NotSent, Unanswered
from tests.core.answering import OK, Behaviour, Serve, call, client


def test_a_call_and_its_answer(serve: Serve) -> None:
    server = serve(OK)
    answer = call(server, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.body, answer.headers["x-a"]) == (200, b"hello", "1, 2")
    request = server.received[0].decode()
    assert request.startswith("POST /in?x=1 HTTP/1.1\r\n")
    assert f"Host: hooks.example:{server.port}\r\n" in request
    assert "Content-Length: 2\r\n" in request
    assert request.endswith("\r\n\r\n{}")


@pytest.mark.parametrize("status", [204, 301, 404, 429, 500])
def test_every_status_is_an_answer(serve: Serve, status: int) -> None:
    server = serve(
        f"HTTP/1.1 {status} X\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert call(server).status == status
    assert len(server.received) == 1


EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-A: 9\r\n\r\n"


@pytest.mark.parametrize(
    "before",
    [EARLY, EARLY * 3, b"HTTP/1.1 100 Continue\r\n\r\n" + EARLY, EARLY.replace(b"103", b"102")],
)
@pytest.mark.parametrize("status", [200, 500])
def test_what_comes_before_the_answer_is_not_the_answer(
    serve: Serve, before: bytes, status: int
) -> None:
    server = serve(before + OK.replace(b"200", str(status).encode()))
    answer = call(server)
    assert (answer.status, answer.body, answer.headers["x-a"]) == (status, b"hello", "1, 2")


def test_what_comes_before_may_come_long_before(serve: Serve) -> None:
    def slowly(connection: socket.socket) -> None:
        connection.sendall(EARLY)
        time.sleep(0.2)
        connection.sendall(OK)

    assert call(serve(slowly)).status == 200


@pytest.mark.parametrize("said", [EARLY, EARLY * 2 + EARLY[:-2], EARLY * 100 + OK])
def test_without_the_answer_itself_nobody_knows(serve: Serve, said: bytes) -> None:
    with pytest.raises(Unanswered) as caught:
        call(serve(said))
    assert caught.value.status is None


def test_chunked_answers_and_answers_without_a_length(serve: Serve) -> None:
    chunked = serve(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert call(chunked).body == b"abcde"
    until_closed = serve(b"HTTP/1.0 200 OK\r\n\r\nall of it")
    assert call(until_closed).body == b"all of it"


def test_a_refused_connection_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotSent, match="refused"):
        client(port).request("POST", f"http://hooks.example:{port}/", body=b"x")


def test_an_unknown_name_is_not_sent() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for resolve in (unknown, lambda _host, _port: []):
        with pytest.raises(NotSent, match="no address"):
            Client(resolve=resolve).request("POST", "https://nowhere.example/")


def test_a_look_up_that_hangs_is_not_sent_and_ends_in_time() -> None:
    woken = threading.Event()

    def slow(_host: str, _port: int) -> list[str]:
        woken.wait(10)
        return ["93.184.216.34"]

    started = time.monotonic()
    with pytest.raises(NotSent):
        Client(resolve=slow, seconds=0.3).request("POST", "http://slow.example/")
    assert time.monotonic() - started < 2
    woken.set()


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({"X-A": "1\r\nX-Evil: 2"}, "POST"),
        ({"X-A\r\nX-B": "1"}, "POST"),
        ({"X-A": "\u4e2d"}, "POST"),
        ({"Host": "other.example"}, "POST"),
        ({"Content-Length": "0"}, "POST"),
        ({}, "GET / HTTP/1.1\r\nX"),
        ({}, "CONNECT"),
    ],
)
def test_a_request_that_cannot_be_written_is_not_sent(
    serve: Serve, headers: dict[str, str], method: str
) -> None:
    server = serve(OK)
    with pytest.raises(NotSent):
        call(server, method, headers=headers)
    assert server.received == []


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def saying(text: bytes, then: Behaviour | None = None) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.sendall(text)
        if then:
            then(connection)

    return behave


def hang(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.recv(1)  # until the client gives up


@pytest.mark.parametrize(
    ("behave", "status"),
    [
        (reset, None),
        (lambda connection: connection.close(), None),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Le"), None),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\npart"), 200),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\npart", reset), 200),
        (saying(b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), 500),
        (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 200),
        (saying(b"SSH-2.0-OpenSSH_9\r\n"), None),
        (saying(b"HTTP/1.1 2x0 OK\r\n\r\n"), None),
        (saying(b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 500 + b"\r\n"), None),
        (saying(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 99_999 + b"\r\n\r\n"), None),
    ],
)
def test_a_broken_answer_is_unanswered(serve: Serve, behave: Behaviour, status: int | None) -> None:
    server = serve(behave)
    with pytest.raises(Unanswered) as caught:
        call(server)
    assert caught.value.status == status
    assert len(server.received) == 1  # it did arrive, and it was sent once


@pytest.mark.parametrize(
    ("behave", "status"),
    [(hang, None), (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", hang), 200)],
)
def test_a_server_that_hangs_is_unanswered_in_time(
    serve: Serve, behave: Behaviour, status: int | None
) -> None:
    server = serve(behave)
    started = time.monotonic()
    with pytest.raises(Unanswered, match="timed out") as caught:
        call(server, seconds=0.5)
    assert caught.value.status == status
    assert time.monotonic() - started < 2


def test_a_server_that_drips_is_cut_at_the_same_moment(serve: Serve) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(100):
                connection.sendall(b"x")
                time.sleep(0.1)

    server = serve(drip)
    started = time.monotonic()
    with pytest.raises(Unanswered):
        call(server, seconds=0.6)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 100000000\r\n\r\n",
        b"\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    ],
)
def test_a_huge_answer_is_cut_off(serve: Serve, head: bytes) -> None:
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head)
        with contextlib.suppress(OSError):
            for _ in range(2_000):
                sent.append(connection.send(b"x" * 65_536))

    server = serve(flood)
    with pytest.raises(Unanswered) as caught:
        call(server, most_bytes=100_000)
    assert caught.value.status == 200
    server.close()
    assert sum(sent) < 60_000_000  # what fits the buffers on the way, not all of it


def test_a_large_request_to_a_server_that_stops_reading_is_unanswered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        with pytest.raises(Unanswered):
            client(port, seconds=0.5).request(
                "POST", f"http://hooks.example:{port}/", body=b"x" * 20_000_000
            )
