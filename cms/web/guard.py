"""The door: every view says who may enter; a view that says nothing is refused."""

from typing import cast

from flask import Flask, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from cms.accounts.models import User
from cms.accounts.permissions import MARK, PUBLIC, Permission, may, public, requires

__all__ = ["actor", "can", "connect", "public", "requires"]


def actor() -> User:
    """The signed-in user's own row, not Flask-Login's proxy."""
    return cast(User, current_user._get_current_object())


def can(permission: str) -> bool:
    """Whether the asker holds the permission; for templates to offer only what would work."""
    return current_user.is_authenticated and may(current_user.role, Permission(permission))


def connect(app: Flask) -> None:
    app.before_request(_check)
    app.jinja_env.globals["can"] = can


def _check() -> ResponseReturnValue | None:
    if "\0" in request.path:
        abort(404)  # no row's name holds one, and not every database can be asked for it
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    mark = getattr(view, MARK, None)
    if mark == PUBLIC:
        return None
    if mark is None:
        abort(403)  # a view nobody thought about; a guard test names it
    if not current_user.is_authenticated:
        return current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
    if not may(current_user.role, mark):
        abort(403)
    return None
