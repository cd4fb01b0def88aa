"""How feedback is doing: whether what readers did is taken in and counted in time."""

from datetime import timedelta

from cms.core.clock import now
from cms.core.health import Check, Finding, Level
from cms.core.i18n import N_
from feedback import ingest, rollups

SLOW = timedelta(seconds=60)


def _journal() -> Finding:
    waiting = ingest.backlog()
    oldest = rollups.oldest_dirty()
    age = (now() - oldest).total_seconds() if oldest else 0.0
    figures = {"journal_bytes": waiting, "oldest_uncounted_seconds": round(age, 1)}
    if age > SLOW.total_seconds():
        message = N_(
            "Feedback is counted %(seconds)s seconds late. Nothing is lost; is the feedback worker alive?"
        )
        return Finding(Level.WARNING, message, {"seconds": int(age)}, figures)
    return Finding(Level.WELL, N_("Feedback is counted as it comes."), figures=figures)


CHECKS_OF_FEEDBACK = (Check("feedback", N_("Feedback"), _journal),)
