"""The way off a list: a page with a button for people, and the one click of mail programs (RFC 8058)."""

from flask import make_response, render_template
from flask.typing import ResponseReturnValue

from cms.core.db import transaction
from cms.web.forms import takes
from cms.web.guard import public
from cms.web.reader.area import bp
from cms.web.reader.views import PRIVATE
from schedules import subscribers


@bp.get("/u/<token>")
@public
def ask_to_leave(token: str) -> ResponseReturnValue:
    """Looking changes nothing: mail scanners open every link. A wrong token looks like a right one."""
    return _page(token, has_left=False)


@bp.post("/u/<token>")
@public
@takes("List-Unsubscribe")
def leave_list(token: str) -> ResponseReturnValue:
    """The token is the proof: mail programs post here without cookie, page or form."""
    with transaction():
        subscribers.leave(token)
    return _page(token, has_left=True)


def _page(token: str, *, has_left: bool) -> ResponseReturnValue:
    answer = make_response(
        render_template("reader/unsubscribe.html", token=token, has_left=has_left)
    )
    answer.headers.update(PRIVATE)
    return answer
