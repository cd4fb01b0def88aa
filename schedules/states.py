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
    # What an earlier try may have shown to readers becomes uncertain when it cannot be tried again.
    _P.SCHEDULED: frozenset(
        {_P.PLANNED, _P.CLAIMED, _P.HELD, _P.MISSED, _P.UNCERTAIN, _P.CANCELLED}
    ),
    _P.CLAIMED: frozenset(
        {_P.SENDING, _P.SCHEDULED, _P.HELD, _P.MISSED, _P.FAILED, _P.UNCERTAIN, _P.CANCELLED}
    ),
    _P.SENDING: frozenset(
        {_P.PUBLISHED, _P.HANDED_OVER, _P.FAILED, _P.UNCERTAIN, _P.SCHEDULED, _P.HELD}
    ),
    _P.UNCERTAIN: frozenset({_P.PUBLISHED, _P.SCHEDULED, _P.CANCELLED}),
    _P.HANDED_OVER: frozenset({_P.PUBLISHED, _P.FAILED, _P.CANCELLED}),
    _P.HELD: frozenset({_P.PLANNED, _P.SCHEDULED, _P.CANCELLED}),
    _P.MISSED: frozenset({_P.PLANNED, _P.SCHEDULED, _P.CANCELLED}),
    # What a carrier shows after all is published, even when it had been given up here.
    _P.FAILED: frozenset({_P.PLANNED, _P.SCHEDULED, _P.CANCELLED, _P.PUBLISHED}),
    _P.PUBLISHED: frozenset(),
    _P.CANCELLED: frozenset({_P.PLANNED, _P.PUBLISHED}),
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


class Act(StrEnum):
    """What an attempt tries to do at the carrier."""

    SEND = "send"
    AMEND = "amend"  # change what is already live
    WITHDRAW = "withdraw"  # take back what can be taken back
    REMIND = "remind"  # employees who have not posted it yet


class DeliveryState(StrEnum):
    """What became of one recipient."""

    WAITING = "waiting"
    SENDING = "sending"  # begun; whoever finds it so does not know
    SENT = "sent"
    NOT_A_CONTACT = "not_a_contact"
    QUOTA_USED = "quota_used"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class StopScope(StrEnum):
    ALL = "all"
    CHANNEL = "channel"
    ACCOUNT = "account"


class LinkCheck(StrEnum):
    """What a look at a link's target said."""

    UNKNOWN = "unknown"  # never looked, or nobody answered
    FINE = "fine"
    GONE = "gone"  # 404 or 410: readers would meet an error
    FORBIDDEN = "forbidden"  # an address that must not be opened


class RouteKind(StrEnum):
    EMAIL = "email"
    WEBHOOK = "webhook"


class AlertState(StrEnum):
    WAITING = "waiting"
    TOLD = "told"
    GIVEN_UP = "given_up"
