"""Flask-Login: who the session speaks for, and what strangers get."""

from urllib.parse import urlsplit

from flask import Flask, redirect, request, url_for
from flask import session as web_session
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, login_user, logout_user

from cms.accounts.models import User
from cms.core.db import session

manager = LoginManager()
manager.session_protection = None  # the session's id is its own protection
manager.login_message = None


def connect(app: Flask) -> None:
    manager.init_app(app)


@manager.user_loader
def _load(user_id: str) -> User | None:
    user = session.get(User, int(user_id))
    return user if user and user.is_active else None


@manager.unauthorized_handler
def _send_to_sign_in() -> ResponseReturnValue:
    if request.method != "GET":
        return redirect(url_for("account.sign_in"))
    return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")))


def enter(user: User) -> None:
    """Sign the user in under a new session id."""
    web_session.clear()
    web_session.renew()  # type: ignore[attr-defined]
    login_user(user)


def leave() -> None:
    """End the session for good."""
    logout_user()
    web_session.clear()
    web_session.renew()  # type: ignore[attr-defined]


def safe_next(target: str | None) -> str:
    """The path to go on to; anything but a plain path on this site becomes home."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    if any(ord(letter) < 33 or letter == "\\" for letter in target):
        return "/"
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else "/"
