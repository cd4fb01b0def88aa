"""Sending e-mail: letters over one SMTP connection, and exactly what is known of each afterwards."""

import ipaddress
import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from cms.core import demo_carriers
from cms.core.clock import now
from cms.core.config import current
from cms.core.errors import Problem, SeedbedError
from cms.core.http import NotSent, Unanswered
from cms.core.i18n import N_
from cms.core.limits import most
from cms.core.text import clean_line

__all__ = [
    "BadLetter",
    "Inline",
    "Letter",
    "Line",
    "NotSent",
    "PutOff",
    "Refusal",
    "Refused",
    "Sent",
    "Server",
    "Unanswered",
]

DEMO_SENDER = "seedbed@demo.invalid"
SUBJECT_CHARACTERS = 200
SENDER_CHARACTERS = 80
NO_ENCRYPTION = N_("it offers no encryption; the password was not told")
LONGEST_LINE = 998  # what every server takes
CLOSING = 421  # the server says so and hangs up
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"({_LOCAL})@({_LABEL}(?:\.{_LABEL})*)")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_ID = re.compile(r"[A-Za-z0-9._-]{1,120}")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_WORDED = frozenset({"subject", "from"})  # people's words, that may have to be encoded
_OURS = frozenset({"from", "to", "subject", "date", "message-id", "content-type", "mime-version"})


class _Policy(EmailPolicy):
    """No server has to know more than ASCII, and what machines read is never encoded.

    The library turns a long word in a header into an encoded one, which no mail program
    takes for an address: these lines are folded between their members or not at all.
    """

    def fold(self, name: str, value: str) -> str:
        text = str(value)
        is_plain = _HEADER_VALUE.fullmatch(text) and not name.lower().startswith("content-")
        if name.lower() in _WORDED or not is_plain:
            return super().fold(name, value)
        line = f"{name}: {text}"
        if len(line) > (self.max_line_length or LONGEST_LINE):
            line = line.replace(", ", ",\r\n ")
        return f"{line}\r\n"

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _Policy(cte_type="7bit", max_line_length=76, linesep="\r\n")


class Refused(SeedbedError):
    """The mail server said no: to us, or to the whole letter. Nobody got it."""

    def __init__(self, said: str, code: int = 0, *, is_login: bool = False) -> None:
        message = N_("The mail server refused: %(said)s")
        super().__init__(Problem("mail_refused", message, {"said": said}))
        self.said = said
        self.code = code
        self.is_login = is_login


class PutOff(NotSent):
    """Not this letter, not now; the server is there, and the line is free for another."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.code = code


class BadLetter(ValueError):
    """An address or a header that could not be sent as it is written; nothing was tried."""


@dataclass(frozen=True)
class Inline:
    """A picture that travels along; the HTML shows it as `cid:NAME`."""

    name: str
    content: bytes = field(repr=False)
    mime: str
    filename: str


@dataclass(frozen=True)
class Letter:
    """One e-mail. `id` names it on every try, so that a repeated one can be told; none: a new one."""

    to: tuple[str, ...]
    subject: str
    text: str
    html: str = ""
    id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    sender_name: str = ""  # what readers see before the sender's address; none: as it is set
    inline: tuple[Inline, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """One recipient the server would not take; for ever, or only now."""

    recipient: str
    code: int
    said: str

    @property
    def is_final(self) -> bool:
        return self.code >= 500


@dataclass(frozen=True)
class Sent:
    """Whom the server took the letter for, and whom not."""

    accepted: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()


def clean_address(text: str) -> str | None:
    """The address as mail servers want it (its domain in ASCII), or None when it is none."""
    local, _, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    found = f"{local}@{domain}"
    is_address = len(found) <= 254 and len(local) <= 64 and _ADDRESS.fullmatch(found)
    return found if is_address else None


@dataclass(frozen=True)
class Server:
    """The installation's mail server; an empty `url` means that no e-mail leaves."""

    url: str = field(default="", repr=False)
    sender: str = ""
    is_demo: bool = False  # it keeps every letter on this machine


