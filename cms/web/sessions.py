"""Server-side sessions: the cookie holds 256 random bits, the database everything else."""

import secrets
from datetime import timedelta
from typing import Any

import structlog
from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import CallbackDict

from cms.accounts.models import WebSession
from cms.accounts.tokens import digest
from cms.core.clock import now
from cms.core.db import session as rows
from cms.core.db import transaction

log = structlog.get_logger(__name__)

COOKIE = "sb_session"
IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=7)
TOUCH = timedelta(minutes=5)


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """What one browser's visit holds; knows whether it must be written back."""

    def __init__(self, initial: dict[str, Any] | None = None, token: str | None = None) -> None:
        super().__init__(initial, lambda changed: setattr(changed, "modified", True))
        self.modified = False
        self.accessed = True
        self.new = token is None
        self.token = token
        self.stale_token: str | None = None
        self.is_only_touched = False

    def renew(self) -> None:
        """Take a new id and leave nothing under the old one; at sign-in and sign-out."""
        self.stale_token = self.stale_token or self.token
        self.token = None
        self.modified = True


class DatabaseSessions(SessionInterface):
    """Keeps sessions in the table web_sessions, under the hash of the cookie's token."""

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        token = request.cookies.get(COOKIE, "")
        row = rows.get(WebSession, digest(token)) if token else None
        moment = now()
        if row is None or row.expires_at <= moment or row.seen_at <= moment - IDLE:
            return ServerSession()
        opened = ServerSession(row.content, token)
        opened.is_only_touched = row.seen_at <= moment - TOUCH
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, ServerSession)
        if not (session.modified or session.is_only_touched):
            return
        try:
            with transaction():
                self._write(session)
        except OperationalError as error:
            if session.modified:
                raise
            # Nobody is kept from reading because the database takes no note of it just now.
            log.warning("session_not_touched", error=str(error.orig))
            return
        if session.token:
            response.set_cookie(
                COOKIE,
                session.token,
                httponly=True,
                samesite="Lax",
                secure=app.config["SEEDBED"].base_url.startswith("https://"),
                max_age=int(ABSOLUTE.total_seconds()),
            )
        else:
            response.delete_cookie(COOKIE)

    def _write(self, session: ServerSession) -> None:
        if session.stale_token:
            rows.execute(
                delete(WebSession).where(WebSession.id_hash == digest(session.stale_token))
            )
        moment = now()
        row = rows.get(WebSession, digest(session.token)) if session.token else None
        if row is None:
            if session.token or not session:
                session.token = None  # ended meanwhile by somebody else, or nothing to keep
                return
            session.token = secrets.token_urlsafe(32)
            row = WebSession(
                id_hash=digest(session.token), created_at=moment, expires_at=moment + ABSOLUTE
            )
            rows.add(row)
        row.content = dict(session)
        row.user_id = int(session["_user_id"]) if "_user_id" in session else None
        row.seen_at = moment


def forget_expired() -> None:
    """Remove sessions that can no longer be used."""
    moment = now()
    rows.execute(
        delete(WebSession).where(
            (WebSession.expires_at <= moment) | (WebSession.seen_at <= moment - IDLE)
        )
    )


def connect(app: Flask) -> None:
    app.session_interface = DatabaseSessions()
