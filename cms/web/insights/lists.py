"""Lists of posts, assets, and cells of stage and hour, with what readers did."""

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, select

from audience import stages
from audience.models import Stage
from cms.accounts.permissions import Permission
from cms.core.db import session
from cms.core.errors import invalid
from cms.core.i18n import N_
from cms.core.paging import Page, page_number
from cms.web.guard import requires
from cms.web.insights.area import OUTCOME_NAMES, bp, choice, period_asked, weeks_asked
from cms.web.numbers import row_number
from feedback import reports

PER_PAGE = 30
HEATS = 5


@bp.get("/posts")
@requires(Permission.INSIGHT_READ)
def list_posts() -> ResponseReturnValue:
    period, sort, stage_id = period_asked(), choice("sort", reports.SORTS), _stage_asked()
    return render_template(
        "insights/posts.html",
        page=_page(reports.posts(period, sort=sort, stage_id=stage_id)),
        figures_of=reports.figures_of,
        sort=sort,
        weeks=weeks_asked(),
        stage_id=stage_id,
        stages=session.scalars(stages.listed()).all(),
    )


@bp.get("/assets")
@requires(Permission.INSIGHT_READ)
def list_assets() -> ResponseReturnValue:
    return render_template(
        "insights/assets.html",
        page=_page(reports.by_asset(period_asked())),
        figures_of=reports.figures_of,
        weeks=weeks_asked(),
    )


@bp.get("/cells")
@requires(Permission.INSIGHT_READ)
def show_cells() -> ResponseReturnValue:
    """Stage by hour: where what was posted met readers."""
    period, outcome = period_asked(), choice("outcome", tuple(OUTCOME_NAMES))
    found = reports.cells(period)
    rates = {cell: figures.rate(outcome) for cell, figures in found.items()}
    highest = max((rate.value or 0.0 for rate in rates.values() if not rate.is_thin), default=0.0)
    return render_template(
        "insights/cells.html",
        cells=found,
        rates=rates,
        heats={cell: _heat(rate.value, highest) for cell, rate in rates.items()},
        hours=sorted({hour for _stage, hour in found}),
        stages=session.scalars(
            stages.listed(active_only=False).where(Stage.id.in_({stage for stage, _hour in found}))
        ).all(),
        by_hour=reports.by_hour(period),
        outcome=outcome,
        outcomes=OUTCOME_NAMES,
        weeks=weeks_asked(),
    )


def _page(rows: Select[Any]) -> Page[Any]:
    """A page of whole rows: the publication or asset with its figures beside it."""
    number = page_number(request.args.get("page"))
    total = session.scalar(select(func.count()).select_from(rows.order_by(None).subquery())) or 0
    chosen = session.execute(rows.limit(PER_PAGE).offset((number - 1) * PER_PAGE)).all()
    return Page(list(chosen), number, PER_PAGE, total)


def _stage_asked() -> int | None:
    text = request.args.get("stage", "")
    if not text:
        return None
    number = row_number(text)
    if number is not None and session.get(Stage, number) is not None:
        return number
    raise invalid("stage", "bad_stage", N_("Choose one of the stages offered."))


def _heat(value: float | None, highest: float) -> int:
    """0 to 4: how warm a cell is drawn."""
    if not value or not highest:
        return 0
    return min(HEATS - 1, int(value / highest * (HEATS - 1) + 0.5))
