"""The screens of the area: calendar."""

from cms.web.calendar import carrying, composing, editing, link_pages, pattern, planning, weeks
from cms.web.calendar.blueprint import bp

__all__ = [
    "bp",
    "carrying",
    "composing",
    "editing",
    "link_pages",
    "pattern",
    "planning",
    "weeks",
]