def server() -> Server:
    """The one that is set; while a demo runs and none is set, the demo's own."""
    settings = current()
    if settings.smtp_url:
        return Server(settings.smtp_url, settings.mail_from)
    url = demo_carriers.mail_url()
    return Server(url, settings.mail_from or DEMO_SENDER, is_demo=True) if url else Server()


def is_configured() -> bool:
    """Whether this installation has a mail server at all."""
    return bool(server().url)


def send(letter: Letter, *, tls: ssl.SSLContext | None = None) -> Sent:
    """Connect, send one letter, hang up. Raises as `Line.send` and `connected` do."""
    with connected(tls=tls) as line:
        return line.send(letter)


@contextmanager
def connected(*, tls: ssl.SSLContext | None = None) -> Iterator["Line"]:
    """A connection to the installation's mail server, for one letter or many.

    Raises NotSent when the server cannot be reached, Refused when it does not let us in.
    """
    line = _dialled(server(), tls or ssl.create_default_context())
    try:
        yield line
    finally:
        with suppress(smtplib.SMTPException, OSError):
            line.smtp.quit()
        line.smtp.close()


@dataclass
class Line:
    """An open connection that has been let in."""

    smtp: smtplib.SMTP
    sender: str

    def send(self, letter: Letter) -> Sent:
        """Hand over one letter.

        Raises BadLetter, PutOff (not now) or Refused (for good), after which the next letter may be
        handed over; NotSent (nothing was taken, and the server is away), or Unanswered (all of it left,
        and nobody said whether it was taken).
        """
        message = composed(letter, self.sender)
        try:
            taken, refused = self._addressed(letter)
            if not taken:
                self._clear()
                return Sent((), tuple(refused))
            code, said = self.smtp.docmd("DATA")
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(_told(error)) from error
        if code != 354:
            raise self._no(code, said)
        self._hand_over(_LEADING_DOT.sub(b"..", message))
        return Sent(tuple(taken), tuple(refused))

    def _addressed(self, letter: Letter) -> tuple[list[str], list[Refusal]]:
        code, said = self.smtp.mail(parseaddr(self.sender)[1])
        if code != 250:
            raise self._no(code, said)
        taken, refused = [], []
        for recipient in letter.to:
            code, said = self.smtp.rcpt(_known(recipient))
            if code in (250, 251):
                taken.append(recipient)
            elif code == CLOSING:
                raise NotSent(_words(said))
            else:
                refused.append(Refusal(recipient, code, _words(said)))
        return taken, refused

    def _hand_over(self, content: bytes) -> None:
        """From here on the letter may be there even when no answer comes."""
        try:
            self.smtp.send(content + (b"" if content.endswith(b"\r\n") else b"\r\n") + b".\r\n")
            code, said = self.smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise Unanswered(_told(error)) from error
        if code >= 400:
            raise self._no(code, said)
        if not 200 <= code < 300:  # neither yes nor no: it may be there
            raise Unanswered(_words(said))

    def _no(self, code: int, said: bytes) -> SeedbedError:
        """A refusal for now may be tried again, since nothing was taken; one for good may not."""
        if code < 400 or code == CLOSING:
            return NotSent(_words(said))
        self._clear()
        return (PutOff if code < 500 else Refused)(_words(said), code)

    def _clear(self) -> None:
        """Take back what was begun: strict servers would call the next letter out of order."""
        with suppress(
            smtplib.SMTPException, OSError
        ):  # a line that broke says so at the next letter
            self.smtp.rset()


