"""The screens of the area: admin."""

from cms.web.admin.views import bp

__all__ = ["bp"]
