"""Connects feedback to the floors below: listeners, registrations, jobs and ticks."""

from cms.core.events import subscribe
from cms.core.health import CHECKS
from content_library.rankings import RANKINGS
from feedback import condition, jobs, live_posts, outward
from feedback.ranked import RANKED
from schedules.events import PostHandedOver, PostPublished

# Importing them declares them.
DECLARED = (
    jobs.ingest_journal,
    jobs.learn,
    jobs.learn_nightly,
    jobs.fetch_figures,
    jobs.hint_feedback,
)


def connect() -> None:
    """Called once by the factory; calling again changes nothing."""
    for listener in (outward.when_live, live_posts.note):
        subscribe(PostPublished, listener)
        subscribe(PostHandedOver, listener)
    for ranking in RANKED:
        if ranking.slug not in RANKINGS:
            RANKINGS.add(ranking)
    for check in condition.CHECKS_OF_FEEDBACK:
        if check.slug not in CHECKS:
            CHECKS.add(check)
