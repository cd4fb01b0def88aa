"""The screens of the area: calendar."""

from cms.web.calendar.views import bp

__all__ = ["bp"]