def composed(letter: Letter, sender: str) -> bytes:
    """The letter as it goes over the wire. Raises BadLetter for what would break out of a header."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = _from(letter.sender_name, sender)
    message["To"] = ", ".join(_known(one) for one in letter.to)
    message["Subject"] = clean_line(letter.subject)[:SUBJECT_CHARACTERS]
    message["Date"] = format_datetime(now())
    message["Message-ID"] = _message_id(letter.id or uuid4().hex, sender)
    for name, value in letter.headers.items():
        is_plain = _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
        if not is_plain or name.lower() in _OURS:
            raise BadLetter(f"the header {name[:40]!r} cannot be set")
        if max(map(len, value.split(", "))) + len(name) > LONGEST_LINE - len(": ,"):
            raise BadLetter(f"the header {name[:40]!r} is too long")
        message[name] = value
    message.set_content(letter.text)
    if letter.html:
        _add_html(message, letter)
    return message.as_bytes()


def _from(name: str, sender: str) -> str | Address:
    shown = clean_line(name)[:SENDER_CHARACTERS]
    return Address(shown, addr_spec=parseaddr(sender)[1]) if shown else sender


def _add_html(message: EmailMessage, letter: Letter) -> None:
    message.add_alternative(letter.html, subtype="html")
    *_, page = message.iter_parts()
    for one in letter.inline:
        kind, _, subtype = one.mime.partition("/")
        if not _ID.fullmatch(one.name) or not _ID.fullmatch(one.filename):
            raise BadLetter(f"{one.name[:40]!r} cannot name a picture")
        page.add_related(one.content, kind, subtype, cid=f"<{one.name}>", filename=one.filename)


def _known(address: str) -> str:
    found = clean_address(address)
    if found is None:
        raise BadLetter(f"{address[:80]!r} is no e-mail address")
    return found


def _message_id(name: str, sender: str) -> str:
    if not _ID.fullmatch(name):
        raise BadLetter(f"{name[:40]!r} cannot name a letter")
    return f"<{name}@{parseaddr(sender)[1].rpartition('@')[2] or 'localhost'}>"


def _dialled(to: Server, tls: ssl.SSLContext) -> Line:
    if not to.url:
        raise NotSent(N_("no mail server is set"))
    parts = urlsplit(to.url)
    host, is_secure = parts.hostname or "", parts.scheme == "smtps"
    port = parts.port or (465 if is_secure else 587 if parts.username else 25)
    sender = to.sender
    name = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    seconds = float(most("outgoing_seconds"))
    try:
        smtp: smtplib.SMTP
        if is_secure:
            smtp = smtplib.SMTP_SSL(host, port, name, timeout=seconds, context=tls)
        else:
            smtp = smtplib.SMTP(host, port, name, timeout=seconds)
            _greet(smtp, tls)
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(_told(error)) from error
    if parts.username:
        _log_in(smtp, unquote(parts.username), unquote(parts.password or ""))
    return Line(smtp, sender)


def _greet(smtp: smtplib.SMTP, tls: ssl.SSLContext) -> None:
    try:
        smtp.ehlo_or_helo_if_needed()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=tls)
            smtp.ehlo()
    except (smtplib.SMTPException, OSError):
        smtp.close()
        raise


def _log_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    try:
        if not isinstance(smtp.sock, ssl.SSLSocket) and not _is_here(smtp):
            raise Refused(NO_ENCRYPTION, is_login=True)
        smtp.login(user, password)
    except smtplib.SMTPAuthenticationError as error:
        smtp.close()
        raise Refused(_words(error.smtp_error), error.smtp_code, is_login=True) from error
    except smtplib.SMTPNotSupportedError as error:
        smtp.close()
        raise Refused(N_("it takes no login"), is_login=True) from error
    except (smtplib.SMTPException, OSError) as error:
        smtp.close()
        raise NotSent(_told(error)) from error
    except Refused:
        smtp.close()
        raise


def _is_here(smtp: smtplib.SMTP) -> bool:
    """A server on this machine: what is said to it passes over no network."""
    return smtp.sock is not None and ipaddress.ip_address(smtp.sock.getpeername()[0]).is_loopback


def _told(error: Exception) -> str:
    """A short reason in words."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_error)
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'failed'}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the connection broke off"


def _words(said: bytes | str) -> str:
    """What a server said, on one line and no longer than a row holds."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return clean_line(text)[:200]
