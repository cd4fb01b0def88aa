"""One published post: its figures, their course, and why some clicks are not counted."""

from collections import Counter
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select

from cms.accounts.permissions import Permission
from cms.core.db import session
from cms.web.guard import requires
from cms.web.insights.area import bp
from feedback import reports
from feedback.models import Event, Verdict
from schedules import links, publications
from schedules.models import Publication

MOST_JUDGED = 5_000

REASON_WORDS = {
    "method": lazy_gettext("only asked whether the page is there"),
    "prefetch": lazy_gettext("a browser looked ahead"),
    "agent": lazy_gettext("a program by its own name"),
    "no_agent": lazy_gettext("did not say what it is"),
    "too_fast": lazy_gettext("within two seconds of going out"),
    "burst": lazy_gettext("several links within seconds"),
    "honeypot": lazy_gettext("followed a link nobody can see"),
    "hidden": lazy_gettext("hidden by a person"),
}


@bp.get("/posts/<int:publication_id>")
@requires(Permission.INSIGHT_READ)
def show_post(publication_id: int) -> ResponseReturnValue:
    publication = publications.get(publication_id)
    return render_template(
        "insights/post.html",
        **_part(publication),
        publication=publication,
        page_url=links.reader_page_url(publication),
        reasons=_reasons(publication_id),
    )


@bp.get("/posts/<int:publication_id>/live")
@requires(Permission.INSIGHT_READ)
def show_post_live(publication_id: int) -> ResponseReturnValue:
    publication = publications.get(publication_id)
    return render_template("insights/_post_tiles.html", **_part(publication))


def _part(publication: Publication) -> dict[str, Any]:
    return {
        "figures": reports.of_publication(publication.id),
        "course": reports.course(publication.id),
    }


def _reasons(publication_id: int) -> list[tuple[str, int]]:
    """Of the newest clicks that were not taken for a person's: what spoke against them."""
    found = session.scalars(
        select(Event.reasons)
        .where(
            Event.publication_id == publication_id,
            Event.kind == "click",
            Event.verdict != Verdict.HUMAN,
        )
        .order_by(Event.effective_at.desc())
        .limit(MOST_JUDGED)
    )
    told = Counter(reason.partition(":")[0] for reasons in found for reason in reasons)
    return [
        (REASON_WORDS.get(reason, _("unknown")), number) for reason, number in told.most_common()
    ]
