"""The screens of the area: today."""

from cms.web.today.views import bp

__all__ = ["bp"]
