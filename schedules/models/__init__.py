"""The tables of planning and publishing."""

from schedules.models.calendars import AccountPool, Calendar, ChannelAccount, SlotTemplate
from schedules.models.posts import Approval, Post
from schedules.models.publications import (
    Attempt,
    HandOver,
    Publication,
    ReaderEntry,
    TrackedLink,
)

__all__ = [
    "AccountPool",
    "Approval",
    "Attempt",
    "Calendar",
    "ChannelAccount",
    "HandOver",
    "Post",
    "Publication",
    "ReaderEntry",
    "SlotTemplate",
    "TrackedLink",
]
