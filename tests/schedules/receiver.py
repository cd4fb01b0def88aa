"""A receiver of webhooks on a loopback port: keeps what comes, answers as it is told to."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from schedules.channels import calling


@dataclass
class Receiver:
    """`answers` are statuses with headers, one a call; after the last every call is taken.

    `seconds` is how long it takes over each.
    """

    url: str = ""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    seconds: float = 0.0


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(made.seconds)
            status, headers = made.answers.pop(0) if made.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/hook?key=k1"
    calling.allow_in_tests(made.url)
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
