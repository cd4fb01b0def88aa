"""What readers write under posts: taken in, held, and shown or hidden by a person."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import joinedload

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, Problem, SeedbedError, invalid
from cms.core.i18n import N_
from cms.core.text import check_length, clean_line, clean_text, is_blank
from feedback import events
from feedback.facts import seen_now
from feedback.models import CommentState, Event, ReaderComment
from feedback.visitors import Visitor
from schedules.models import Post, Publication

LONGEST = 1000
LONGEST_NAME = 40
SHOWN_AT_MOST = 50
SPAN = timedelta(minutes=10)
PER_VISITOR = 3
PER_NETWORK = 12


class TooMany(SeedbedError):
    """The reader wrote a lot just now and should wait."""


@dataclass(frozen=True)
class Draft:
    """What a reader typed. `once` is the form's own mark: sent twice, it makes one comment."""

    name: str
    text: str
    once: str


def get(comment_id: int) -> ReaderComment:
    """The comment of that number; raises NotFound."""
    comment = session.get(ReaderComment, comment_id)
    if comment is None:
        raise NotFound("comment")
    return comment


def shown(publication: Publication) -> list[ReaderComment]:
    """What readers see under a post: the newest of those let through."""
    found = session.scalars(
        select(ReaderComment)
        .where(
            ReaderComment.publication_id == publication.id,
            ReaderComment.state == CommentState.SHOWN,
        )
        .order_by(ReaderComment.at.desc(), ReaderComment.id.desc())
        .limit(SHOWN_AT_MOST)
    )
    return list(found)


def in_state(state: CommentState) -> Select[ReaderComment]:
    """Comments to moderate, the newest first, for the caller to page."""
    return (
        select(ReaderComment)
        .where(ReaderComment.state == state)
        .options(
            joinedload(ReaderComment.publication)
            .joinedload(Publication.post)
            .joinedload(Post.version),
            joinedload(ReaderComment.publication).joinedload(Publication.pool),
        )
        .order_by(ReaderComment.at.desc(), ReaderComment.id.desc())
    )


def count_held() -> int:
    """How many wait for a person."""
    found = select(func.count()).where(ReaderComment.state == CommentState.HELD)
    return session.scalar(found) or 0


def write(
    publication: Publication, draft: Draft, visitor: Visitor, reasons: tuple[str, ...] = ()
) -> ReaderComment:
    """Take a comment in, held. Raises Invalid for the text or name, TooMany for a flood."""
    name, text = clean_line(draft.name), clean_text(draft.text).strip()
    if is_blank(text):
        raise invalid("text", "content_empty", N_("Write something first."))
    check_length("text", text, LONGEST)
    check_length("name", name, LONGEST_NAME)
    event_id = hashlib.sha256(f"{visitor.cookie_key}:{draft.once}".encode()).hexdigest()[:40]
    known = session.scalar(select(ReaderComment).where(ReaderComment.event_id == event_id))
    if known is not None:
        return known
    _refuse_flood(visitor)
    comment = ReaderComment(
        event_id=event_id,
        publication_id=publication.id,
        visitor_key=visitor.cookie_key,
        network_key=visitor.network_key,
        name=name,
        text=text,
        at=now(),
    )
    session.add(comment)
    events.store(
        [
            seen_now(
                "page",
                "comment",
                publication.id,
                event_id=event_id,
                visitor_key=visitor.cookie_key,
                key_strength="cookie",
                reasons=reasons,
            )
        ]
    )
    return comment


def decide(comment: ReaderComment, state: CommentState, *, by: User) -> None:
    """Show or hide; what is hidden counts no longer."""
    if comment.state is state:
        return
    before = comment.state
    comment.state, comment.decided_by_id = state, by.id
    audit.record(f"comment.{state.value}", comment, by=by, before=before.value)
    if CommentState.HIDDEN in (before, state):
        _recount(comment)


def _recount(comment: ReaderComment) -> None:
    day = session.scalar(
        select(Event.day).where(Event.source == "page", Event.event_id == comment.event_id)
    )
    if day is not None:
        events.mark(comment.publication_id, [day])


def _refuse_flood(visitor: Visitor) -> None:
    since = now() - SPAN
    by_visitor = _written(ReaderComment.visitor_key == visitor.cookie_key, since)
    by_network = _written(ReaderComment.network_key == visitor.network_key, since)
    if by_visitor >= PER_VISITOR or by_network >= PER_NETWORK:
        raise TooMany(
            Problem(
                "too_many",
                N_("You have written a lot just now. Try again in %(minutes)s minutes."),
                {"minutes": int(SPAN.total_seconds() // 60)},
            )
        )


def _written(where: ColumnElement[bool], since: datetime) -> int:
    found = select(func.count()).select_from(ReaderComment).where(where, ReaderComment.at > since)
    return session.scalar(found) or 0
