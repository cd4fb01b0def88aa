"""Calls to carriers: one guarded request, written down with its secrets masked, and what it proves."""

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from cms.core.config import current
from cms.core.errors import Problem, Refused, SeedbedError, TryAgain
from cms.core.http import AddressNotAllowed, Answer, Client, NotSent, Unanswered, Unsendable
from cms.core.i18n import N_
from schedules.channels.masking import masked
from schedules.envelopes import Envelope

NOT_ALLOWED = N_("The carrier's address may not be called.")
NOT_REACHED = N_("The carrier could not be reached; nothing was sent.")
NOT_SENDABLE = N_(
    "What was entered for the account holds letters that cannot be sent. Copy it again."
)
NO_ANSWER = N_("The carrier took the call and gave no whole answer.")
NO_TIME = N_("Too little time was left to wait for the carrier; nothing was sent.")
DEFAULT_SECONDS = 10.0
LOOK_UP_SECONDS = 3.0


class Silent(SeedbedError):
    """The call left and no whole answer came: whatever it asked for may have happened."""

    def __init__(self, reason: str = NO_ANSWER) -> None:
        super().__init__(Problem("silent", reason))


@dataclass(frozen=True)
class Call:
    """One request as people may read it."""

    method: str
    address: str  # secrets masked
    sent: str  # the beginning of the body, secrets masked
    status: int | None
    said: str  # the beginning of the answer, secrets masked
    ms: int
    is_unseen: bool = False  # it shows readers nothing, whatever became of it

    def told(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "address": self.address,
            "sent": self.sent,
            "status": self.status,
            "said": self.said,
            "ms": self.ms,
        }


_calls: ContextVar[list[Call] | None] = ContextVar("calls", default=None)
_is_unseen: ContextVar[bool] = ContextVar("is_unseen", default=False)


@contextmanager
def recording() -> Iterator[list[Call]]:
    """Gather the calls made inside, for the attempt log."""
    calls: list[Call] = []
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


@contextmanager
def unseen() -> Iterator[None]:
    """Calls made inside show readers nothing: a token is fetched, a picture uploaded."""
    token = _is_unseen.set(True)
    try:
        yield
    finally:
        _is_unseen.reset(token)


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    answer: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.answer.headers

    @property
    def text(self) -> str:
        return self.answer.body.decode("utf-8", "replace")

    def json(self) -> dict[str, Any]:
        """The object in the answer, in letters every database takes; empty when it is no JSON object."""
        try:
            found = _storable(json.loads(self.answer.body))
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def _storable(value: Any) -> Any:
    """Without what no column holds: the letter zero, halves of letters, numbers without an end."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "ignore").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value


class Line:
    """A way to one carrier: base address, what must never be written down, and the time that is left.

    `hush` are values (keys, tokens) masked wherever they appear in the record.
    """

    def __init__(
        self,
        base: str,
        *,
        hush: tuple[str, ...] = (),
        seconds: float = DEFAULT_SECONDS,
        deadline: float | None = None,
    ) -> None:
        self.base = base.rstrip("/")
        self.hush = list(hush)
        self.seconds = seconds
        self.deadline = deadline
        self.neighbours: frozenset[tuple[str, int]] = (
            frozenset()
        )  # private hosts and ports it may call

    @classmethod
    def of(cls, envelope: Envelope, base: str) -> "Line":
        """A line for a publication: it never calls when the claim could run out meanwhile."""
        return cls(
            base,
            hush=tuple(envelope.secrets.values()),
            seconds=min(envelope.call_seconds, DEFAULT_SECONDS),
            deadline=envelope.deadline,
        )

    def get(self, path: str, **query: str | int) -> Reply:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Mapping[str, Any], **query: str | int) -> Reply:
        """Send JSON as UTF-8."""
        content = json.dumps(body, ensure_ascii=False).encode()
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return self.call("POST", path, query=query, headers=kind, body=content)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        """One request. Raises TryAgain (nothing left), Refused (may not be called) or Silent."""
        if self.deadline is not None and time.monotonic() + self.seconds > self.deadline:
            raise TryAgain(NO_TIME)
        url = self.base + path
        if query:
            url += ("&" if urlsplit(url).query else "?") + urlencode(query)
        started = time.monotonic()
        client = Client(allow_private=_neighbours() | self.neighbours, seconds=self.seconds)
        status, said = None, ""
        # Masked before anything leaves: what cannot be written down is not sent.
        address, words = self._masked(url.encode()), self._masked(body)
        try:
            answer = client.request(method, url, headers=headers, body=body)
            status, said = answer.status, self._masked(answer.body)
            return Reply(answer)
        except AddressNotAllowed as error:
            said = self._masked(str(error).encode())
            raise Refused(NOT_ALLOWED) from error
        except Unsendable as error:
            said = error.reason
            raise Refused(NOT_SENDABLE, pauses_account=True) from error
        except NotSent as error:
            said = error.reason
            raise TryAgain(NOT_REACHED) from error
        except Unanswered as error:
            status, said = error.status, error.reason
            raise Silent from error
        finally:
            spent = round((time.monotonic() - started) * 1000)
            self._note(Call(method, address, words, status, said, spent, _is_unseen.get()))

    def _note(self, call: Call) -> None:
        calls = _calls.get()
        if calls is not None:
            calls.append(call)

    def _masked(self, content: bytes) -> str:
        return masked(content, self.hush)


def check_address(url: str) -> None:
    """Raise AddressNotAllowed for an address that no line would call; for forms that take one.

    It looks the name up, so no transaction may be open.
    """
    Client(allow_private=_neighbours(), seconds=LOOK_UP_SECONDS).check(url)


def _neighbours() -> frozenset[tuple[str, int]]:
    """The demo carriers of this installation are the one private address that may be called."""
    found = set()
    for url in (current().carriers_url, *_in_tests):
        parts = urlsplit(url)
        if parts.hostname and parts.port:
            found.add((parts.hostname, parts.port))
    return frozenset(found)


_in_tests: list[str] = []


def allow_in_tests(url: str) -> None:
    """Let a test's own carrier be called; refused outside test mode."""
    if not current().is_test:
        raise RuntimeError("only test mode may call private addresses")
    _in_tests.append(url)
