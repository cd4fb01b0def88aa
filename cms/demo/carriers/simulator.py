"""What every demo carrier is: routes, a clock that can be set, a script of misbehaviour, a ledger."""

import json
import random
import re
import struct
import time
from abc import ABC
from collections.abc import Callable
from typing import Any, ClassVar

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Request, Response

from cms.demo.carriers.book import Book

HANG_SECONDS = 60.0
Handler = Callable[..., Response]
_ROUTES = "_routes"


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    """Mark a method of a simulator: `@route("POST", "/cgi-bin/webhook/send")`; `<name>` is a part."""

    def mark(handler: Handler) -> Handler:
        compiled = re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", pattern) + r"$")
        handler.__dict__.setdefault(_ROUTES, []).append((method, compiled))
        return handler

    return mark


class Cut(Exception):
    """End the connection without a word."""


class Simulator(ABC):
    """One carrier family. Members answer as the real site would; the base misbehaves when scripted.

    A script is a list of words for one path, one word a call, the last for ever:
    `ok`, `429` or `429:SECONDS`, `500`, `before` (cut before anything happens), and, after the
    effect has happened, `hang`, `reset`, `html`, `huge`. Left to the members: `errcode:N`, and
    `limit:N` or `limit:N:SECONDS`, a 429 that says the code N in JSON.
    """

    slug: ClassVar[str]
    name: ClassVar[str]

    def __init__(self, book: Book, seed: int = 1) -> None:
        self.book = book
        self.dice = random.Random(seed)

    # --- what members use

    def now(self) -> float:
        """Unix seconds of this carrier's own clock."""
        return time.time() + float(self.book.get("clock", "offset") or 0)

    def json(self, content: Any, status: int = 200, **headers: str) -> Response:
        text = json.dumps(content, ensure_ascii=False)
        return Response(text, status, headers, content_type="application/json; charset=utf-8")

    def scripted_errcode(self, request: Request) -> int | None:
        """The number of a word `errcode:N` that stands for this call."""
        word = str(request.environ.get("seedbed.word", ""))
        return int(word.partition(":")[2]) if word.startswith("errcode:") else None

    def scripted_limit(self, request: Request, name: str, **also: Any) -> Response | None:
        """The answer to a word `limit:N` that stands for this call; `name` is what N goes by."""
        word, _, said = str(request.environ.get("seedbed.word", "")).partition(":")
        if word != "limit":
            return None
        code, _, seconds = said.partition(":")
        headers = {"Retry-After": seconds} if seconds else {}
        return self.json({name: int(code), **also}, 429, **headers)

    # --- the door

    def __call__(self, request: Request, path: str) -> Response:
        """Answer one request. May raise Cut."""
        if path.startswith("/_control/"):
            return self._control(request, path.removeprefix("/_control/"))
        word = self._word(path)
        request.environ["seedbed.word"] = word
        early = self._before(word)
        if early is not None:
            return early
        response = self._handled(request, path)
        return self._after(word, response)

    def _handled(self, request: Request, path: str) -> Response:
        for name in dir(type(self)):
            handler = getattr(type(self), name)
            for method, pattern in getattr(handler, _ROUTES, ()):
                found = pattern.match(path)
                if found and method == request.method:
                    try:
                        with self.book.whole():
                            answer: Response = handler(self, request, **found.groupdict())
                            return answer
                    except HTTPException as error:
                        return Response(str(error.description), error.code)
        return self.unknown(request, path)

    def unknown(self, request: Request, path: str) -> Response:
        raise NotFound

    def _word(self, path: str) -> str:
        for suffix, words in self.book.all("script").items():
            if path.endswith(suffix) and words:
                if len(words) > 1:
                    self.book.put("script", suffix, words[1:])
                return str(words[0])
        return "ok"

    def _before(self, word: str) -> Response | None:
        if word == "before":
            raise Cut
        if word == "500":
            return Response("Internal Server Error", 500)
        if word.startswith("429"):
            wait = word.partition(":")[2]
            return Response("Too Many Requests", 429, {"Retry-After": wait} if wait else {})
        return None

    def _after(self, word: str, response: Response) -> Response:
        match word:
            case "reset":
                raise Cut
            case "hang":
                time.sleep(HANG_SECONDS)
                raise Cut
            case "html":
                return Response("<html>Welcome</html>", 200, content_type="text/html")
            case "huge":
                return Response(b"[" + b" " * 3_000_000, 200, content_type="application/json")
        return response

    def _control(self, request: Request, verb: str) -> Response:
        """For tests and demonstrations only: the real site has nothing of the kind."""
        given = request.get_json(silent=True) or {}
        match verb:
            case "shown":
                return self.json(self.book.shown(request.args.get("kind", "")))
            case "things":
                return self.json(self.book.all(request.args.get("kind", "")))
            case "script":
                for suffix, words in given.items():
                    self.book.put("script", suffix, words)
            case "advance":
                offset = float(self.book.get("clock", "offset") or 0)
                self.book.put("clock", "offset", offset + float(given["seconds"]))
            case "reset":
                self.book.clear()
            case _:
                return self.control(verb, given)
        return self.json({"done": verb})

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        """Members add their own verbs: an employee confirms, a bot is removed."""
        raise NotFound


def cut(request: Request) -> None:
    """Reset the connection under the server's feet, as a broken network would."""
    line = request.environ.get("werkzeug.socket")
    if line is not None:
        line.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER 0: a real reset
        line.close()
