"""The screens of the area: audience."""

from cms.web.audience.views import bp

__all__ = ["bp"]
