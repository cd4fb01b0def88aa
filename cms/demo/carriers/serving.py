"""The demo carriers' web server: the first part of the path names the carrier."""

import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from werkzeug.exceptions import Forbidden, HTTPException, NotFound
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from cms.demo.carriers.book import Book
from cms.demo.carriers.simulator import Cut, Simulator, cut

LARGEST_BODY = 64 * 1024 * 1024
HERE = ("127.0.0.1", "localhost")

Pages = Callable[[Request, "Carriers"], Response | None]


class Carriers:
    """All demo carriers of one data directory, as a WSGI application.

    `pages` draws what people look at; what it leaves alone is the carriers' own.
    """

    def __init__(
        self, folder: Path, kinds: Iterable[type[Simulator]], pages: Pages | None = None
    ) -> None:
        self.members = {kind.slug: kind(Book(folder / f"{kind.slug}.db")) for kind in kinds}
        self.pages = pages

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = LARGEST_BODY
        try:
            response = self.answer(request)
        except Cut:
            cut(request)
            response = Response(status=500)
        except HTTPException as error:
            response = Response(str(error.description), error.code)
        finally:
            request.close()  # uploads lie in temporary files
        return response(environ, start)

    def answer(self, request: Request) -> Response:
        _refuse_strangers(request)
        drawn = self.pages(request, self) if self.pages else None
        if drawn is not None:
            return drawn
        slug, _, rest = request.path.lstrip("/").partition("/")
        member = self.members.get(slug)
        if member is None:
            raise NotFound
        return member(request, f"/{rest}")

    def close(self) -> None:
        for member in self.members.values():
            member.book.close()


def _refuse_strangers(request: Request) -> None:
    """No page of another site may press buttons here, whatever name it gives this machine."""
    if urlsplit(f"//{request.host}").hostname not in HERE:
        raise Forbidden
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Forbidden


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """The ledgers are the record."""


def server(carriers: Carriers, listener: socket.socket) -> BaseWSGIServer:
    """A server on a socket that listens already, with its own copy of it."""
    host, port = listener.getsockname()[:2]
    return make_server(
        host, port, carriers, threaded=True, request_handler=_Quiet, fd=listener.fileno()
    )


def in_a_thread(carriers: Carriers) -> tuple[BaseWSGIServer, str]:
    """For tests: a running server and its address. Call `shutdown` on it at the end."""
    running = make_server("127.0.0.1", 0, carriers, threaded=True, request_handler=_Quiet)
    threading.Thread(
        target=running.serve_forever, args=(0.02,), name="carriers", daemon=True
    ).start()
    return running, f"http://127.0.0.1:{running.server_port}"
