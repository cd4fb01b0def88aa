"""The screens of the area: library."""

from cms.web.library.views import bp

__all__ = ["bp"]
