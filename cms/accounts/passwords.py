"""Passwords: hashed with Argon2, checked in the same time whether or not the user exists."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from cms.core.errors import invalid
from cms.core.i18n import N_

SHORTEST = 10
LONGEST = 200

_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """The Argon2 hash to store; raises Invalid when the password is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise invalid(
            "password",
            "bad_password",
            N_("A password needs %(shortest)s to %(longest)s characters."),
            shortest=SHORTEST,
            longest=LONGEST,
        )
    return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; without one, as slow as with one."""
    try:
        _hasher.verify(stored or _nobody(), password[:LONGEST])
    except (VerifyMismatchError, InvalidHashError):
        return False
    return stored is not None


@cache
def _nobody() -> str:
    return _hasher.hash("a password that no account has")
