"""Suggestions with their evidence, and a person's answer to each."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Conflict
from cms.core.paging import page_number, paginate
from cms.web.forms import say, takes
from cms.web.guard import actor, requires
from cms.web.insights.area import OUTCOME_NAMES, bp, choice
from feedback import suggestions
from feedback.models import Suggestion, SuggestionState

PER_PAGE = 20
STATES = tuple(state.value for state in SuggestionState)


@bp.get("/suggestions")
@requires(Permission.INSIGHT_READ)
def list_suggestions() -> ResponseReturnValue:
    state = SuggestionState(choice("state", STATES))
    page = paginate(
        suggestions.in_state(state),
        number=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    return render_template(
        "insights/suggestions.html",
        page=page,
        state=state,
        states=SuggestionState,
        counts=suggestions.counts(),
        rivals=suggestions.rivals(page.rows),
        outcomes=OUTCOME_NAMES,
    )


@bp.get("/suggestions/<int:suggestion_id>")
@requires(Permission.INSIGHT_READ)
def show_suggestion(suggestion_id: int) -> ResponseReturnValue:
    suggestion = suggestions.get(suggestion_id)
    return render_template(
        "insights/suggestion.html",
        suggestion=suggestion,
        rivals=suggestions.rivals([suggestion]),
        outcomes=OUTCOME_NAMES,
    )


@bp.post("/suggestions/<int:suggestion_id>/accept")
@requires(Permission.SUGGESTION_DECIDE)
@takes()
def accept(suggestion_id: int) -> ResponseReturnValue:
    return _decide(
        suggestion_id,
        lambda one: suggestions.accept(one, by=actor()),
        _("The tag is changed. You can undo it here."),
    )


@bp.post("/suggestions/<int:suggestion_id>/reject")
@requires(Permission.SUGGESTION_DECIDE)
@takes()
def reject(suggestion_id: int) -> ResponseReturnValue:
    return _decide(
        suggestion_id,
        lambda one: suggestions.reject(one, by=actor()),
        _("Refused. It comes back only with far more evidence."),
    )


@bp.post("/suggestions/<int:suggestion_id>/undo")
@requires(Permission.SUGGESTION_DECIDE)
@takes()
def undo(suggestion_id: int) -> ResponseReturnValue:
    return _decide(
        suggestion_id,
        lambda one: suggestions.undo(one, by=actor()),
        _("Undone. The tags are exactly as they were before."),
    )


def _decide(
    suggestion_id: int, act: Callable[[Suggestion], object], words: str
) -> ResponseReturnValue:
    """Carry it out and show the suggestion as it stands then, also when somebody was faster."""
    try:
        with transaction():
            act(suggestions.get(suggestion_id))
        flash(words, "success")
    except Conflict as error:
        flash(say(error.problem), "error")
    return redirect(url_for("insights.show_suggestion", suggestion_id=suggestion_id))
