"""The screens of the area: reader."""

from cms.web.reader.views import bp

__all__ = ["bp"]
