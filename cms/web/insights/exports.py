"""The lists as files for spreadsheets, safe to open in any."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.permissions import Permission
from cms.core import csv_safe
from cms.core.csv_safe import Cell
from cms.core.db import session
from cms.web.frame import local, name_of
from cms.web.guard import requires
from cms.web.insights.area import bp, period_asked
from feedback import reports
from feedback.reports import Figures

MOST = 20_000


@bp.get("/posts.csv")
@requires(Permission.INSIGHT_READ)
def export_posts() -> ResponseReturnValue:
    rows = session.execute(reports.posts(period_asked()).limit(MOST))
    header = [_("Published"), _("Title"), _("Pool"), _("Stage"), _("Channel"), *_heads()]
    return _file("posts.csv", header, (_post_line(row) for row in rows))


@bp.get("/tags.csv")
@requires(Permission.INSIGHT_READ)
def export_tags() -> ResponseReturnValue:
    lines = reports.by_tag(period_asked())
    told = ([name_of(line.key), *_cells(line.figures)] for line in lines)
    return _file("tags.csv", [_("Tag"), *_heads()], told)


def _post_line(row: Any) -> list[Cell]:
    publication = row[0]
    at = local(row.live_at)
    return [
        f"{at:%Y-%m-%d %H:%M}",
        publication.post.version.title,
        publication.pool.name,
        name_of(publication.pool.stage),
        publication.account.channel,
        *_cells(reports.figures_of(row)),
    ]


def _heads() -> list[str]:
    return [
        _("Reach"),
        _("Clicks, raw"),
        _("Clicks, counted"),
        _("Clicks, confirmed"),
        _("Click rate"),
        _("Rate, low"),
        _("Rate, high"),
        _("Likes"),
        _("Collects"),
        _("Comments"),
    ]


def _cells(figures: Figures) -> list[Cell]:
    rate = figures.click_rate
    return [
        figures.reach,
        figures.raw_clicks,
        figures.counts["click"],
        figures.confirmed_clicks,
        *(None if end is None else round(end, 5) for end in (rate.value, rate.low, rate.high)),
        *(figures.counts[kind] for kind in ("like", "collect", "comment")),
    ]


def _file(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    return Response(
        csv_safe.write(header, rows),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
