"""Wishes about what is live already: other words, or taking it back. Asked for here, carried later."""

from typing import Any

from sqlalchemy import select

from cms.accounts import audit
from cms.accounts.models import User
from cms.accounts.permissions import Permission, may
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Conflict, Problem, forbidden
from cms.core.i18n import N_
from cms.core.text import check_filled, check_length, clean_text
from schedules import approvals
from schedules.channels import CHANNELS
from schedules.channels.base import CANNOT_AMEND, CANNOT_WITHDRAW, Channel
from schedules.content import outgoing, reworded
from schedules.models import Publication
from schedules.polling import Sign
from schedules.states import Act
from schedules.states import PublicationState as State

LIVE = (State.PUBLISHED, State.HANDED_OVER)
REASON_CHARACTERS = 500
MOST_DUE = 100
MOST_TRIES = 8  # then it is given up, and stays before somebody's eyes until they decide
NOT_LIVE = N_("It is not live, so there is nothing to change at the carrier.")
GONE = N_("It has been taken back already.")
GOING = N_("It is being taken back.")
BY_HAND = N_("A person posted this by hand. Ask them to change it there.")

_CODES = {Act.AMEND: "cannot_amend", Act.WITHDRAW: "cannot_withdraw"}


def problem(publication: Publication, act: Act) -> Problem | None:
    """Why this cannot be done to what is live, in the carrier's words; None when it can."""
    code, channel = _CODES[act], CHANNELS.get(publication.account.channel)
    if publication.state not in LIVE:
        return Problem(code, NOT_LIVE)
    if publication.withdrawn_at is not None:
        return Problem(code, GONE)
    if publication.hand_overs and not publication.external_id:
        return Problem(code, BY_HAND)
    if not _is_able(channel, act):
        words = CANNOT_AMEND if act is Act.AMEND else CANNOT_WITHDRAW
        return Problem(code, words, {"carrier": channel.name})
    if act is Act.AMEND and publication.wish is Act.WITHDRAW and not is_given_up(publication):
        return Problem(code, GOING)
    return None


def can_be_taken_back(publication: Publication) -> bool:
    """Whether asking for that would change anything."""
    is_asked = publication.wish is Act.WITHDRAW and not is_given_up(publication)
    return not is_asked and problem(publication, Act.WITHDRAW) is None


def is_given_up(publication: Publication) -> bool:
    """Whether the carrier would not do it: nobody tries it any more unless somebody asks again."""
    return publication.wish is not None and publication.wish_tries >= MOST_TRIES


def let_be(publication: Publication, *, by: User) -> None:
    """It is not wished any more; a call on its way may still be answered. Twice changes nothing."""
    _lock(publication)
    if publication.wish is None:
        return
    act = publication.wish.value
    forget(publication)
    publication.updated_at = now()
    session.flush()  # the audit entry follows the change
    audit.record("publication.wish_dropped", publication, by=by, act=act)


def ask_withdrawal(publication: Publication, by: User, reason: str = "") -> None:
    """Take it back as soon as a worker gets to it. Asking twice changes nothing.

    Raises Conflict `cannot_withdraw`.
    """
    _lock(publication)
    is_wished = publication.wish is Act.WITHDRAW and not is_given_up(publication)
    if publication.withdrawn_at is not None or is_wished:
        return
    _check(publication, Act.WITHDRAW)
    reason = clean_text(reason).strip()
    check_length("reason", reason, REASON_CHARACTERS)
    keep(publication, Act.WITHDRAW, by=by)
    said = {"reason": reason} if reason else {}
    audit.record("publication.withdrawal_asked", publication, by=by, **said)


def ask_amendment(publication: Publication, text: str, by: User) -> None:
    """Have other words shown where it is live; the same words change nothing.

    Only who may approve posts, and only in a post that somebody else wrote. Raises Forbidden,
    Conflict `cannot_amend`, Invalid as when the post was written.
    """
    _lock(publication)
    _check(publication, Act.AMEND)
    post = publication.post
    if not may(by.role, Permission.POST_APPROVE):
        raise forbidden("not_allowed", N_("Only who approves posts may change one that is live."))
    if approvals.is_own(post, by):
        raise forbidden("own_post", N_("This is your own post. Somebody else has to correct it."))
    text = clean_text(text).strip()
    check_filled("text", text)
    is_wished = publication.wish is Act.AMEND and not is_given_up(publication)
    if text == (publication.wish_text if is_wished else post.text):
        return
    CHANNELS.get(publication.account.channel).check(reworded(outgoing(post), text))
    keep(publication, Act.AMEND, by=by, text=text)
    audit.record("publication.amendment_asked", publication, by=by, before=post.text, after=text)


def due() -> list[Sign]:
    """Which wishes are to be carried now, the longest waiting first. None outlives its state."""
    rows = session.execute(
        select(Publication.id, Publication.wish_tries, Publication.wish_at)
        .where(Publication.wish_at <= now(), Publication.wish_tries < MOST_TRIES)
        .order_by(Publication.wish_at, Publication.id)
        .limit(MOST_DUE)
    )
    return [(row.id, row.wish_tries, row.wish_at.timestamp()) for row in rows]


def _lock(publication: Publication) -> None:
    session.refresh(publication, with_for_update={"of": Publication})


def _check(publication: Publication, act: Act) -> None:
    found = problem(publication, act)
    if found is not None:
        raise Conflict(found)


def _is_able(channel: Channel, act: Act) -> bool:
    return channel.can_amend if act is Act.AMEND else channel.can_withdraw


def keep(publication: Publication, act: Act, *, by: User, text: str = "") -> None:
    """Write the wish down; the caller has judged it and writes the audit entry."""
    values: dict[str, Any] = {
        "wish": act,
        "wish_at": now(),
        "wish_tries": 0,
        "wish_text": text,
        "wish_by_id": by.id,
        "updated_at": now(),
    }
    for name, value in values.items():
        setattr(publication, name, value)
    session.flush()  # the audit entry follows the change


def forget(publication: Publication) -> None:
    """It was fulfilled, or nobody wishes it any more."""
    publication.wish, publication.wish_at, publication.wish_tries = None, None, 0
    publication.wish_text, publication.wish_by_id = "", None
