"""The outgoing client against real sockets: what it refuses, and whether anything can have left."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cms.core.addresses import is_public, parse
from cms.core.http import AddressNotAllowed, Answer, Client, NotSent, Unanswered

CERTIFICATES = Path(__file__).parent / "certificates"
Behaviour = Callable[[socket.socket], None]


class Server:
    """Listens on a real port; each connection gets the behaviour, what it sent is kept."""

    def __init__(self, behave: Behaviour | None, tls: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.received: list[bytes] = []
        self._behave = behave
        self._tls = tls
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                connection.settimeout(5)
                if self._tls:
                    with self._tls.wrap_socket(connection, server_side=True) as secured:
                        self._answer(secured)
                else:
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65_536)
            if not part:
                break
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += connection.recv(65_536)
        self.received.append(head + b"\r\n\r\n" + body)
        if self._behave:
            self._behave(connection)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(behave: Behaviour | bytes | None, tls: ssl.SSLContext | None = None) -> Server:
        says = behave
        action = (lambda connection: connection.sendall(says)) if isinstance(says, bytes) else says
        servers.append(Server(action, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def to_loopback(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def client(
    *ports: int, seconds: float = 3, host: str = "hooks.example", **options: object
) -> Client:
    allowed = frozenset((host, port) for port in ports)
    return Client(allow_private=allowed, resolve=to_loopback, seconds=seconds, **options)  # type: ignore[arg-type]


def call(server: Server, method: str = "POST", **options: object) -> Answer:
    caller = client(
        server.port,
        seconds=options.pop("seconds", 3),
        most_bytes=options.pop("most_bytes", 100_000),
    )  # type: ignore[arg-type]
    return caller.request(
        method,
        f"http://hooks.example:{server.port}/in?x=1",
        body=b"{}" if method == "POST" else b"",
        **options,
    )  # type: ignore[arg-type]


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello"


# --- whole answers


def test_a_call_and_its_answer(serve: Callable[..., Server]) -> None:
    server = serve(OK)
    answer = call(server, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.body, answer.headers["x-a"]) == (200, b"hello", "1, 2")
    request = server.received[0].decode()
    assert request.startswith("POST /in?x=1 HTTP/1.1\r\n")
    assert f"Host: hooks.example:{server.port}\r\n" in request
    assert "Content-Length: 2\r\n" in request
    assert request.endswith("\r\n\r\n{}")


@pytest.mark.parametrize("status", [204, 301, 404, 429, 500])
def test_every_status_is_an_answer(serve: Callable[..., Server], status: int) -> None:
    server = serve(
        f"HTTP/1.1 {status} X\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert call(server).status == status
    assert len(server.received) == 1


def test_chunked_answers_and_answers_without_a_length(serve: Callable[..., Server]) -> None:
    chunked = serve(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert call(chunked).body == b"abcde"
    until_closed = serve(b"HTTP/1.0 200 OK\r\n\r\nall of it")
    assert call(until_closed).body == b"all of it"


# --- nothing has left


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
    serve: Callable[..., Server], headers: dict[str, str], method: str
) -> None:
    server = serve(OK)
    with pytest.raises(NotSent):
        call(server, method, headers=headers)
    assert server.received == []


# --- something may have left


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
def test_a_broken_answer_is_unanswered(
    serve: Callable[..., Server], behave: Behaviour, status: int | None
) -> None:
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
    serve: Callable[..., Server], behave: Behaviour, status: int | None
) -> None:
    server = serve(behave)
    started = time.monotonic()
    with pytest.raises(Unanswered, match="timed out") as caught:
        call(server, seconds=0.5)
    assert caught.value.status == status
    assert time.monotonic() - started < 2


def test_a_server_that_drips_is_cut_at_the_same_moment(serve: Callable[..., Server]) -> None:
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
def test_a_huge_answer_is_cut_off(serve: Callable[..., Server], head: bytes) -> None:
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


# --- addresses that are not allowed

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "168.63.129.16", "0.0.0.0", "0.1.2.3", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "2001:db8::1", "100::1", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_closed_addresses(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(AddressNotAllowed):
        Client(resolve=lambda _host, _port: [address]).request("POST", "https://inside.example/")


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "223.5.5.5", "2400:3200::1", "2606:4700::1111", "::ffff:8.8.8.8"],
)
def test_open_addresses(address: str) -> None:
    assert is_public(address)


def test_one_closed_address_among_open_ones_is_refused() -> None:
    with pytest.raises(AddressNotAllowed):
        Client(resolve=lambda _host, _port: ["8.8.8.8", "127.0.0.1"]).request(
            "GET", "http://two.example/"
        )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LOCALHOST.",
    ],
)
def test_this_machine_in_any_spelling_with_the_real_resolver(
    serve: Callable[..., Server], host: str
) -> None:
    server = serve(OK)
    with pytest.raises((AddressNotAllowed, NotSent)):
        Client(seconds=3).request("GET", f"http://{host}:{server.port}/")
    assert server.received == []


def test_a_name_is_looked_up_once_and_that_address_is_used(serve: Callable[..., Server]) -> None:
    """A name that is public when checked and private when called (rebinding) gets no second look."""
    server = serve(OK)
    asked: list[str] = []

    def turncoat(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["203.0.114.1"] if len(asked) == 1 else ["127.0.0.1"]

    with pytest.raises(NotSent):
        Client(resolve=turncoat, seconds=0.5).request("GET", f"http://turn.example:{server.port}/")
    assert asked == ["turn.example"]
    assert server.received == []


def test_an_allowed_simulator_is_one_name_and_one_port(serve: Callable[..., Server]) -> None:
    server, other = serve(OK), serve(OK)
    caller = client(server.port)
    assert caller.request("GET", f"http://hooks.example:{server.port}/").status == 200
    for url in (f"http://hooks.example:{other.port}/", f"http://evil.example:{server.port}/"):
        with pytest.raises(AddressNotAllowed):
            caller.request("GET", url)
    assert other.received == []


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/", "file:///etc/passwd", "javascript:alert(1)", "//a.example/", "a.example", "", "http://", "http:///x",
     "http://u:p@a.example/", "http://a.example@b.example/", "http://a.example:0/", "http://a.example:99999/", "http://a.example/\r\nX: 1",
     "http://a.example\\@b.example/", "http://a b.example/", "http://[::1", "http://[fe80::1%25eth0]/", "http://%31%32%37.1/",
     "http://" + "a" * 64 + ".example/", "gopher://a.example/"],
)  # fmt: skip
def test_what_is_no_plain_web_address(url: str) -> None:
    with pytest.raises(AddressNotAllowed):
        Client(resolve=to_loopback).request("GET", url)


def test_chinese_names_and_paths_are_written_as_the_net_wants_them() -> None:
    target = parse("https://例子.example/路径?问=好#顶")
    assert target.host == "xn--fsqu00a.example"
    assert target.path == "/%E8%B7%AF%E5%BE%84?%E9%97%AE=%E5%A5%BD"


def test_checking_an_address_for_a_form_sends_nothing(serve: Callable[..., Server]) -> None:
    server = serve(OK)
    client(server.port).check(f"http://hooks.example:{server.port}/")
    with pytest.raises(AddressNotAllowed):
        Client(resolve=to_loopback).check(f"http://hooks.example:{server.port}/")
    assert server.received == []


# --- redirects


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def test_redirects_are_not_followed_unless_asked(serve: Callable[..., Server]) -> None:
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
def test_a_redirect_to_a_closed_address_is_refused(
    serve: Callable[..., Server], location: str
) -> None:
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
    serve: Callable[..., Server],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = serve(redirect(f"http://hooks.example:{port}/"))
    with pytest.raises(Unanswered):
        client(server.port, port).request(
            "GET", f"http://hooks.example:{server.port}/", redirects=1
        )


def test_an_endless_circle_of_redirects_ends(serve: Callable[..., Server]) -> None:
    server = serve(redirect("/again"))
    answer = client(server.port).request("GET", f"http://hooks.example:{server.port}/", redirects=3)
    assert answer.status == 302
    assert len(server.received) == 4


# --- TLS speaks for the name


def tls_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "seedbed.test.pem", CERTIFICATES / "seedbed.test.key")
    return context


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATES / "seedbed.test.pem"))


def test_tls_names_and_checks_the_host_though_an_address_was_dialled(
    serve: Callable[..., Server],
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
    serve: Callable[..., Server],
) -> None:
    server = serve(OK, tls_server())
    with pytest.raises(NotSent, match="TLS"):
        client(server.port, tls=trusting()).request("POST", f"https://hooks.example:{server.port}/")
    with pytest.raises(NotSent, match="TLS"):
        client(server.port, host="seedbed.test").request(
            "POST", f"https://seedbed.test:{server.port}/"
        )
    assert server.received == []


def test_a_secure_address_does_not_lead_to_a_plain_one(serve: Callable[..., Server]) -> None:
    plain = serve(OK)
    server = serve(redirect(f"http://seedbed.test:{plain.port}/"), tls_server())
    caller = client(server.port, plain.port, host="seedbed.test", tls=trusting())
    with pytest.raises(AddressNotAllowed):
        caller.request("GET", f"https://seedbed.test:{server.port}/", redirects=1)
    assert plain.received == []
