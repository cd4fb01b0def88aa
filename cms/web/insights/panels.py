"""Figures that other areas' pages show in a panel: of an asset, and of a publication."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from cms.web.insights.area import bp
from content_library.models import Asset
from feedback import figures, reports, scores, suggestions
from feedback.rates import Rate
from schedules.channels import CHANNELS
from schedules.models import Publication

METRIC_NAMES = {
    "read": _("Readers"),
    "share": _("Sharers"),
    "like": _("Likes"),
    "recommend": _("Recommendations"),
    "comment": _("Comments"),
    "collect": _("Collects"),
}


@bp.app_template_global()
def channel_name(slug: str) -> str:
    """What the channel is called."""
    return gettext(CHANNELS.get(slug).name) if slug in CHANNELS else slug


@bp.app_template_global()
def insight_of_asset(asset: Asset) -> dict[str, Any]:
    """Totals of the asset with their doubt, and what is proposed for its tags."""
    score = scores.of(asset.id)
    return {
        "score": score,
        "click_rate": Rate(score.clicks, score.exposures) if score else None,
        "collect_rate": Rate(score.collects, score.exposures) if score else None,
        "suggestions": suggestions.open_for(asset.id),
    }


@bp.app_template_global()
def insight_of_publication(publication: Publication) -> dict[str, Any]:
    """Figures of one publication and their course."""
    return {
        "figures": reports.of_publication(publication.id),
        "course": [counted for _day, counted in reports.course(publication.id)],
    }


@bp.app_template_global()
def carrier_figures(publication: Publication) -> dict[str, Any]:
    """What the publication's carrier counts by itself, and up to which day."""
    counted = figures.of(publication.id)
    return {
        "rows": [(METRIC_NAMES.get(one.metric, one.metric), one) for one in counted],
        "on": max((one.on for one in counted), default=None),
        "fetched_at": max((one.fetched_at for one in counted), default=None),
    }
