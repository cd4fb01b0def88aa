"""Turns errors into answers: a page for people, one JSON shape for programs, never a stack trace."""

from typing import Any

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateNotFound
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from cms.accounts import audit
from cms.core.db import lacks_room
from cms.core.errors import Conflict, Forbidden, Invalid, NotFound, SeedbedError
from cms.core.limits import most
from cms.web.forms import say

log = structlog.get_logger(__name__)

STATUS: dict[type[SeedbedError], int] = {NotFound: 404, Invalid: 422, Forbidden: 403, Conflict: 409}
MEGABYTE = 1_048_576
SECRET_FIELDS = {"csrf_token", "password"}


def connect(app: Flask) -> None:
    app.register_error_handler(SeedbedError, _told)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _no_database)
    app.register_error_handler(DataError, _unfit)
    app.register_error_handler(Exception, _unforeseen)


def wants_json() -> bool:
    """Whether the asker is a program: it sent JSON, or asks for it before HTML."""
    if request.is_json or request.headers.get("X-Requested-With") or request.path.endswith(".json"):
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == (
        "application/json"
    )


def answer(status: int, code: str, message: str | None, field: str | None = None) -> Response:
    """The one shape of every error: a page, or {error, message, field, request_id}."""
    if wants_json():
        body = {"error": code, "message": message or code, "field": field}
        reply = jsonify(body | {"request_id": audit.request_id.get()})
    else:
        reply = make_response(_page(status, message))
    reply.status_code = status
    return reply


def _page(status: int, message: str | None) -> str:
    context: dict[str, Any] = {"message": message, "request_id": audit.request_id.get()}
    try:
        return render_template(f"errors/{status}.html", **context)
    except TemplateNotFound:
        return render_template("errors/other.html", **context)


def _told(error: SeedbedError) -> ResponseReturnValue:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    field = next(iter(error.fields)) if isinstance(error, Invalid) else None
    return answer(status, error.problem.code, say(error.problem), field or None)


def _expired(_error: CSRFError) -> ResponseReturnValue:
    """The form is stale: give everything typed back, ready to be sent again."""
    message = _("This form has expired. Nothing was changed; press the button to send it again.")
    if wants_json():
        return answer(400, "form_expired", message)
    kept = [
        (name, text)
        for name, texts in request.form.lists()
        if name not in SECRET_FIELDS
        for text in texts
    ]
    return render_template("errors/form_expired.html", message=message, kept=kept), 400


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    if isinstance(error, SecurityError):  # a foreign Host: no address of ours can be built for it
        return make_response(
            "This host name is not served here.\n", 400, {"Content-Type": "text/plain"}
        )
    message = _limits_told() if error.code == 413 else None
    reply = answer(error.code, error.name.lower().replace(" ", "_"), message)
    for name, value in error.get_headers(request.environ):
        if name == "Allow":
            reply.headers[name] = value
    return reply


def _limits_told() -> str:
    return _(
        "That was too much at once. One request may bring files of %(files)s MB and %(words)s MB of words. Nothing was saved.",
        files=most("request_bytes") // MEGABYTE,
        words=most("form_bytes") // MEGABYTE,
    )


def _no_database(error: OperationalError) -> ResponseReturnValue:
    code, words = _trouble(error)
    log.error(code, error=str(error.orig))
    reply = answer(503, code, words)
    reply.headers["Retry-After"] = "10"
    return reply


def _trouble(error: OperationalError) -> tuple[str, str]:
    if lacks_room(error):
        return "storage_full", _(
            "The server has no room left. Nothing was saved; tell an administrator."
        )
    return "database_away", _("The database does not answer. Try again in a minute.")


def _unfit(error: DataError) -> ResponseReturnValue:
    """A value that no column takes, such as a text with a null character in it."""
    log.warning("unfit_value", error=type(error.orig).__name__, endpoint=request.endpoint)
    return answer(
        422, "unfit_value", _("A value holds characters or a size that cannot be stored.")
    )


def _unforeseen(error: Exception) -> ResponseReturnValue:
    log.exception("unforeseen", endpoint=request.endpoint, path=request.path)
    return answer(500, "unforeseen", None)
