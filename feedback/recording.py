"""Records what readers do: durable before the answer leaves, counted a moment later by a job."""

import structlog

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
