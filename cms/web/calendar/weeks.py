"""The week: the board itself, its density, copying a week into it, and handing it in."""

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from audience.models import PoolKind, Stage
from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Invalid, NotFound
from cms.web.calendar.blueprint import (
    POOL_NAMES,
    STATE_NAMES,
    bp,
    short_day,
    team_calendar,
    week_words,
)
from cms.web.calendar.drawing import Pen, day_number
from cms.web.forms import say, takes
from cms.web.frame import locale_code, name_of, settings
from cms.web.guard import actor, can, requires
from cms.web.library.cards import tray_item
from cms.web.login import safe_next
from content_library import vocabulary
from content_library.search import finder
from content_library.search.finder import AssetQuery
from schedules import board, calendars, copying, posts, wall_time
from schedules.board import Wanted

DENSITIES = {"comfortable": "rows-3", "compact": "rows-4", "dots": "grid-3x3"}
DENSITY_COOKIE = "sb_density"
A_YEAR = 365 * 24 * 3600
WEEK = timedelta(days=7)
TRAY_LENGTH = 30
MOST_TOLD = 6


def monday_from(text: str) -> date:
    """The Monday of the week an address names; raises NotFound for what is no day."""
    try:
        return wall_time.monday_of(wall_time.parse_date(text))
    except Invalid:
        raise NotFound("week") from None


def filters() -> dict[str, Any]:
    """The parts of the board that were asked for, unknown ones left out."""
    args = request.args
    wanted = {
        "stage": args.get("stage", "")[:40],
        "kind": args.get("kind", ""),
        "state": args.get("state", ""),
    }
    if wanted["kind"] not in set(PoolKind):
        wanted["kind"] = ""
    if wanted["state"] not in STATE_NAMES:
        wanted["state"] = ""
    return {name: value for name, value in wanted.items() if value}


def density() -> str:
    kept = request.cookies.get(DENSITY_COOKIE, "")
    return kept if kept in DENSITIES else "comfortable"


@bp.get("/")
@requires(Permission.CALENDAR_READ)
def index() -> ResponseReturnValue:
    monday = calendars.week_to_plan(team_calendar())
    return redirect(url_for("calendar.week", monday=monday.isoformat()))


@bp.get("/weeks/<monday>")
@requires(Permission.CALENDAR_READ)
def week(monday: str) -> ResponseReturnValue:
    first = monday_from(monday)
    if first.isoformat() != monday:
        return redirect(url_for("calendar.week", monday=first.isoformat(), **filters()))
    calendar = team_calendar()
    keep = filters()
    shown = board.week(calendar, first, Wanted(**keep))
    pen = Pen(shown, keep)
    today = wall_time.monday_of(calendars.today(calendar))
    return render_template(
        "calendar/week.html",
        board=shown,
        days=pen.days(),
        rows=pen.rows(),
        day=day_number(shown, request.args.get("day")),
        density=density(),
        densities=DENSITIES,
        keep=keep,
        choices=_choices(shown.stages, shown.counts),
        monday=first,
        previous=first - WEEK,
        following=first + WEEK,
        this_week=today,
        is_over=first + WEEK <= calendars.today(calendar),
        number=first.isocalendar().week,
        span=week_words(first, first + timedelta(days=6)),
        tray=_tray() if can("post:write") else None,
    )


@bp.post("/density")
@requires(Permission.CALENDAR_READ)
@takes("density", "next")
def set_density() -> ResponseReturnValue:
    """How much of each post the board shows, remembered by this browser."""
    wanted = request.form.get("density", "")
    answer = redirect(safe_next(request.form.get("next")))
    if wanted in DENSITIES:
        answer.set_cookie(
            DENSITY_COOKIE,
            wanted,
            max_age=A_YEAR,
            samesite="Lax",
            httponly=True,
            secure=settings().base_url.startswith("https://"),
        )
    return answer


@bp.get("/weeks/<monday>/copy")
@requires(Permission.POST_WRITE)
def preview_copy(monday: str) -> ResponseReturnValue:
    target = monday_from(monday)
    source = _source(request.args.get("source"), target)
    report = copying.preview(team_calendar(), source, target)
    return render_template(
        "calendar/copy.html",
        report=report,
        source=source,
        target=target,
        source_words=week_words(source, source + timedelta(days=6)),
        target_words=week_words(target, target + timedelta(days=6)),
        say=say,
    )


@bp.post("/weeks/<monday>/copy")
@requires(Permission.POST_WRITE)
@takes("source")
def copy(monday: str) -> ResponseReturnValue:
    target = monday_from(monday)
    source = _source(request.form.get("source"), target)
    with transaction():
        report = copying.copy_week(team_calendar(), source, target, by=actor())
    flash(ngettext("%(num)s post copied.", "%(num)s posts copied.", len(report.copied)), "success")
    _tell_refused([(one.post, one.problem) for one in report.skipped])
    return redirect(url_for("calendar.week", monday=target.isoformat()))


@bp.post("/weeks/<monday>/submit")
@requires(Permission.POST_WRITE)
@takes()
def submit_week(monday: str) -> ResponseReturnValue:
    first = monday_from(monday)
    with transaction():
        report = posts.submit_week(team_calendar(), first, by=actor())
    if report.submitted:
        words = ngettext(
            "%(num)s post waits for approval.",
            "%(num)s posts wait for approval.",
            len(report.submitted),
        )
        flash(words, "success")
    elif not report.refused:
        flash(_("There is no draft to submit in this week."), "info")
    _tell_refused([(one.post, one.problem) for one in report.refused])
    return redirect(url_for("calendar.week", monday=first.isoformat()))


def _tell_refused(refused: list[Any]) -> None:
    for post, problem in refused[:MOST_TOLD]:
        place = f"{short_day(post.wall_date)} {post.wall_time:%H:%M}"
        flash(f"{place} · {post.version.title}: {say(problem)}", "warning")
    if len(refused) > MOST_TOLD:
        more = len(refused) - MOST_TOLD
        flash(ngettext("… and %(num)s more.", "… and %(num)s more.", more), "warning")


def _source(text: str | None, target: date) -> date:
    return monday_from(text) if text else target - WEEK


def _choices(stages: tuple[Stage, ...], counts: dict[str, int]) -> dict[str, list[Any]]:
    return {
        "stage": [(stage.slug, name_of(stage)) for stage in stages],
        "kind": [(kind.value, words) for kind, words in POOL_NAMES.items()],
        "state": [
            (state, f"{words} ({counts[state]})")
            for state, words in STATE_NAMES.items()
            if counts.get(state)
        ],
    }


def _tray() -> dict[str, Any]:
    """The first assets beside the board; the tray's own search goes on from there."""
    query = AssetQuery(per_page=TRAY_LENGTH)
    found = finder.find(query, with_facets=False)
    return {
        "items": [tray_item(one) for one in found.page.rows],
        "total": found.page.total,
        "query": query,
        "notice": say(found.notice) if found.notice else None,
        "groups": [group for group in vocabulary.groups() if group.slug in ("theme", "stage")],
        "lang": locale_code(),
    }
