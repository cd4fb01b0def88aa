"""How the search index is doing: whether it is there, and how far it is behind."""

from cms.core.clock import now
from cms.core.health import Check, Finding, Level
from cms.core.i18n import N_
from content_library.search import outbox, projection

SLOW_SECONDS = 60


def _index() -> Finding:
    status = projection.index().status()
    waiting = outbox.waiting()
    age = int((now() - waiting[0].at).total_seconds()) if waiting else 0
    figures = {"state": status.state, "documents": status.documents, "seconds_behind": age}
    if status.state != "ready":
        message = N_("The search index is missing; search answers from the database meanwhile.")
        return Finding(Level.WARNING, message, figures=figures)
    if age > SLOW_SECONDS:
        message = N_("The search index is %(seconds)s seconds behind. Is its worker alive?")
        return Finding(Level.WARNING, message, {"seconds": age}, figures)
    return Finding(Level.WELL, N_("The search index is up to date."), figures=figures)


CHECKS_OF_LIBRARY = (Check("index", N_("Search index"), _index),)
