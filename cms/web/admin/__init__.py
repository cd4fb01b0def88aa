"""The settings: health, team, audit trail, channel accounts, blackouts, the emergency stop."""

from cms.web.admin import accounts, blackouts, matrix, stops, subscribers, users
from cms.web.admin.views import bp

__all__ = ["accounts", "blackouts", "bp", "matrix", "stops", "subscribers", "users"]
