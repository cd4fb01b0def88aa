"""The lifecycles of a post's review and of a publication: names and allowed moves, nothing else."""

from enum import StrEnum


class ReviewState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"


REVIEW_MOVES: dict[ReviewState, frozenset[ReviewState]] = {
    ReviewState.DRAFT: frozenset({ReviewState.SUBMITTED}),
    ReviewState.SUBMITTED: frozenset(
        {ReviewState.DRAFT, ReviewState.APPROVED, ReviewState.REJECTED}
    ),
    ReviewState.APPROVED: frozenset({ReviewState.DRAFT}),
    ReviewState.REJECTED: frozenset({ReviewState.DRAFT, ReviewState.SUBMITTED}),
}


class PublicationState(StrEnum):
    """Where one publication stands; PLANNED until its post is approved."""

    PLANNED = "planned"
    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    SENDING = "sending"
    PUBLISHED = "published"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    HANDED_OVER = "handed_over"
    HELD = "held"
    MISSED = "missed"
    CANCELLED = "cancelled"


_P = PublicationState

PUBLICATION_MOVES: dict[PublicationState, frozenset[PublicationState]] = {
    _P.PLANNED: frozenset({_P.SCHEDULED, _P.CANCELLED}),
    _P.SCHEDULED: frozenset({_P.PLANNED, _P.CLAIMED, _P.HELD, _P.MISSED, _P.CANCELLED}),
    _P.CLAIMED: frozenset({_P.SENDING, _P.SCHEDULED, _P.HELD, _P.MISSED, _P.FAILED, _P.CANCELLED}),
    _P.SENDING: frozenset(
        {_P.PUBLISHED, _P.HANDED_OVER, _P.FAILED, _P.UNCERTAIN, _P.SCHEDULED, _P.HELD}
    ),
    _P.UNCERTAIN: frozenset({_P.PUBLISHED, _P.SCHEDULED, _P.CANCELLED}),
    _P.HANDED_OVER: frozenset({_P.PUBLISHED, _P.FAILED, _P.CANCELLED}),
    _P.HELD: frozenset({_P.PLANNED, _P.SCHEDULED, _P.CANCELLED}),
    _P.MISSED: frozenset({_P.PLANNED, _P.SCHEDULED, _P.CANCELLED}),
    _P.FAILED: frozenset({_P.PLANNED, _P.SCHEDULED, _P.CANCELLED}),
    _P.PUBLISHED: frozenset(),
    _P.CANCELLED: frozenset({_P.PLANNED}),
}

WAITING_FOR_A_PERSON = frozenset({_P.UNCERTAIN, _P.HANDED_OVER, _P.HELD, _P.MISSED, _P.FAILED})
LIVE_TO_READERS = frozenset({_P.PUBLISHED, _P.HANDED_OVER})
# Whoever holds the link may follow it: an approved post that is leaving, or may have left.
OPEN_TO_READERS = LIVE_TO_READERS | {_P.SENDING, _P.UNCERTAIN}


class Outcome(StrEnum):
    """What is known after one attempt (four outcomes, no fifth)."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"


class HandOverState(StrEnum):
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EXPIRED = "expired"
