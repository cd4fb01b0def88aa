"""What was learned: effects of tags, runs of the model, and asking for a new run."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.paging import page_number, paginate
from cms.web.forms import takes
from cms.web.frame import locale_code, name_of
from cms.web.guard import actor, requires
from cms.web.insights.area import GROUP_NAMES, OUTCOME_NAMES, bp, choice, period_asked, weeks_asked
from content_library.models import Tag, TagGroup
from content_library.vocabulary import STAGE_GROUP
from feedback import jobs, model_runs, reports
from feedback.model_runs import UNDECIDED
from feedback.models import ModelRun, TagEffect


@bp.get("/tags")
@requires(Permission.INSIGHT_READ)
def list_tags() -> ResponseReturnValue:
    run, outcome = model_runs.latest(), choice("outcome", tuple(OUTCOME_NAMES))
    effects = _effects(run, outcome) if run else []
    return render_template(
        "insights/tags.html",
        run=run,
        pending=model_runs.pending(),
        outcome=outcome,
        outcomes=OUTCOME_NAMES,
        groups=GROUP_NAMES,
        charts={group: _bars(effects, group) for group in GROUP_NAMES},
        hidden=_not_shown(effects),
        lines=reports.by_tag(period_asked()),
        weeks=weeks_asked(),
    )


@bp.get("/runs")
@requires(Permission.INSIGHT_READ)
def list_runs() -> ResponseReturnValue:
    page = paginate(model_runs.newest_first(), number=page_number(request.args.get("page")))
    return render_template("insights/runs.html", page=page, pending=model_runs.pending())


@bp.post("/runs")
@requires(Permission.MODEL_RUN)
@takes()
def ask_for_run() -> ResponseReturnValue:
    with transaction():
        run = model_runs.request(by=actor())
        jobs.learn.enqueue(run.id, key=f"learn-{run.id}")
        run_id = run.id
    flash(_("The model is being fitted anew. This page shows when it is done."), "success")
    return redirect(url_for("insights.show_run", run_id=run_id))


@bp.get("/runs/<int:run_id>")
@requires(Permission.INSIGHT_READ)
def show_run(run_id: int) -> ResponseReturnValue:
    return render_template("insights/run.html", **_run_part(run_id))


@bp.get("/runs/<int:run_id>/live")
@requires(Permission.INSIGHT_READ)
def show_run_live(run_id: int) -> ResponseReturnValue:
    return render_template("insights/_run.html", **_run_part(run_id))


def _run_part(run_id: int) -> dict[str, Any]:
    run = model_runs.get(run_id)
    return {
        "run": run,
        "is_pending": run.state in UNDECIDED,
        "outcomes": OUTCOME_NAMES,
    }


def _effects(run: ModelRun, outcome: str) -> list[TagEffect]:
    """Bounded by the number of tags, not by history."""
    found = session.scalars(
        select(TagEffect)
        .where(TagEffect.run_id == run.id, TagEffect.outcome == outcome)
        .options(joinedload(TagEffect.tag).joinedload(Tag.group))
        .order_by(TagEffect.lift.desc())
    )
    return list(found)


def _bars(effects: list[TagEffect], group: str) -> list[dict[str, Any]]:
    """Rows for the chart: how far from the mean tag, in percent; grey where nothing is sure."""
    lang = "zh-CN" if locale_code() == "zh" else "en"
    return [
        {
            "label": name_of(effect.tag),
            "lang": lang,
            "value": effect.lift - 1,
            "low": effect.low - 1,
            "high": effect.high - 1,
            "text": _percent_more(effect.lift),
            "sample": effect.exposures,
            "is_marked": effect.is_significant,
            "is_thin": not effect.is_significant,
        }
        for effect in effects
        if effect.stage_group == group
    ]


def _percent_more(lift: float) -> str:
    percent = round((lift - 1) * 100)
    return f"{percent:+d} %".replace("-", "−") if percent else "0 %"


def _not_shown(effects: list[TagEffect]) -> list[Tag]:
    """Tags with too few posts or assets to say anything in any stage group."""
    shown = {effect.tag_id for effect in effects}
    found = session.scalars(
        select(Tag)
        .join(Tag.group)
        .where(Tag.is_active, TagGroup.slug != STAGE_GROUP)
        .order_by(TagGroup.position, Tag.position)
    )
    return [tag for tag in found if tag.id not in shown]
