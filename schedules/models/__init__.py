"""The tables of planning and publishing."""

from schedules.models.calendars import AccountPool, Calendar, ChannelAccount, SlotTemplate
from schedules.models.carriers import (
    CarrierCall,
    CarrierToken,
    CarrierUpload,
    Delivery,
    EmployeeTask,
    Subscriber,
)
from schedules.models.controls import (
    Alert,
    AlertNotice,
    AlertRoute,
    Blackout,
    Stop,
    UtmRule,
)
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
    "Alert",
    "AlertNotice",
    "AlertRoute",
    "Approval",
    "Attempt",
    "Blackout",
    "Calendar",
    "CarrierCall",
    "CarrierToken",
    "CarrierUpload",
    "ChannelAccount",
    "Delivery",
    "EmployeeTask",
    "HandOver",
    "Post",
    "Publication",
    "ReaderEntry",
    "SlotTemplate",
    "Stop",
    "Subscriber",
    "TrackedLink",
    "UtmRule",
]
