"""The settings: health, alerts, team, audit trail, channel accounts, blackouts, emergency stop."""

from cms.web.admin import accounts, alerts, blackouts, matrix, stops, subscribers, users
from cms.web.admin.views import bp

__all__ = ["accounts", "alerts", "blackouts", "bp", "matrix", "stops", "subscribers", "users"]
