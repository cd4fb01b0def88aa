"""Approval of posts: who may decide, on which revision, and what the decision pins."""

from collections.abc import Sequence

from sqlalchemy import func, select

from cms.accounts import audit
from cms.accounts.models import AuditEntry, User
from cms.core import events
from cms.core.clock import now
from cms.core.db import after_commit, session
from cms.core.errors import conflict, forbidden, invalid
from cms.core.faults import declare, fault
from cms.core.i18n import N_
from cms.core.text import check_length, clean_text, is_blank
from schedules import preflight, publications
from schedules.content import content_hash, outgoing
from schedules.events import PostApproved, PostRejected
from schedules.models import Approval, Post
from schedules.preflight import Asked
from schedules.states import REVIEW_MOVES, ReviewState

NOTE_CHARACTERS = 500
_WRITING = (
    "post.created",
    "post.edited",
    "post.moved",
    "post.asset_replaced",
    "post.copied",
    "post.link_named",  # its words carry the name
)

declare("approve.before_commit", "approve.after_commit")


def approve(post: Post, *, revision: int, by: User, note: str = "") -> Approval:
    """Let this revision go out at its minute. Saying it twice answers the first decision.

    Raises Conflict `revision_changed` or `not_submitted`, Forbidden `own_post`, Invalid when
    the post could not go out as it stands.
    """
    _lock(post)
    _same_revision(post, revision)
    if post.review is ReviewState.APPROVED:
        return latest(post)
    _decidable(post, ReviewState.APPROVED)
    if is_own(post, by):
        raise forbidden(
            "own_post", N_("This is your own post. Somebody else has to read and approve it.")
        )
    preflight.check(post, Asked.APPROVED)
    decision = _decide(post, ReviewState.APPROVED, by=by, note=note)
    publications.schedule(post.publication, decision.content_hash, by=by)
    events.emit(PostApproved(post.id, post.publication.id))
    fault("approve.before_commit")
    after_commit(lambda: fault("approve.after_commit"))
    return decision


def reject(post: Post, *, revision: int, reason: str, by: User) -> Approval:
    """Send it back to its author, who is told why."""
    _lock(post)
    _same_revision(post, revision)
    if is_blank(reason):
        raise invalid("reason", "content_empty", N_("Say what should change."))
    if post.review is ReviewState.REJECTED:
        return latest(post)
    _decidable(post, ReviewState.REJECTED)
    decision = _decide(post, ReviewState.REJECTED, by=by, note=reason)
    events.emit(PostRejected(post.id))
    return decision


def withdraw_approval(post: Post, *, by: User) -> None:
    """Take an approval back while nothing has left; Conflict `already_going_out` afterwards."""
    _lock(post)
    if post.review is not ReviewState.APPROVED:
        raise conflict("not_approved", N_("This post is not approved."))
    publications.unschedule(post, by=by)
    post.review = ReviewState.DRAFT
    post.updated_at = now()
    audit.record("post.approval_withdrawn", post, by=by, revision=post.revision)


def latest(post: Post) -> Approval:
    """The newest decision about the post."""
    newest = select(Approval).where(Approval.post_id == post.id).order_by(Approval.id.desc())
    return session.scalars(newest.limit(1)).one()


def is_own(post: Post, by: User) -> bool:
    """Whether the user submitted the post or was the last to write in it."""
    return post.id in own_among([post], by)


def own_among(posts: Sequence[Post], by: User) -> set[int]:
    """The numbers of those posts that the user may not approve, in one query."""
    newest = (
        select(func.max(AuditEntry.id))
        .where(AuditEntry.object_type == Post.__tablename__)
        .where(AuditEntry.object_id.in_([post.id for post in posts]))
        .where(AuditEntry.action.in_(_WRITING))
        .group_by(AuditEntry.object_id)
    )
    rows = session.execute(
        select(AuditEntry.object_id, AuditEntry.actor_id).where(AuditEntry.id.in_(newest))
    )
    writers = {post_id: actor_id for post_id, actor_id in rows}
    return {
        post.id
        for post in posts
        if by.id in (post.submitted_by_id, writers.get(post.id, post.created_by_id))
    }


def _lock(post: Post) -> None:
    """Two people deciding at once decide one after the other."""
    session.refresh(post, with_for_update={"of": Post})


def _same_revision(post: Post, revision: int) -> None:
    if post.revision != revision:
        raise conflict(
            "revision_changed",
            N_("The post has changed since you read it. Read it again, then decide."),
            seen=revision,
            current=post.revision,
        )


def _decidable(post: Post, decision: ReviewState) -> None:
    if decision not in REVIEW_MOVES[post.review]:
        raise conflict("not_submitted", N_("This post has not been submitted for approval."))


def _decide(post: Post, decision: ReviewState, *, by: User, note: str) -> Approval:
    note = clean_text(note).strip()
    check_length("reason", note, NOTE_CHARACTERS)
    made = Approval(
        post=post,
        revision=post.revision,
        decision=decision,
        content_hash=content_hash(outgoing(post)),
        note=note,
        by=by,
        at=now(),
    )
    post.review = decision
    post.updated_at = made.at
    session.add(made)
    said = {"note": note} if note else {}
    audit.record(f"post.{decision.value}", post, by=by, revision=post.revision, **said)
    return made
