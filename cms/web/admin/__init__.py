"""The settings: health, team, audit trail, channel accounts."""

from cms.web.admin import users
from cms.web.admin.views import bp

__all__ = ["bp", "users"]
