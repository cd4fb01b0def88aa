"""Users: found, added, changed, ended."""

import re

from sqlalchemy import Select, delete, func, select

from cms.accounts import audit, passwords
from cms.accounts.models import Role, User, WebSession
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, conflict, invalid
from cms.core.i18n import N_
from cms.core.text import is_blank


def fold_login(login: str) -> str:
    """The spelling under which a login is stored and looked up."""
    return login.strip().casefold()


def get(user_id: int) -> User:
    """The user of that id; raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("user")
    return user


def by_login(login: str) -> User | None:
    """The user who signs in under that name."""
    return session.scalar(select(User).where(User.login == fold_login(login)))


def everyone() -> Select[User]:
    """All users by name, for the caller to page."""
    return select(User).order_by(User.is_active.desc(), User.name, User.id)


def count() -> int:
    """How many users there are."""
    return session.scalar(select(func.count(User.id))) or 0


def add(login: str, name: str, role: Role, *, by: User | None, password: str | None = None) -> User:
    """Add a user; without a password they enter by a one-time link. Raises Invalid."""
    login = fold_login(login)
    if not re.fullmatch(r"[\w.@+-]{2,120}", login):
        raise invalid("login", "bad_login", N_("Use letters, digits, and . @ + - _ only."))
    if is_blank(name) or len(name) > 80:
        raise invalid("name", "bad_name", N_("Give a name of 1 to 80 characters."))
    if by_login(login):
        raise invalid("login", "login_taken", N_("Somebody has this login already."))
    user = User(
        login=login,
        name=name.strip(),
        role=role,
        created_at=now(),
        password_hash=passwords.hashed(password) if password else None,
    )
    session.add(user)
    session.flush()  # the audit trail needs the id
    audit.record("user.added", user, by=by, role=role)
    return user


def set_password(user: User, password: str, *, by: User | None) -> None:
    """Give the user a new password and end their other sessions."""
    user.password_hash = passwords.hashed(password)
    end_sessions(user)
    audit.record("user.password_changed", user, by=by)


def set_role(user: User, role: Role, *, by: User | None) -> None:
    """Change what the user may do; open sessions end, so that none outlives the old role."""
    if user.role is role:
        return
    _keep_an_administrator(user)
    audit.record("user.role_changed", user, by=by, before=user.role, after=role)
    user.role = role
    end_sessions(user)


def disable(user: User, *, by: User | None) -> None:
    """Shut the user out at once; what they did stays."""
    _keep_an_administrator(user)
    user.is_active = False
    end_sessions(user)
    audit.record("user.disabled", user, by=by)


def enable(user: User, *, by: User | None) -> None:
    """Let the user in again."""
    user.is_active = True
    audit.record("user.enabled", user, by=by)


def set_preferences(user: User, *, locale: str | None = None, theme: str | None = None) -> None:
    """Language (en, zh) and light (light, dark, auto) of one person's pages."""
    if locale in ("en", "zh"):
        user.locale = locale
    if theme in ("light", "dark", "auto"):
        user.theme = theme


def end_sessions(user: User) -> None:
    """Sign the user out everywhere."""
    session.execute(delete(WebSession).where(WebSession.user_id == user.id))


def _keep_an_administrator(user: User) -> None:
    if user.role is not Role.ADMINISTRATOR or not user.is_active:
        return
    others = select(func.count(User.id)).where(
        User.role == Role.ADMINISTRATOR, User.is_active, User.id != user.id
    )
    if not session.scalar(others):
        raise conflict(
            "last_administrator", N_("This is the last administrator; add another first.")
        )
