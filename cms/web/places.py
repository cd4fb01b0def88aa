"""The places the frame offers in its rail."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _

from cms.accounts.permissions import Permission


@dataclass(frozen=True)
class Place:
    """One entry of the rail: shown to whoever holds the permission, lit while in its area."""

    area: str
    label: str
    icon: str
    endpoint: str
    permission: Permission


PLACES: tuple[Place, ...] = (
    Place("library", _("Library"), "library", "library.index", Permission.ASSET_READ),
    Place("calendar", _("Calendar"), "calendar-days", "calendar.index", Permission.CALENDAR_READ),
    Place("today", _("Today"), "sun", "today.index", Permission.CALENDAR_READ),
    Place("insights", _("Insights"), "chart-line", "insights.index", Permission.INSIGHT_READ),
    Place("audience", _("Audience"), "users", "audience.index", Permission.AUDIENCE_READ),
    Place("admin", _("Settings"), "settings", "admin.index", Permission.CHANNEL_READ),
)
