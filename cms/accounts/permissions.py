"""What may be done, and which role may do it: one table."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from cms.accounts.models import Role


class Permission(StrEnum):
    """Named noun:verb; every endpoint carries one."""

    ASSET_READ = "asset:read"
    ASSET_WRITE = "asset:write"
    ASSET_IMPORT = "asset:import"
    TAG_WRITE = "tag:write"
    SUGGESTION_DECIDE = "suggestion:decide"
    CALENDAR_READ = "calendar:read"
    POST_WRITE = "post:write"
    POST_APPROVE = "post:approve"
    PUBLICATION_RESOLVE = "publication:resolve"
    SENDING_STOP = "sending:stop"
    BLACKOUT_WRITE = "blackout:write"
    HAND_OVER_CONFIRM = "hand-over:confirm"
    COMMENT_MODERATE = "comment:moderate"
    INSIGHT_READ = "insight:read"
    MODEL_RUN = "model:run"
    AUDIENCE_READ = "audience:read"
    AUDIENCE_WRITE = "audience:write"
    CHANNEL_READ = "channel:read"
    CHANNEL_WRITE = "channel:write"
    SUBSCRIBER_WRITE = "subscriber:write"
    HEALTH_READ = "health:read"
    ALERT_WRITE = "alert:write"
    USER_WRITE = "user:write"
    AUDIT_READ = "audit:read"
    PROFILE_WRITE = "profile:write"


_P = Permission

_EVERYONE = frozenset(
    {
        _P.ASSET_READ,
        _P.CALENDAR_READ,
        _P.INSIGHT_READ,
        _P.AUDIENCE_READ,
        _P.CHANNEL_READ,
        _P.HEALTH_READ,
        _P.PROFILE_WRITE,
    }
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PLANNER: _EVERYONE
    | {
        _P.ASSET_WRITE,
        _P.ASSET_IMPORT,
        _P.TAG_WRITE,
        _P.SUGGESTION_DECIDE,
        _P.POST_WRITE,
        _P.HAND_OVER_CONFIRM,
    },
    Role.OPERATOR: _EVERYONE
    | {
        _P.POST_WRITE,
        _P.POST_APPROVE,
        _P.PUBLICATION_RESOLVE,
        _P.SENDING_STOP,
        _P.BLACKOUT_WRITE,
        _P.HAND_OVER_CONFIRM,
        _P.COMMENT_MODERATE,
        _P.SUBSCRIBER_WRITE,
    },
    Role.ANALYST: _EVERYONE | {_P.SUGGESTION_DECIDE, _P.MODEL_RUN, _P.TAG_WRITE},
    Role.ADMINISTRATOR: frozenset(Permission),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether the role's set holds the permission."""
    return permission in PERMISSIONS[role]


View = TypeVar("View", bound=Callable[..., Any])
MARK = "seedbed_permission"
PUBLIC = "public"


def requires(permission: Permission) -> Callable[[View], View]:
    """Mark a view: it lets in signed-in users whose role holds the permission."""

    def mark(view: View) -> View:
        setattr(view, MARK, permission)
        return view

    return mark


def public(view: View) -> View:
    """Mark a view: it lets in anybody, signed in or not."""
    setattr(view, MARK, PUBLIC)
    return view
