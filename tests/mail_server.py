"""A real mail server on a loopback port for tests: keeps what it takes, and can be told to misbehave."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from cms.core import config, ports

SENDER = "seedbed@example.com"


@dataclass
class Mailbox:
    """Everything taken, in order. `answer_to` and `answer_at_end` say no with an SMTP answer."""

    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answer_to: dict[str, str] = field(default_factory=dict)
    answer_at_end: str = ""
    on_end: Callable[[SMTP], None] | None = None
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _o: Any
    ) -> str:
        if address in self.answer_to:
            return self.answer_to[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:
        if self.on_end:
            self.on_end(server)
        if self.answer_at_end:
            return self.answer_at_end
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def let_in(
        self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any
    ) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"pass word", handled=False)


@contextmanager
def mail_server(
    *,
    login: str = "",
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    **options: Any,
) -> Iterator[Mailbox]:
    """Run one, and make it this installation's mail server. `login` is `user:password@`."""
    box, port = Mailbox(), ports.free(host)
    controller = Controller(
        box,
        hostname=host,
        port=port,
        tls_context=tls,
        authenticator=box.let_in,
        auth_require_tls=False,
        **options,
    )
    controller.start()
    use(f"smtp://{login}{host}:{port}")
    try:
        yield box
    finally:
        controller.stop()


def use(url: str, sender: str = SENDER) -> None:
    """Make that the mail server; the next test's application brings its own settings again."""
    config.use(replace(config.current(), smtp_url=url, mail_from=sender))
