"""Servers on real ports that answer as a test says, and clients that reach them under a public name."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from cms.core.http import Answer, Client

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


Serve = Callable[..., Server]  # of a behaviour, or of the bytes of an answer
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello"


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


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def tls_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "seedbed.test.pem", CERTIFICATES / "seedbed.test.key")
    return context


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATES / "seedbed.test.pem"))
