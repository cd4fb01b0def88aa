"""Where carriers call: no pages, no sessions, no forms."""

from cms.web.callbacks.views import bp

__all__ = ["bp"]
