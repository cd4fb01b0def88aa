"""What a person decides about a publication that no machine will move on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from urllib.parse import urlsplit

from cms.accounts import audit
from cms.accounts.models import User
from cms.core import events
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Conflict, Invalid, Problem, conflict, invalid
from cms.core.i18n import N_
from cms.core.limits import most
from schedules import attempts, keys, posts, preflight, publications, wishes
from schedules.channels import CHANNELS
from schedules.channels.base import Confirmation, Repeat
from schedules.content import content_hash, outgoing
from schedules.events import PostPublished
from schedules.models import Publication
from schedules.receipts import SETTLE_WITHIN
from schedules.states import PUBLICATION_MOVES, Act, ReviewState
from schedules.states import PublicationState as State

ABSENT = N_("Somebody looked: it is not there.")
IN_HAND = N_("%(carrier)s has it, and it may still be posted there. Take it back instead.")
IN_HAND_FOR_GOOD = N_(
    "%(carrier)s has it, and nobody can take it back from here. Stop it there; when the time to "
    "confirm it is over, say here that it is not there."
)
PARTLY_IN_HAND = N_(
    "Some people at %(carrier)s have it in hand already. Let it go out, or say that it is live; "
    "then take it back."
)
_STARTABLE = frozenset({State.SCHEDULED, State.MISSED, State.FAILED, State.HELD})
_DOUBTFUL = frozenset({State.UNCERTAIN, State.FAILED})
_MOVABLE = frozenset({State.MISSED, State.FAILED, State.HELD})
ON_ITS_WAY = frozenset(
    {State.SCHEDULED, State.CLAIMED, State.SENDING, State.PUBLISHED, State.HANDED_OVER}
)


@dataclass(frozen=True)
class Seen:
    """A publication as somebody saw it when they decided: its state, and the claim it had."""

    publication_id: int
    state: str
    fence: int

    @classmethod
    def of(cls, publication: Publication) -> "Seen":
        return cls(publication.id, publication.state.value, publication.fence)


def check_seen(publication: Publication, seen: Seen) -> None:
    """Raise Conflict when it is not any more what was seen: `already_done` when it is on its way
    or dropped, so that a button pressed twice has a kind answer; else `changed_meanwhile`."""
    publications.lock(publication)
    if Seen.of(publication) == seen:
        return
    if publication.state in ON_ITS_WAY | {State.CANCELLED, State.PLANNED}:
        raise conflict(
            "already_done",
            N_("Somebody has dealt with it already: it is %(state)s now."),
            state=publication.state.value,
        )
    raise conflict(
        "changed_meanwhile",
        N_("It changed meanwhile: it is %(state)s now. Look again, then decide."),
        state=publication.state.value,
    )


def can_publish_now(publication: Publication) -> bool:
    """Whether `publish_now` would be heard, as far as the state goes."""
    return publication.state in _STARTABLE


def publish_now(publication: Publication, *, by: User) -> None:
    """Let the approved content go out at once, with a fresh patience for being late.

    Raises Invalid when it would only be held again: a blackout has to be lifted first.
    """
    publications.lock(publication)
    if publication.state not in _STARTABLE:
        raise conflict(
            "illegal_move",
            N_("A publication that is %(state)s cannot become %(to)s."),
            state=publication.state.value,
            to=State.SCHEDULED.value,
        )
    _still_approved(publication)
    preflight.check_now(publication)
    _send_again(publication, by=by)


def resolve_uncertain(
    publication: Publication, answer: str, *, url: str = "", by: User
) -> Publication:
    """A person looked: it is `live`, it shall be sent `again`, or it is to be dropped (`drop`)."""
    publications.lock(publication)
    if publication.state is not State.UNCERTAIN:
        raise conflict("changed_meanwhile", N_("Somebody else was quicker. Look again."))
    match answer:
        case "live":
            say_live(publication, url=url, by=by)
        case "again":
            _still_approved(publication)
            _vouch(publication)
            _send_again(publication, by=by)
        case "drop":
            drop(publication, by=by)
        case _:
            raise invalid("answer", "bad_answer", N_("Choose: it is live, send again, or drop."))
    return publication


def _vouch(publication: Publication) -> None:
    """Where no key keeps the carrier from showing it twice, the person's word stands in for one.

    A carrier that can be asked is asked all the same; it counts where its list proves nothing.
    """
    account = publication.account
    repeat = CHANNELS.get(account.channel).repeat_for(account.settings)
    if repeat is not Repeat.KEYED or keys.is_forgotten(publication):
        attempts.vouch(publication.id)


def can_be_live(publication: Publication) -> bool:
    """Whether `say_live` would be heard."""
    return publication.state in _DOUBTFUL


def can_be_absent(publication: Publication) -> bool:
    """Whether `say_absent` would be heard; the holder of a pack declines it instead.

    What employees have not posted yet they may post tomorrow, beside a second one: it is taken back
    first, unless its carrier would not do that.
    """
    if publication.state is not State.HANDED_OVER or publication.hand_overs:
        return False
    is_late = publication.confirm_by is not None and publication.confirm_by <= now()
    if not _is_with_employees(publication):
        return is_late
    is_refused = publication.wish is Act.WITHDRAW and wishes.is_given_up(publication)
    return is_refused or (is_late and wishes.problem(publication, Act.WITHDRAW) is not None)


def _is_with_employees(publication: Publication) -> bool:
    account = publication.account
    said = CHANNELS.get(account.channel).confirmation_for(account.settings)
    return said is Confirmation.EMPLOYEES


def is_with_carrier(publication: Publication) -> bool:
    """Whether its carrier has it and may still show it to readers, whatever is said here."""
    return publication.state is State.HANDED_OVER and publication.confirm_by is not None


def say_live(publication: Publication, *, url: str = "", by: User) -> None:
    """A person saw it at the carrier, although the ledger was in doubt or had given it up.

    What was handed over is confirmed with proof instead.
    """
    publications.lock(publication)
    if not can_be_live(publication):
        raise conflict("changed_meanwhile", N_("Somebody else was quicker. Look again."))
    publications.move(
        publication,
        State.PUBLISHED,
        by=by,
        published_at=now(),
        external_url=_address(url),
        reach=publication.pool.size,
    )
    events.emit(PostPublished(publication.id))


def say_absent(publication: Publication, *, by: User) -> None:
    """A person looked: what was handed over is not there. It may be tried again then."""
    publications.lock(publication)
    if not can_be_absent(publication):
        raise conflict("changed_meanwhile", N_("Somebody else was quicker. Look again."))
    publications.move(publication, State.FAILED, by=by, reason=ABSENT)


def can_move(publication: Publication) -> bool:
    """Whether `move` would be heard."""
    return publication.id in movable([publication])


def movable(found: Sequence[Publication]) -> set[int]:
    """Those for which `move` would be heard, with one question for all."""
    fixed = publications.fixed(found)
    return {one.id for one in found if one.state in _MOVABLE and one.id not in fixed}


def move(
    publication: Publication,
    *,
    on: date,
    at: time | None = None,
    fold: int | None = None,
    by: User,
) -> Problem | None:
    """Another day, and another time if one is given; it waits for somebody's approval anew, also
    where it goes back to its own time after it was to go out at another.

    What keeps it from being handed in for approval is returned: it stands there as a draft then.
    Raises Conflict when it may be live, Invalid as `posts.move` does.
    """
    publications.lock(publication)
    if publication.state is State.UNCERTAIN:
        raise conflict(
            "may_be_live", N_("It may be live already. Say first whether it is, then move it.")
        )
    if publication.state not in _MOVABLE:
        raise conflict(
            "illegal_move",
            N_("A publication that is %(state)s cannot become %(to)s."),
            state=publication.state.value,
            to=State.PLANNED.value,
        )
    post = publication.post
    posts.move(post, wall_date=on, wall_time=at or post.wall_time, fold=fold, anew=True, by=by)
    try:
        with session.begin_nested():  # a post that cannot be handed in yet has still been moved
            posts.submit(post, by=by)
    except (Conflict, Invalid) as error:
        return error.problem
    return None


def drop(publication: Publication, *, by: User, reason: str = "") -> None:
    """It shall not go out. Dropping twice changes nothing.

    Raises Conflict `in_hand` where somebody could still post it: that has to be taken back.
    """
    publications.lock(publication)
    if publication.state is State.CANCELLED:
        return
    words = _in_hand(publication)
    if words:
        carrier = CHANNELS.get(publication.account.channel).name
        raise conflict("in_hand", words, carrier=carrier)
    publications.drop(publication, by=by, reason=reason)


def _in_hand(publication: Publication) -> str:
    """Why it cannot be dropped although it is not live; "" when nobody else has it in hand."""
    if is_with_carrier(publication):
        cannot = wishes.problem(publication, Act.WITHDRAW)
        return IN_HAND_FOR_GOOD if cannot else IN_HAND
    channel = CHANNELS.get(publication.account.channel)
    return PARTLY_IN_HAND if channel.is_in_hand(publication.carrier_facts) else ""


def can_drop(publication: Publication) -> bool:
    """Whether `drop` would be heard, as far as can be seen."""
    if State.CANCELLED not in PUBLICATION_MOVES[publication.state] or _in_hand(publication):
        return False
    return publication.state is not State.SCHEDULED or not publications.fixed([publication])


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
    fresh |= publications.anew(publication)
    publications.move(publication, State.SCHEDULED, by=by, **fresh)


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
