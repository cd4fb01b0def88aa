"""Whether outside addresses behind tracked links still answer: looking once, and when to look again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import structlog
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import contains_eager

from cms.core.addresses import AddressNotAllowed
from cms.core.clock import now
from cms.core.db import give_back, session, transaction
from cms.core.http import Answer, Client, NotSent, Unanswered
from cms.core.i18n import N_
from schedules.models import Post, Publication, TrackedLink
from schedules.states import LinkCheck
from schedules.states import PublicationState as State

log = structlog.get_logger(__name__)

SECONDS = 8.0  # for one call; the job's own limit has room for every hop of both methods
MOST_HOPS = 5
BEFORE_DUE = timedelta(hours=24)
AHEAD = timedelta(days=14)  # what is planned later than that is looked at when it comes nearer
AGAIN = timedelta(hours=1)  # where the last answer was not a good one
SHORTLY = timedelta(minutes=30)  # before the post: a last look, unless one was had within AGAIN
MOST_AT_ONCE = 50
WAITING = (State.PLANNED, State.SCHEDULED, State.HELD)

GONE = frozenset({404, 410})
# There is something, though not for us: readers who are signed in, or come more slowly, see it.
ONLY_NOT_FOR_US = frozenset({401, 403, 429})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

NOT_PUBLIC = N_("It leads to an address that is not public.")
ROUND = N_("It is sent on too many times.")


@dataclass(frozen=True)
class Look:
    """What one look at an address said; the note is a status, else why there was none."""

    check: LinkCheck
    note: str = ""


# Addresses that are made up: nobody is asked about them.
_invented: list[Callable[[], frozenset[str]]] = []


def spare(invented: Callable[[], frozenset[str]]) -> None:
    """Never look at these addresses; for worlds that are made up, the demonstration's."""
    if invented not in _invented:
        _invented.append(invented)


def is_spared(target: str) -> bool:
    return any(target in targets() for targets in _invented)


def check(link_id: int, *, client: Client | None = None) -> None:
    """Look at the link's target and note what it said, for every waiting post that leads there.

    No transaction is open while the other server is called. Doing it twice changes nothing more.
    """
    target = session.scalar(select(TrackedLink.target).where(TrackedLink.id == link_id))
    if not target or is_spared(target):
        return
    give_back()
    seen = look_at(target, client or Client(seconds=SECONDS))
    log.info("link_checked", link=link_id, check=seen.check.value)
    with transaction():
        _note(link_id, target, seen)


def look_at(url: str, client: Client) -> Look:
    """HEAD, and GET where that was not a plain yes: some servers know only one of them."""
    seen = _ask("HEAD", url, client)
    return seen if seen.check in (LinkCheck.FINE, LinkCheck.FORBIDDEN) else _ask("GET", url, client)


def due() -> list[int]:
    """One link for each address that should be looked at now, the next post first."""
    moment = now()
    soon = moment + BEFORE_DUE
    has_time_come = or_(
        TrackedLink.checked_at.is_(None),
        and_(Publication.due_at <= soon, TrackedLink.checked_at < moment - BEFORE_DUE),
        and_(
            Publication.due_at <= soon,
            TrackedLink.check != LinkCheck.FINE,
            TrackedLink.checked_at < moment - AGAIN,
        ),
        and_(Publication.due_at <= moment + SHORTLY, TrackedLink.checked_at < moment - AGAIN),
    )
    rows = session.execute(
        select(func.min(TrackedLink.id), TrackedLink.target)
        .join(Publication, Publication.id == TrackedLink.publication_id)
        .where(Publication.state.in_(WAITING))
        .where(Publication.due_at.between(moment - BEFORE_DUE, moment + AHEAD))
        .where(TrackedLink.target != "", has_time_come)
        .group_by(TrackedLink.target)
        .order_by(func.min(Publication.due_at))
        .limit(MOST_AT_ONCE)
    ).all()
    return [link_id for link_id, target in rows if not is_spared(target)]


def in_trouble() -> list[TrackedLink]:
    """Links of waiting posts whose last look was no good one, the next post first."""
    found = (
        select(TrackedLink)
        .join(TrackedLink.publication)
        .where(Publication.state.in_(WAITING), Publication.due_at > now() - BEFORE_DUE)
        .where(TrackedLink.checked_at.is_not(None), TrackedLink.check != LinkCheck.FINE)
        .options(
            contains_eager(TrackedLink.publication)
            .joinedload(Publication.post)
            .joinedload(Post.version)
        )
        .order_by(Publication.due_at, TrackedLink.id)
    )
    return list(session.scalars(found.limit(MOST_AT_ONCE)))


def _ask(method: str, url: str, client: Client) -> Look:
    """Follow it by hand: each hop is judged, and one to plain http is no fault of the link's."""
    for _hop in range(MOST_HOPS + 1):
        try:
            answer = client.request(method, url)
        except AddressNotAllowed:
            return Look(LinkCheck.FORBIDDEN, NOT_PUBLIC)
        except NotSent as error:
            return Look(LinkCheck.UNKNOWN, error.reason)
        except Unanswered as error:
            if error.status is None:
                return Look(LinkCheck.UNKNOWN, error.reason)
            return _judged(error.status)
        following = _following(answer)
        if following is None:
            return _judged(answer.status)
        url = following
    return Look(LinkCheck.UNKNOWN, ROUND)


def _following(answer: Answer) -> str | None:
    location = answer.headers.get("location")
    if answer.status not in _REDIRECTS or not location:
        return None
    return urljoin(answer.url, location)


def _judged(status: int) -> Look:
    note = str(status)
    if status in GONE:
        return Look(LinkCheck.GONE, note)
    if status < 400 or status in ONLY_NOT_FOR_US:
        return Look(LinkCheck.FINE, note)
    return Look(LinkCheck.UNKNOWN, note)


def _note(link_id: int, target: str, seen: Look) -> None:
    values: dict[str, Any] = {
        "check": seen.check,
        "checked_at": now(),
        "check_note": seen.note[:300],
    }
    waiting = select(Publication.id).where(
        Publication.state.in_(WAITING), Publication.due_at > now() - BEFORE_DUE
    )
    session.execute(
        update(TrackedLink)
        .where(
            TrackedLink.target == target,
            or_(TrackedLink.id == link_id, TrackedLink.publication_id.in_(waiting)),
        )
        .values(values)
        .execution_options(synchronize_session=False)
    )
