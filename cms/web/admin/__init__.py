"""The settings: health, team, audit trail, channel accounts."""

from cms.web.admin import accounts, users
from cms.web.admin.views import bp

__all__ = ["accounts", "bp", "users"]
