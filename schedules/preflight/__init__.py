"""Pre-flight: the one list of questions about a post, asked when it is planned, approved and sent."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cms.core.clock import now
from cms.core.errors import Invalid, Problem
from schedules.content import outgoing
from schedules.envelopes import Outgoing
from schedules.models import Post, Publication
from schedules.preflight import (
    account_health,
    assets,
    blackout_windows,
    carriers,
    contact_policy,
    emergency_stops,
    link_targets,
    pictures,
    quiet_hours,
    quotas,
    ways,
)
from schedules.preflight.asking import Asked, Concern, Level, Question, Subject
from schedules.preflight.ways import reaches

__all__ = [
    "QUESTIONS",
    "Asked",
    "Concern",
    "Level",
    "Question",
    "Subject",
    "ask",
    "blocking",
    "check",
    "check_now",
    "concerns",
    "concerns_of_many",
    "objections",
    "reaches",
    "subject_of",
]

QUESTIONS: tuple[Question, ...] = (
    assets.QUESTION,
    ways.QUESTION,
    pictures.QUESTION,
    carriers.QUESTION,
    account_health.QUESTION,
    link_targets.QUESTION,
    blackout_windows.QUESTION,
    quiet_hours.QUESTION,
    contact_policy.QUESTION,
    quotas.QUESTION,
    emergency_stops.QUESTION,
)


def ask(
    subjects: Sequence[Subject], asked: Asked, *, given: Mapping[str, Any] | None = None
) -> dict[int, list[Concern]]:
    """Every question about every subject, by number of the post; those with nothing are left out.

    `given` holds, by question, what the caller has read already.
    """
    found: dict[int, list[Concern]] = defaultdict(list)
    if not subjects:
        return {}
    for question in QUESTIONS:
        if asked not in question.asked:
            continue
        has_it = given is not None and question.slug in given
        known = given[question.slug] if given and has_it else question.learn(subjects, asked)
        for subject in subjects:
            if concerns := question.ask(subject, known):
                found[subject.post_id] += concerns
    return dict(found)


def concerns(post: Post, content: Outgoing | None = None) -> list[Concern]:
    """What its page tells about a post."""
    subject = subject_of(post, content or outgoing(post))
    return ask([subject], Asked.PLANNED).get(post.id, [])


def concerns_of_many(
    posts: Iterable[Post], contents: Mapping[int, Outgoing]
) -> dict[int, list[Concern]]:
    """The same for a list of posts whose content is at hand."""
    return ask([subject_of(post, contents[post.id]) for post in posts], Asked.PLANNED)


def check(post: Post, asked: Asked) -> None:
    """Raise Invalid, speaking of the whole post, when something stands in the way."""
    subject = subject_of(post, outgoing(post))
    for problem in blocking(ask([subject], asked).get(post.id, [])):
        raise Invalid({"": problem})


def objections(publication: Publication, content: Outgoing) -> list[Problem]:
    """What keeps an approved publication from leaving at this moment."""
    subject = subject_of(publication.post, content, at=now())
    return blocking(ask([subject], Asked.SENDING).get(subject.post_id, []))


def check_now(publication: Publication) -> None:
    """Raise Invalid when an approved publication would be held again at once."""
    for problem in objections(publication, outgoing(publication.post)):
        raise Invalid({"": problem})


def blocking(concerns: Iterable[Concern]) -> list[Problem]:
    """Those that stop a post, as problems."""
    return [one.problem for one in concerns if one.level is Level.BLOCKS]


def subject_of(
    post: Post, content: Outgoing | None = None, *, at: datetime | None = None
) -> Subject:
    """A post as the questions see it; `at` is when it leaves, if that is known better than planned."""
    publication = post.publication
    return Subject(
        post_id=post.id,
        publication_id=publication.id,
        calendar=post.calendar,
        pool=post.pool,
        account=post.account,
        at=at or publication.due_at,
        due_at=publication.due_at,
        late_after=publication.late_after,
        media_ids=tuple(int(one) for one in post.media_ids),
        post=post,
        content=content,
    )
