"""The one client for every outgoing call: it connects to the address it has checked, and says
exactly whether anything of a request can have left."""

import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from urllib.parse import urljoin

from cms.core.addresses import (
    AddressNotAllowed,
    Resolver,
    Target,
    is_public,
    parse,
    system_resolver,
)
from cms.core.errors import Problem, SeedbedError
from cms.core.i18n import N_
from cms.core.limits import most

__all__ = ["AddressNotAllowed", "Answer", "Client", "NotSent", "Unanswered", "Unsendable"]

_CHUNK = 65_536
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding"})
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_MOST_BEFORE = 20  # answers that are none yet
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class NotSent(SeedbedError):
    """Provably, not one byte of the request has left: the same call may be made again."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            Problem("not_sent", N_("Nothing was sent: %(reason)s."), {"reason": reason})
        )
        self.reason = reason


class Unsendable(NotSent):
    """The request is none that can be written down: it never could be sent, now or later."""


class Unanswered(SeedbedError):
    """The request may have arrived and had its effect; nobody can tell from here.

    `status` is known when the answer began and broke off afterwards.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        message = N_("Sent, but no whole answer came: %(reason)s.")
        super().__init__(Problem("unanswered", message, {"reason": reason}))
        self.reason = reason
        self.status = status


@dataclass(frozen=True)
class Answer:
    """A whole answer. Header names are in lower case; repeated ones are joined by a comma."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True)
class Client:
    """How to call other servers. `allow_private` names simulators on this machine by host and port."""

    allow_private: frozenset[tuple[str, int]] = frozenset()
    resolve: Resolver = system_resolver
    seconds: float = field(default_factory=lambda: float(most("outgoing_seconds")))
    most_bytes: int = field(default_factory=lambda: most("outgoing_answer_bytes"))
    tls: ssl.SSLContext | None = None

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        redirects: int = 0,
    ) -> Answer:
        """Make one call and give its whole answer, whatever its status.

        Redirects are answers like any other unless a number of them is allowed; they are followed
        for GET and HEAD only, each to an address checked anew.
        Raises AddressNotAllowed or NotSent (nothing left), or Unanswered (it may have).
        """
        if redirects and method not in {"GET", "HEAD"}:
            raise ValueError("only GET and HEAD may follow redirects")
        deadline = _Deadline(self.seconds)
        target = parse(url)
        given = dict(headers or {})
        answer = self._exchange(target, _Request(method, given, body), deadline)
        for _ in range(redirects):
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                break
            following = parse(urljoin(answer.url, location))
            if target.is_secure and not following.is_secure:
                raise AddressNotAllowed(location)
            if following.origin != target.origin:
                given = {k: v for k, v in given.items() if k.lower() not in _SECRET_HEADERS}
            target = following
            answer = self._follow(target, _Request(method, given, b""), deadline)
        return answer

    def check(self, url: str) -> None:
        """Raise AddressNotAllowed for an address that must not be called; for forms that take one.

        A name that cannot be found now passes: it is judged again whenever it is called.
        """
        try:
            self._addresses(parse(url), _Deadline(self.seconds))
        except NotSent:
            return

    def _follow(self, target: Target, request: "_Request", deadline: "_Deadline") -> Answer:
        try:
            return self._exchange(target, request, deadline)
        except NotSent as error:
            # The first server did get a request, so "nothing was sent" would be a lie.
            raise Unanswered(error.reason) from error

    def _exchange(self, target: Target, request: "_Request", deadline: "_Deadline") -> Answer:
        message = request.serialise(target)
        connection = self._connect(target, deadline)
        try:
            return _converse(connection, message, _Reading(self, target, request.method, deadline))
        finally:
            connection.close()

    def _connect(self, target: Target, deadline: "_Deadline") -> socket.socket:
        """A connection to an address that was looked up once and checked; TLS speaks for the name."""
        reason = "no address"
        for address in self._addresses(target, deadline):
            try:
                plain = socket.create_connection((address, target.port), deadline.left())
            except OSError as error:
                reason = _told(error)
                continue
            if not target.is_secure:
                return plain
            try:
                plain.settimeout(deadline.left())
                context = self.tls or ssl.create_default_context()
                return context.wrap_socket(plain, server_hostname=target.host)
            except (OSError, ValueError) as error:
                plain.close()
                reason = _told(error)
        raise NotSent(reason)

    def _addresses(self, target: Target, deadline: "_Deadline") -> list[str]:
        is_allowed = (target.host, target.port) in self.allow_private
        found = self._resolve(target, deadline)
        # One closed address among open ones is a trap, not a mistake: all must be public.
        if not is_allowed and not all(is_public(address) for address in found):
            raise AddressNotAllowed(f"{target.scheme}://{target.host_header}")
        return found

    def _resolve(self, target: Target, deadline: "_Deadline") -> list[str]:
        # The system's look-up knows no time limit, so it may finish alone in its thread.
        pool = ThreadPoolExecutor(1, thread_name_prefix="resolve")
        try:
            found = pool.submit(self.resolve, target.host, target.port).result(deadline.left())
        except FutureTimeout:
            raise NotSent(f"no address for {target.host} in time") from None
        except (OSError, UnicodeError) as error:
            raise NotSent(f"no address for {target.host}: {_told(error)}") from error
        finally:
            pool.shutdown(wait=False)
        if not found:
            raise NotSent(f"no address for {target.host}")
        return found


class _Deadline:
    """The moment by which one whole call must be over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        remaining = self._end - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")
        return remaining


