"""Signs a test's browser in as anybody, through the session table as a sign-in would."""

import secrets

from flask.testing import FlaskClient

from cms.accounts.models import User, WebSession
from cms.accounts.tokens import digest
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.web.sessions import ABSOLUTE, COOKIE


def sign_in(client: FlaskClient, user: User) -> FlaskClient:
    """Give the client a session of that user; returns the client."""
    token = secrets.token_urlsafe(32)
    with transaction():
        session.add(
            WebSession(
                id_hash=digest(token),
                user_id=user.id,
                content={"_user_id": str(user.id), "_fresh": True},
                created_at=now(),
                seen_at=now(),
                expires_at=now() + ABSOLUTE,
            )
        )
    client.set_cookie(COOKIE, token)
    return client
