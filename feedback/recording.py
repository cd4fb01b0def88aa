"""Records what readers do: durable before the answer leaves, counted a moment later by a job."""

import structlog
from sqlalchemy.exc import OperationalError

from cms.core.db import transaction
from feedback import events, hints, journal
from feedback.facts import Fact

log = structlog.get_logger(__name__)


def record(fact: Fact) -> None:
    """Keep the fact against any kill. A disk that takes no line leaves the database itself."""
    try:
        journal.append(fact.to_line())
    except OSError as error:
        log.error("journal_failed", error=str(error))
        with transaction():
            events.store([fact])
    hints.tell()


def witness(fact: Fact) -> None:
    """Record what a reader did in passing. What neither disk nor database takes is lost, and told:
    nobody is kept from reading for want of a count.
    """
    try:
        record(fact)
    except OperationalError as error:
        log.critical("fact_lost", kind=fact.kind, error=str(error.orig))
