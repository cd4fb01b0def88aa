"""The settings: health, alerts, team, audit trail, channel accounts, blackouts, emergency stop, links."""

from cms.web.admin import accounts, alerts, blackouts, links, matrix, stops, subscribers, users
from cms.web.admin.views import bp

__all__ = [
    "accounts",
    "alerts",
    "blackouts",
    "bp",
    "links",
    "matrix",
    "stops",
    "subscribers",
    "users",
]
