"""The settings: health, team, audit trail, channel accounts."""

from cms.web.admin import accounts, matrix, subscribers, users
from cms.web.admin.views import bp

__all__ = ["accounts", "bp", "matrix", "subscribers", "users"]
