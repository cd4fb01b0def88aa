"""The screens of the area: insights."""

from cms.web.insights.views import bp

__all__ = ["bp"]
