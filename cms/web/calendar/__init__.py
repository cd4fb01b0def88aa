"""The screens of the area: calendar."""

from cms.web.calendar import carrying, editing, pattern, planning, weeks
from cms.web.calendar.blueprint import bp

__all__ = ["bp", "carrying", "editing", "pattern", "planning", "weeks"]
