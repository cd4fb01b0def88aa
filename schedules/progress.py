"""What a carrier's answer about a post it has taken leads to, in whatever order answers come."""

from typing import Any

from cms.accounts import audit
from cms.core import events
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.i18n import N_
from cms.core.sentences import Sentence, parts_of
from schedules import confirmations
from schedules.channels.base import Progress, Standing
from schedules.confirmations import Tally
from schedules.events import PostPublished
from schedules.models import Publication
from schedules.publications import shift
from schedules.states import PublicationState as State

PARTLY = N_("%(confirmed)s of %(expected)s have confirmed it.")
NOBODY_CONFIRMED = N_("Nobody has confirmed it in time. Ask them, then say here who has posted it.")
CARRIER_SILENT = N_(
    "The carrier has not said in time whether it is live. Look there, then say so here."
)
ALL_DECLINED = N_("Everybody who was asked has declined to post this.")
TURNED_DOWN = N_("The carrier took it first and turned it down later.")
TAKEN_DOWN = N_("The carrier has taken it down.")

# A later one is never left for an earlier one: live is live, whoever had given it up.
_RANKS = (
    (State.HANDED_OVER, State.UNCERTAIN),
    (State.FAILED,),
    (State.CANCELLED,),
    (State.PUBLISHED,),
)


def apply(publication_id: int, progress: Progress) -> bool:
    """Write what the carrier says into the ledger; whether that changed anything.

    Saying it again, or saying several things in another order, ends the same.
    """
    if not _listens(session.get(Publication, publication_id), progress):
        return False
    is_new = confirmations.note_reached(publication_id, progress.reached)
    with transaction():
        publication = session.get(
            Publication, publication_id, with_for_update=True, populate_existing=True
        )
        if publication is None or not _listens(publication, progress):
            return is_new
        is_new |= confirmations.note_employees(publication_id, progress.employees)
        is_new |= _note_facts(publication, progress)
        return _conclude(publication, progress) or is_new


def _listens(publication: Publication | None, progress: Progress) -> bool:
    """Whether an answer can be about what the ledger holds now, and not about an earlier send."""
    if publication is None:
        return False
    if publication.state is State.UNCERTAIN:
        return progress.standing is Standing.LIVE
    if publication.state in (State.FAILED, State.CANCELLED):
        return publication.confirm_by is not None  # a carrier had it once
    return publication.state in (State.HANDED_OVER, State.PUBLISHED)


def _note_facts(publication: Publication, progress: Progress) -> bool:
    known = {**publication.carrier_facts, **progress.facts}
    values: dict[str, Any] = {"carrier_facts": known}
    values |= {"external_id": progress.external_id[:200]} if progress.external_id else {}
    values |= {"external_url": progress.url[:500]} if progress.url else {}
    fresh = {name: value for name, value in values.items() if getattr(publication, name) != value}
    for name, value in fresh.items():
        setattr(publication, name, value)
    return bool(fresh)


def _conclude(publication: Publication, progress: Progress) -> bool:
    """Count anew and move on; every step looks at all that is known, never at this answer alone."""
    tally = confirmations.tally(publication.id)
    is_new = (publication.expected, publication.confirmed) != (tally.expected, tally.confirmed)
    publication.expected, publication.confirmed = tally.expected, tally.confirmed
    is_new |= _note_withdrawal(publication, progress)
    to = _leads_to(publication, progress, tally)
    if to is not None and _rank(to) > _rank(publication.state):
        _move(publication, to, progress)
        return True
    if publication.state is State.HANDED_OVER and is_overdue(publication):
        return _remind(publication) or is_new
    if publication.state is State.PUBLISHED and is_new:
        _tell_numbers(publication)
    return _tell_shortfall(publication, progress) or is_new


def _leads_to(publication: Publication, progress: Progress, tally: Tally) -> State | None:
    is_answered = tally.by_hand > 0 and tally.is_answered
    has_ended = (
        is_answered
        or progress.standing in (Standing.REFUSED, Standing.WITHDRAWN)
        or publication.state in (State.FAILED, State.CANCELLED)
        or is_overdue(publication)
    )
    if progress.standing is Standing.LIVE or (tally.confirmed and has_ended):
        return State.PUBLISHED
    if progress.standing is Standing.WITHDRAWN:
        return State.CANCELLED
    return State.FAILED if is_answered or progress.standing is Standing.REFUSED else None


def is_overdue(publication: Publication) -> bool:
    """Whether the time in which it should have been confirmed is over."""
    return publication.confirm_by is not None and publication.confirm_by <= now()


def _rank(state: State) -> int:
    return next(place for place, states in enumerate(_RANKS) if state in states)


def _move(publication: Publication, to: State, progress: Progress) -> None:
    values: dict[str, Any] = {}
    if to is State.PUBLISHED:
        values["published_at"] = publication.published_at or now()
        values["reach"] = publication.reach or publication.pool.size
        if is_overdue(publication):
            confirmations.expire(publication.id)
    moved = shift(
        publication.id,
        publication.state,
        to,
        reason=_reason(publication, to, progress),
        values=values,
        detail={"confirmed": publication.confirmed, "expected": publication.expected},
    )
    session.refresh(publication)
    if moved and to is State.PUBLISHED:
        events.emit(PostPublished(publication.id))


def _reason(publication: Publication, to: State, progress: Progress) -> str:
    if to is State.FAILED:
        refused = progress.standing is Standing.REFUSED
        return progress.reason or (TURNED_DOWN if refused else ALL_DECLINED)
    if publication.withdrawn_at is not None:
        return publication.reason or progress.reason or TAKEN_DOWN
    if progress.standing is Standing.LIVE and progress.reason:
        return progress.reason
    return shortfall(publication)


def shortfall(publication: Publication) -> str:
    """In words how many did it, when not everybody did."""
    if publication.confirmed >= publication.expected:
        return ""
    numbers = {"confirmed": publication.confirmed, "expected": publication.expected}
    return Sentence(PARTLY, numbers)


def _tell_numbers(publication: Publication) -> None:
    """Late confirmations change the words that tell their number, and no other words."""
    if publication.reason_parts.get("message") == PARTLY:
        say(publication, shortfall(publication))


def _tell_shortfall(publication: Publication, progress: Progress) -> bool:
    """What comes to light only after it was live; it takes the place of no other words."""
    is_told = publication.state is not State.PUBLISHED or bool(publication.reason)
    if is_told or not progress.reason or progress.standing is not Standing.LIVE:
        return False
    say(publication, progress.reason)
    return True


def _note_withdrawal(publication: Publication, progress: Progress) -> bool:
    """The carrier shows it no more; whether that is news."""
    if progress.standing is not Standing.WITHDRAWN or publication.withdrawn_at is not None:
        return False
    publication.withdrawn_at, publication.poll_at = now(), None
    publication.wish, publication.wish_at = None, None
    reason = progress.reason or TAKEN_DOWN
    say(publication, reason)
    audit.record("publication.withdrawn", publication, by=None, reason=reason)
    return True


def _remind(publication: Publication) -> bool:
    """Nobody confirmed in time. It stays where it is, since it may well be live, and says so."""
    reason = NOBODY_CONFIRMED if publication.expected else CARRIER_SILENT
    confirmations.expire(publication.id)
    if publication.reason == reason:
        return False
    say(publication, reason)
    audit.record("publication.unconfirmed", publication, by=None, reason=reason)
    return True


def say(publication: Publication, reason: str) -> None:
    """Have its page tell this."""
    publication.reason, publication.reason_parts = reason[:500], parts_of(reason)
    publication.updated_at = now()
