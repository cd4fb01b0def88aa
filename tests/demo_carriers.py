"""Demo carriers for tests: each test gets its own server and its own ledgers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from werkzeug.serving import BaseWSGIServer

from cms.core import config
from cms.demo.carriers.mail import Mailbox, MailSink
from cms.demo.carriers.serving import Carriers, in_a_thread
from cms.demo.carriers.simulator import Simulator
from schedules.channels import calling

Start = Callable[..., tuple[Carriers, str]]


@contextmanager
def mail_sink(folder: Path) -> Iterator[MailSink]:
    """A mail server that keeps what it gets, and an installation that knows it."""
    server = MailSink(folder)
    server.start()
    known = config.current()
    config.use(replace(known, smtp_url=server.url, mail_from="shop@example.com"))
    Mailbox.folder = folder
    try:
        yield server
    finally:
        Mailbox.folder = None
        config.use(known)
        server.stop()


@contextmanager
def starting(folder: Path) -> Iterator[Start]:
    """What starts carriers with their ledgers in that folder; at the end all of them stop."""
    running: list[tuple[BaseWSGIServer, Carriers]] = []
    mail = ExitStack()

    def start(*kinds: type[Simulator]) -> tuple[Carriers, str]:
        if Mailbox in kinds:
            mail.enter_context(mail_sink(folder / "letters"))
        carriers = Carriers(folder / "carriers", kinds)
        server, url = in_a_thread(carriers)
        running.append((server, carriers))
        calling.allow_in_tests(url)
        return carriers, url

    try:
        with mail:
            yield start
    finally:
        for server, carriers in running:
            server.shutdown()
            server.server_close()
            carriers.close()
