"""Comments of readers: read by a person, then shown or hidden."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.paging import page_number, paginate
from cms.web.forms import takes
from cms.web.guard import actor, requires
from cms.web.insights.area import bp, choice
from feedback import comments
from feedback.models import CommentState

STATES = tuple(state.value for state in CommentState)


@bp.get("/comments")
@requires(Permission.COMMENT_MODERATE)
def list_comments() -> ResponseReturnValue:
    state = CommentState(choice("state", STATES))
    page = paginate(comments.in_state(state), number=page_number(request.args.get("page")))
    return render_template("insights/comments.html", page=page, state=state, states=CommentState)


@bp.post("/comments/<int:comment_id>/show")
@requires(Permission.COMMENT_MODERATE)
@takes()
def show_comment(comment_id: int) -> ResponseReturnValue:
    return _decide(comment_id, CommentState.SHOWN, _("The comment is shown."))


@bp.post("/comments/<int:comment_id>/hide")
@requires(Permission.COMMENT_MODERATE)
@takes()
def hide_comment(comment_id: int) -> ResponseReturnValue:
    return _decide(comment_id, CommentState.HIDDEN, _("The comment is hidden."))


def _decide(comment_id: int, state: CommentState, words: str) -> ResponseReturnValue:
    with transaction():
        comments.decide(comments.get(comment_id), state, by=actor())
    flash(words, "success")
    return redirect(url_for("insights.list_comments", state=choice("state", STATES)))
