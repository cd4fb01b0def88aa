"""A small HTTP client that asks one path again and again over kept connections, and counts."""

import socket
import threading
import time
from dataclasses import dataclass, field

CLIENTS = 8
AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


@dataclass
class Load:
    """What came back. `acknowledged` counts whole answers with the expected status."""

    acknowledged: int = 0
    others: list[int] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return self.acknowledged / self.seconds


def ask(port: int, path: str, *, seconds: float, status: int, clients: int = CLIENTS) -> Load:
    """Keep so many clients asking for so long; every request sent is also waited for."""
    total, lock = Load(), threading.Lock()
    until = time.perf_counter() + seconds

    def work() -> None:
        mine = _work(port, path, until, status)
        with lock:
            total.acknowledged += mine.acknowledged
            total.others += mine.others

    threads = [threading.Thread(target=work) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total.seconds = time.perf_counter() - started
    return total


def _work(port: int, path: str, until: float, status: int) -> Load:
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {AGENT}\r\n"
        "Accept: text/html\r\nAccept-Language: zh-CN\r\n\r\n"
    ).encode()
    mine, connection = Load(), None
    while time.perf_counter() < until:
        if connection is None:
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        connection.sendall(request)
        got, is_kept = _answer(connection)
        if got == status:
            mine.acknowledged += 1
        else:
            mine.others.append(got)
        if not is_kept:
            connection.close()
            connection = None
    if connection:
        connection.close()
    return mine


def _answer(connection: socket.socket) -> tuple[int, bool]:
    """The status of one whole answer, and whether the server keeps the connection."""
    read = b""
    while b"\r\n\r\n" not in read:
        part = connection.recv(65536)
        if not part:
            return 0, False
        read += part
    head, _, body = read.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    missing = int(fields.get("content-length", "0")) - len(body)
    while missing > 0:
        part = connection.recv(65536)
        if not part:
            return 0, False
        missing -= len(part)
    return int(lines[0].split()[1]), fields.get("connection") != "close"
