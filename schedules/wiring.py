"""Connects schedules to the floors below: listeners, registrations, jobs and ticks."""

from cms.core import health
from content_library.where_used import USES
from schedules import condition, jobs
from schedules.asset_uses import PostUses

DECLARED = (jobs.publish_batch, jobs.hint_due, jobs.reconcile)  # importing them declares them


def connect() -> None:
    """Called once by the factory; calling again changes nothing."""
    if PostUses.slug not in USES:
        USES.add(PostUses())
    health.add(condition.CHECKS_OF_PUBLISHING)
