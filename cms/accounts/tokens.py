"""One-time links: 256 random bits, kept only as a hash, good once and for a limited time."""

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select, update

from cms.accounts.models import OneTimeLink, User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound


class Purpose(StrEnum):
    SIGN_IN = "sign_in"
    SET_UP = "set_up"


LIFETIMES = {Purpose.SIGN_IN: timedelta(hours=12), Purpose.SET_UP: timedelta(hours=24)}


def issue(purpose: Purpose, user: User | None = None) -> str:
    """A new token; only its hash is stored."""
    token = secrets.token_urlsafe(32)
    link = OneTimeLink(
        token_hash=digest(token),
        purpose=purpose,
        user_id=user.id if user else None,
        expires_at=now() + LIFETIMES[purpose],
    )
    session.add(link)
    return token


def find(token: str) -> OneTimeLink:
    """The unused, unexpired link of that token; raises NotFound, whatever is wrong with it."""
    link = session.scalar(select(OneTimeLink).where(*_usable(token)))
    if link is None:
        raise NotFound("link")
    return link


def use(token: str) -> OneTimeLink:
    """Spend the link: of two people who press at once, one gets it. Raises NotFound."""
    spent = session.scalar(
        update(OneTimeLink)
        .where(*_usable(token))
        .values(used_at=now())
        .returning(OneTimeLink)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if spent is None:
        raise NotFound("link")
    return spent


def digest(token: str) -> str:
    """What is stored in place of a random token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _usable(token: str) -> tuple:
    return (
        OneTimeLink.token_hash == digest(token),
        OneTimeLink.used_at.is_(None),
        OneTimeLink.expires_at > now(),
    )
