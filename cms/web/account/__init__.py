"""The screens of the area: account."""

from cms.web.account.views import bp

__all__ = ["bp"]
