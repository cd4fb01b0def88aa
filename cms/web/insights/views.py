"""The week at a glance: what was posted, whom it reached, what readers did; fresh every few seconds."""

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from cms.accounts.permissions import Permission
from cms.core.db import session
from cms.web.guard import requires
from cms.web.insights.area import bp, period_asked, weeks_asked
from feedback import comments, model_runs, reports, suggestions
from feedback.models import SuggestionState
from feedback.periods import last_weeks

NEWEST = 12
TOP = 8
SPARK_WEEKS = 4


@bp.get("/")
@requires(Permission.INSIGHT_READ)
def index() -> ResponseReturnValue:
    period = period_asked(1)
    return render_template(
        "insights/index.html",
        **_live_part(),
        top=session.execute(reports.by_asset(period).limit(TOP)).all(),
        figures_of=reports.figures_of,
        stages=reports.by_stage(period),
        channels=reports.by_channel(period),
        held=comments.count_held(),
        open_suggestions=suggestions.counts()[SuggestionState.OPEN],
        latest_run=model_runs.latest(),
    )


@bp.get("/live")
@requires(Permission.INSIGHT_READ)
def show_live() -> ResponseReturnValue:
    """The part of the page that moves, alone."""
    return render_template("insights/_live.html", **_live_part())


def _live_part() -> dict[str, Any]:
    period = period_asked(1)
    longer = last_weeks(max(weeks_asked(1), SPARK_WEEKS))
    rows = session.execute(reports.posts(period).limit(NEWEST)).all()
    return {
        "weeks": weeks_asked(1),
        "totals": reports.totals(period),
        "sparks": {kind: reports.by_day(longer, kind) for kind in ("click", "collect", "comment")},
        "newest": [(row[0], reports.figures_of(row)) for row in rows],
    }
