"""Signing in by password, with limits per account and per address."""

from datetime import timedelta

from sqlalchemy import delete, func, select

from cms.accounts import audit, passwords
from cms.accounts.models import SignInFailure, User
from cms.accounts.users import fold_login
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Problem, SeedbedError
from cms.core.i18n import N_

PER_ACCOUNT = 5
PER_ADDRESS = 30
WINDOW = timedelta(minutes=15)


class TooManyTries(SeedbedError):
    """Too many wrong passwords; `seconds` tells how long to wait."""

    def __init__(self, seconds: int) -> None:
        message = N_("Too many tries. Please wait %(seconds)s seconds, then try again.")
        super().__init__(Problem("too_many_tries", message, {"seconds": seconds}))
        self.seconds = seconds


def check(login: str, password: str, *, address: str) -> User | None:
    """The user whose password this is, or None after noting the failure.

    Raises TooManyTries once the account or the address has used up its failures.
    """
    keys = {f"account:{fold_login(login)}"[:120]: PER_ACCOUNT, f"address:{address}": PER_ADDRESS}
    for key, limit in keys.items():
        _refuse_when_full(key, limit)
    user = session.scalar(select(User).where(User.login == fold_login(login)))
    if not passwords.matches(password, user.password_hash if user else None) or user is None:
        session.add_all(SignInFailure(key=key, at=now()) for key in keys)
        return None
    if not user.is_active:
        return None
    session.execute(delete(SignInFailure).where(SignInFailure.key == next(iter(keys))))
    audit.record("user.signed_in", user, by=user)
    return user


def forget_old_failures() -> None:
    """Remove failures that no longer count."""
    session.execute(delete(SignInFailure).where(SignInFailure.at < now() - WINDOW))


def _refuse_when_full(key: str, limit: int) -> None:
    counting = (SignInFailure.key == key, SignInFailure.at > now() - WINDOW)
    if (session.scalar(select(func.count()).where(*counting)) or 0) < limit:
        return
    oldest = session.scalars(
        select(SignInFailure.at)
        .where(*counting)
        .order_by(SignInFailure.at.desc())
        .offset(limit - 1)
        .limit(1)
    ).one()
    raise TooManyTries(max(1, round((oldest + WINDOW - now()).total_seconds())))