@dataclass(frozen=True)
class _Request:
    method: str
    headers: dict[str, str]
    body: bytes

    def serialise(self, target: Target) -> bytes:
        """The request as bytes, judged before a connection exists."""
        if self.method not in _METHODS:
            raise Unsendable(f"the method {self.method!r} is not used")
        lines = [f"{self.method} {target.path} HTTP/1.1", f"Host: {target.host_header}"]
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS:
                raise Unsendable(f"the header {name[:40]!r} cannot be set")
            if not _HEADER_VALUE.fullmatch(value):
                raise Unsendable(f"the header {name} has a value that cannot be sent")
            lines.append(f"{name}: {value}")
        if not any(name.lower() == "user-agent" for name in self.headers):
            lines.append("User-Agent: Seedbed")
        if self.body or self.method in {"POST", "PUT", "PATCH"}:
            lines.append(f"Content-Length: {len(self.body)}")
        lines += ["Accept-Encoding: identity", "Connection: close", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


@dataclass(frozen=True)
class _Reading:
    """What is needed to read one answer to its end and no further."""

    client: Client
    target: Target
    method: str
    deadline: _Deadline


def _converse(connection: socket.socket, message: bytes, reading: _Reading) -> Answer:
    """From here on bytes may have left: whatever goes wrong, the outcome is unknown."""
    status: int | None = None
    try:
        connection.settimeout(reading.deadline.left())
        connection.sendall(message)
        stream = _Timed(connection, reading.deadline)
        response = _begun(stream, reading.method)
        status = response.status
        body = _body(response, reading.client.most_bytes)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unanswered(_told(error), status) from error
    names = dict.fromkeys(name.lower() for name in response.headers)
    headers = {name: ", ".join(response.headers.get_all(name, [])) for name in names}
    target = reading.target
    return Answer(status, headers, body, f"{target.scheme}://{target.host_header}{target.path}")


def _begun(stream: "_Timed", method: str) -> http.client.HTTPResponse:
    """The answer itself: what comes before it (1xx) only says that it is on its way."""
    for _ in range(_MOST_BEFORE):
        response = http.client.HTTPResponse(stream, method=method)  # type: ignore[arg-type]
        response.begin()
        if stream.has_ended:  # the library takes the end of the line for the end of the headers
            raise http.client.IncompleteRead(b"")
        if response.status >= 200:
            return response
        response.fp = None  # type: ignore[assignment] # or it would close what is to be read on
    raise ValueError("no answer after all that came before it")


def _body(response: http.client.HTTPResponse, limit: int) -> bytes:
    if response.length is not None and response.length > limit:
        raise ValueError(f"the answer has more than {limit:,} bytes")
    content = bytearray()
    while chunk := response.read(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise ValueError(f"the answer has more than {limit:,} bytes")
    if response.length:  # the library does not mind when reading by parts
        raise http.client.IncompleteRead(bytes(content[-80:]), response.length)
    return bytes(content)


class _Timed(io.RawIOBase):
    """A socket as the library's response wants it, in which every wait counts against one deadline.

    A limit on each read alone would let a server drip for hours.
    """

    def __init__(self, connection: socket.socket, deadline: _Deadline) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline
        self._read: io.BufferedReader = io.BufferedReader(self)
        self.has_ended = False

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The same one every time: what it has read ahead belongs to the next answer."""
        return self._read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        self._connection.settimeout(self._deadline.left())
        length = self._connection.recv_into(buffer)
        self.has_ended |= length == 0
        return length


def _told(error: Exception) -> str:
    """A short reason in words; never the answer's own text."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'failed'}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__ if isinstance(error, http.client.HTTPException) else str(error)
