"""One address an account: the carrier's check of it, and the carrier's calls."""

import structlog
from flask import Blueprint, Response, abort, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from cms.core.limits import most
from cms.web.callbacks.failures import Failures
from cms.web.guard import public
from schedules.callbacks import doors, inbox
from schedules.callbacks.cipher import Unreadable
from schedules.callbacks.doors import Door

log = structlog.get_logger(__name__)

bp = Blueprint("callbacks", __name__, url_prefix="/callbacks")
failures = Failures()

TAKEN = "success"  # what Official Accounts wait for; WeCom is content with any 200


@bp.record_once
def _exempt(state: BlueprintSetupState) -> None:
    """A carrier has no form of ours to send back; its signature speaks for it."""
    state.app.extensions["csrf"].exempt(bp)


@bp.get("/<mark>")
@public
def check_address(mark: str) -> ResponseReturnValue:
    """Answer the check with the plain words inside it and nothing else."""
    door = _door(mark)
    try:
        return _plain(inbox.echo(door, request.args))
    except Unreadable:
        return _refused(door)


@bp.post("/<mark>")
@public
def take_call(mark: str) -> ResponseReturnValue:
    """Store the call, then say so; what it leads to happens afterwards."""
    door = _door(mark)
    try:
        inbox.take(door, request.args, _body())
    except Unreadable:
        return _refused(door)
    return _plain(TAKEN.encode())


def _door(mark: str) -> Door:
    """A mark nobody was given looks like any page that does not exist."""
    door = doors.by_mark(mark)
    if door is None:
        abort(404)
    if failures.too_many(_knocker(door)):
        abort(429)
    return door


def _knocker(door: Door) -> str:
    """Who knocks where: nobody can use up another's patience."""
    return f"{door.account_id} {request.remote_addr}"


def _body() -> bytes:
    limit = most("callback_bytes")
    if (request.content_length or 0) > limit:
        abort(413)
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        abort(413)
    return body


def _refused(door: Door) -> Response:
    failures.note(_knocker(door))
    log.warning("call_refused", account=door.account_id)
    return Response("", 403, content_type="text/plain")


def _plain(content: bytes) -> Response:
    return Response(content, content_type="text/plain; charset=utf-8")
