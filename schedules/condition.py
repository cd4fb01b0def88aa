"""How publishing is doing: what is overdue, what waits for a person, how much stands where."""

from datetime import timedelta

from sqlalchemy import func, select

from cms.core.clock import now
from cms.core.db import session
from cms.core.health import Check, Finding, Level
from cms.core.i18n import N_
from schedules import inbox, publications, stops
from schedules.models import Publication
from schedules.states import PublicationState as State

LATE = timedelta(seconds=60)
LEFT_BEHIND = timedelta(minutes=2)  # a clock that lives settles within seconds
ENDED = frozenset({State.PUBLISHED, State.CANCELLED})


def _publishing() -> Finding:
    """Whatever has ended is left out of the counts, so that the answer does not slow with the years."""
    oldest = publications.oldest_overdue()
    overdue = max(0.0, (now() - oldest.due_at).total_seconds()) if oldest else 0.0
    counts = publications.counts_by_state([state for state in State if state not in ENDED])
    figures = {
        "oldest_overdue_seconds": round(overdue, 1),
        "published_last_day": _published_last_day(),
        "states": {state.value: count for state, count in counts.items() if count},
    }
    if overdue > LATE.total_seconds():
        message = N_("A post is %(seconds)s seconds overdue. Are clock and publish workers alive?")
        return Finding(Level.FAULT, message, {"seconds": int(overdue)}, figures)
    troubled = inbox.count()  # the one number, as the badge on every page shows it
    if troubled:
        message = N_("%(count)s posts wait for a person to decide.")
        return Finding(Level.WARNING, message, {"count": troubled}, figures)
    return Finding(Level.WELL, N_("Posts go out on time."), figures=figures)


def _published_last_day() -> int:
    since = now() - timedelta(days=1)
    found = select(func.count()).where(Publication.published_at >= since)
    return session.scalar(found) or 0


def _leases() -> Finding:
    """What a worker took up and neither it nor the clock has ended: no other list would show it."""
    floor = now() - LEFT_BEHIND
    number = session.scalar(
        select(func.count()).where(
            Publication.state.in_([State.CLAIMED, State.SENDING]), Publication.lease_until < floor
        )
    )
    if number:
        message = N_("%(count)s posts were left by their workers, and no clock settles them.")
        return Finding(Level.FAULT, message, {"count": number}, {"left_behind": number})
    return Finding(Level.WELL, N_("Nothing was left behind."), figures={"left_behind": 0})


def _stops() -> Finding:
    """A stop is somebody's will and no fault: machines that watch are told, and stay calm."""
    raised = stops.in_force()
    figures = {"stops": len(raised)}
    if not raised:
        return Finding(Level.WELL, N_("Nothing is stopped."), figures=figures)
    message = N_("Sending has been stopped: %(reason)s")
    return Finding(Level.WARNING, message, {"reason": raised[0].reason}, figures)


CHECKS_OF_PUBLISHING = (
    Check("publishing", N_("Publishing"), _publishing),
    Check("leases", N_("Posts in workers' hands"), _leases),
    Check("stops", N_("Emergency stop"), _stops),
)
