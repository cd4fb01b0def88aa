"""A demo mail server: it keeps every letter as a file, refuses by script, and shows what it has."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from cms.core import ports
from cms.core.config import current
from cms.demo.carriers.simulator import Simulator, route

SUFFIX = ".eml"
FOLDER = "letters"
CLOSED = "default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'; sandbox"
MOST_SHOWN = 200
OK = "ok"
SAID = {
    "421": "4.3.2 closing down",
    "550": "5.1.1 no such mailbox",
    "4": "4.7.1 try later",
    "5": "5.7.1 refused by policy",
}
LOOK = (
    '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
    "<style>body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:16px/1.6 system-ui,sans-serif}"
    "h1{font-size:1.4rem}li{margin:.4rem 0;overflow-wrap:anywhere}pre{white-space:pre-wrap}</style>"
)


@dataclass(frozen=True)
class Kept:
    """One letter on disk."""

    name: str
    to: str  # whom it was really handed over for
    message: EmailMessage


def letters_folder() -> Path:
    """Where the demo mail server of this data directory keeps its letters."""
    return current().folder("carriers") / FOLDER


def kept(folder: Path) -> Iterator[Kept]:
    """All letters, the newest first."""
    for path in sorted(folder.glob(f"*{SUFFIX}"), reverse=True):
        yield read(folder, path.name)


def read(folder: Path, name: str) -> Kept:
    """The letter of that name; raises NotFound."""
    path = folder / Path(name).name
    if path.suffix != SUFFIX or not path.is_file():
        raise NotFound
    found = message_from_bytes(path.read_bytes(), policy=policy.default)
    if not isinstance(found, EmailMessage):
        raise NotFound
    return Kept(path.name, str(found["X-Handed-Over-For"]), found)


class _Handler:
    """What the server says. A script maps an address, or `*`, to words, one a letter, the last for ever:
    `ok`; a code at a step, `rcpt:451`, `data:554` (before the content) or `end:451` (after the final
    dot; nothing is kept); and after the letter is kept `cut` (the line breaks) or `hang`. A code alone
    is said to the recipient, `554` to the letter. Under a sender's address stand codes said at MAIL.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script: dict[str, list[str]] = {}
        self.hang_seconds = 60.0

    def word(self, address: str) -> str:
        return _next(self.script.get(address) or self.script.get("*"))

    async def handle_MAIL(  # noqa: PLR0917 - as the library calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        word = _next(self.script.get(address))
        if word != OK:
            return _reply(word)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: PLR0917 - as the library calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        step, code = _scripted(self.word(address))
        if step == "rcpt":
            return _reply(code)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.append(f"{step}:{code}")
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        step, code = said_last(envelope)
        if step == "end":
            return _reply(code)
        self._keep(envelope)
        if step == "cut" and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        if step == "hang":
            await asyncio.sleep(self.hang_seconds)
        return "250 kept"

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        name = f"{time.time_ns():020d}"
        draft = self.folder / f"{name}.part"
        to = ", ".join(envelope.rcpt_tos)
        draft.write_bytes(f"X-Handed-Over-For: {to}\r\n".encode() + content)
        draft.rename(draft.with_suffix(SUFFIX))


class _Strict(SMTP):
    """Keeps the order of the commands as strict servers do: what it refuses before the content leaves
    the letter begun, and another MAIL is out of order until RSET."""

    async def smtp_DATA(self, arg: str) -> None:
        step, code = said_last(self.envelope)
        if step == "data":
            await self.push(_reply(code))
        else:
            await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Strict(self.handler, **self.SMTP_kwargs)


def said_last(envelope: Envelope | None) -> tuple[str, str]:
    """The step and the code that the script has for the letter's newest recipient."""
    words = envelope.rcpt_options if envelope is not None else []
    return _scripted(words[-1] if words else OK)


def _next(words: list[str] | None) -> str:
    if not words:
        return OK
    return words.pop(0) if len(words) > 1 else words[0]


def _scripted(word: str) -> tuple[str, str]:
    step, _, code = word.rpartition(":")
    if step or not word.isdigit():
        return step or word, code
    return ("end" if word == "554" else "rcpt"), word


def _reply(code: str) -> str:
    return f"{code} {SAID.get(code) or SAID[code[0]]}"


class MailSink:
    """An SMTP server on the loopback address; port 0 takes a free one."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.port = port or ports.free()
        self.handler = _Handler(folder)
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        """As the setting SEEDBED_SMTP_URL wants it."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        # A stopped one cannot be started again: its event loop is closed.
        self._controller = _Controller(self.handler, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def letters(self) -> list[Kept]:
        """What arrived, oldest first."""
        return list(kept(self.folder))[::-1]


class Mailbox(Simulator):
    """The pages on which people read what the demo mail server keeps."""

    slug = "mail"
    name = "Demo mailbox"
    folder: ClassVar[Path | None] = None  # none: this data directory's own

    @property
    def _folder(self) -> Path:
        return self.folder or letters_folder()

    @route("GET", "/")
    def look(self, request: Request) -> Response:
        """The newest letters, one a line."""
        rows = []
        for number, one in enumerate(kept(self._folder)):
            if number == MOST_SHOWN:
                break
            subject = escape(str(one.message["Subject"]))
            rows.append(f'<li><a href="letter/{one.name}">{subject}</a> → {escape(one.to)}</li>')
        return _page(self.name, f"<ol>{''.join(rows)}</ol>")

    @route("GET", "/letter/<name>")
    def show(self, request: Request, name: str) -> Response:
        """The letter as a mail program draws it."""
        message = read(self._folder, name).message
        body = message.get_body(("html", "plain"))
        if body is None:
            raise NotFound
        content = str(body.get_content())
        if body.get_content_subtype() == "plain":
            return _page(str(message["Subject"]), f"<pre>{escape(content)}</pre>")
        for part in message.walk():
            if cid := str(part["Content-ID"] or "").strip("<>"):
                content = content.replace(f"cid:{cid}", f"{escape(name)}/{escape(cid)}")
        return _closed(Response(content, content_type="text/html; charset=utf-8"))

    @route("GET", "/letter/<name>/<cid>")
    def picture(self, request: Request, name: str, cid: str) -> Response:
        """A picture that travelled along."""
        for part in read(self._folder, name).message.walk():
            is_it = str(part["Content-ID"] or "").strip("<>") == cid
            if is_it and part.get_content_maintype() == "image":
                return Response(part.get_payload(decode=True), content_type=part.get_content_type())
        raise NotFound

    @route("GET", "/source/<name>")
    def source(self, request: Request, name: str) -> Response:
        """The letter as it came over the wire."""
        content = read(self._folder, name).message.as_bytes()
        return Response(content, content_type="text/plain; charset=utf-8")

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        if verb != "letters":
            raise NotFound
        found = [
            {"name": one.name, "to": [pair[1] for pair in getaddresses([one.to])]}
            for one in kept(self._folder)
        ]
        return Response(json.dumps(found), content_type="application/json")


def _page(title: str, content: str) -> Response:
    head = f"<!doctype html><meta charset=utf-8><title>{escape(title)}</title>{LOOK}"
    page = f"{head}<h1>{escape(title)}</h1>{content}"
    return _closed(Response(page, content_type="text/html; charset=utf-8"))


def _closed(answer: Response) -> Response:
    """Letters hold what strangers wrote: no script of theirs runs here."""
    answer.headers["Content-Security-Policy"] = CLOSED
    return answer
