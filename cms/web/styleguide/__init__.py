"""The style guide: a development aid, registered in test and development mode only."""

from cms.web.styleguide.views import bp

__all__ = ["bp"]
