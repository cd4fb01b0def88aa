"""Connects content_library to the floors below: listeners, registrations, jobs and ticks."""

from audience.events import StageSaved
from cms.core import health, storage
from cms.core.config import current
from cms.core.events import subscribe
from content_library import condition, jobs, stage_tags
from content_library.events import AssetsMarked


def connect() -> None:
    """Called once by the factory; calling again changes nothing."""
    storage.connect(current().folder("media"))
    subscribe(StageSaved, stage_tags.mirror)
    subscribe(AssetsMarked, jobs.hint)
    health.add(condition.CHECKS_OF_LIBRARY)
