"""What a person decides about a publication that no machine will move on."""

from typing import Any
from urllib.parse import urlsplit

from cms.accounts import audit
from cms.accounts.models import User
from cms.core import events
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Problem, conflict, invalid
from cms.core.i18n import N_
from cms.core.limits import most
from schedules import publications
from schedules.content import content_hash, outgoing
from schedules.events import PostPublished
from schedules.models import Publication
from schedules.receipts import SETTLE_WITHIN
from schedules.states import PublicationState as State
from schedules.states import ReviewState

_STARTABLE = frozenset({State.SCHEDULED, State.MISSED, State.FAILED, State.HELD})


def can_publish_now(publication: Publication) -> bool:
    """Whether `publish_now` would be heard, as far as the state goes."""
    return publication.state in _STARTABLE


def publish_now(publication: Publication, *, by: User) -> None:
    """Let the approved content go out at once, with a fresh patience for being late."""
    if publication.state not in _STARTABLE:
        raise conflict(
            "illegal_move",
            N_("A publication that is %(state)s cannot become %(to)s."),
            state=publication.state.value,
            to=State.SCHEDULED.value,
        )
    _still_approved(publication)
    _send_again(publication, by=by)


def resolve_uncertain(
    publication: Publication, answer: str, *, url: str = "", by: User
) -> Publication:
    """A person looked: it is `live`, it shall be sent `again`, or it is to be dropped (`drop`)."""
    if publication.state is not State.UNCERTAIN:
        raise conflict("changed_meanwhile", N_("Somebody else was quicker. Look again."))
    match answer:
        case "live":
            _is_live(publication, _address(url), by=by)
        case "again":
            _still_approved(publication)
            _send_again(publication, by=by)
        case "drop":
            publications.drop(publication, by=by)
        case _:
            raise invalid("answer", "bad_answer", N_("Choose: it is live, send again, or drop."))
    return publication


def drop(publication: Publication, *, by: User, reason: str = "") -> None:
    """It shall not go out. Dropping twice changes nothing."""
    if publication.state is not State.CANCELLED:
        publications.drop(publication, by=by, reason=reason)


def _still_approved(publication: Publication) -> None:
    post = publication.post
    if post.review is not ReviewState.APPROVED or publication.content_hash is None:
        raise conflict("not_approved", N_("It is not approved. Have it approved first."))
    if content_hash(outgoing(post)) != publication.content_hash:
        raise conflict(
            "content_changed", N_("It is not what was approved any more. Have it approved again.")
        )


def _send_again(publication: Publication, *, by: User) -> None:
    moment = now()
    fresh: dict[str, Any] = {
        "due_at": moment,
        "late_after": moment + max(publications.late_by(publication.post), SETTLE_WITHIN / 24),
        "tries": 0,
        "crashes": 0,
    }
    if publication.state is State.SCHEDULED:
        for name, value in fresh.items():
            setattr(publication, name, value)
        session.flush()  # the audit entry follows the change
        audit.record("publication.hurried", publication, by=by)
        return
    publications.move(publication, State.SCHEDULED, by=by, **fresh)


def _is_live(publication: Publication, url: str, *, by: User) -> None:
    publications.move(
        publication,
        State.PUBLISHED,
        by=by,
        published_at=now(),
        external_url=url,
        reach=publication.pool.size,
    )
    events.emit(PostPublished(publication.id))


def _address(url: str) -> str:
    """The address where it was seen; empty is fine, a script or a file is not."""
    url = url.strip()
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > most_characters():
        problem = Problem("bad_link", N_("Paste a web address that begins with https://."))
        raise invalid("url", problem.code, problem.message)
    return url


def most_characters() -> int:
    """The column holds fewer characters than a link may have elsewhere."""
    return min(500, most("link_characters"))
