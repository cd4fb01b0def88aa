"""What readers do on a page: like, collect, share, comment, and having been there at all."""

from typing import Any

from flask import jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.core.db import transaction
from cms.core.errors import Invalid
from cms.web.errors import wants_json
from cms.web.forms import say, takes
from cms.web.guard import public
from cms.web.reader import pages, visits
from cms.web.reader.area import bp
from cms.web.reader.views import gone, page_answer
from feedback import comments, hints, reactions
from feedback.comments import Draft, TooMany
from feedback.facts import seen_now
from feedback.recording import record
from schedules import links
from schedules.models import Publication

NO_COOKIE = "no_cookie"


@bp.post("/p/<public_id>/like")
@public
@takes("proof", "visit")
def like(public_id: str) -> ResponseReturnValue:
    return _toggle(public_id, "like")


@bp.post("/p/<public_id>/collect")
@public
@takes("proof", "visit")
def collect(public_id: str) -> ResponseReturnValue:
    return _toggle(public_id, "collect")


@bp.post("/p/<public_id>/seen")
@public
@takes("proof", "visit")
def seen(public_id: str) -> ResponseReturnValue:
    """The page's script ran in a visible page: a person's browser."""
    publication = links.live_publication(public_id)
    if publication is None:
        return gone(public_id)
    if not visits.is_own_form(public_id):
        return "", 403
    _witness(publication, "seen", seq=1)
    return "", 204


@bp.post("/p/<public_id>/share")
@public
@takes("proof", "visit")
def share(public_id: str) -> ResponseReturnValue:
    """Share was pressed; whether anything was sent, no page can know."""
    publication = links.live_publication(public_id)
    if publication is None:
        return gone(public_id)
    if not visits.is_own_form(public_id):
        return _refuse(public_id)
    _witness(publication, "share", seq=2)
    return ("", 204) if wants_json() else _back(public_id)


@bp.post("/p/<public_id>/comment")
@public
@takes("proof", "visit", "once", "name", "text", "website")
def comment(public_id: str) -> ResponseReturnValue:
    publication = pages.live(public_id)
    if publication is None:
        return gone(public_id)
    if not visits.is_own_form(public_id):
        return _with_fault(publication, 403, _cookie_needed())
    if request.form.get("website"):
        return _back(public_id, said=1)  # a field no person sees; it need not know that we know
    try:
        with transaction():
            comments.write(publication, _draft(), visits.visitor(), visits.reasons())
    except Invalid as error:
        fault = {name: say(problem) for name, problem in error.fields.items()}
        return _with_fault(publication, 422, **fault)
    except TooMany as error:
        return _with_fault(publication, 429, say(error.problem))
    hints.tell()
    return _back(public_id, said=1)


def _toggle(public_id: str, kind: str) -> ResponseReturnValue:
    publication = links.live_publication(public_id)
    if publication is None:
        return gone(public_id)
    if not visits.is_own_form(public_id):
        return _refuse(public_id)
    visitor = visits.visitor()
    with transaction():
        reactions.toggle(publication, kind, visitor, visits.reasons())
    hints.tell()
    if wants_json():
        return jsonify(pages.reaction(kind, reactions.standings(publication, visitor)[kind]))
    return _back(public_id)


def _draft() -> Draft:
    given = request.form
    return Draft(given.get("name", ""), given.get("text", ""), given.get("once", "")[:64])


def _witness(publication: Publication, kind: str, *, seq: int) -> None:
    visitor = visits.visitor()
    visit = visits.visit_sent()
    record(
        seen_now(
            "page",
            kind,
            publication.id,
            visitor_key=visitor.key,
            key_strength=visitor.strength,
            reasons=visits.reasons(),
            props={"visit": visit, "seq": seq} if visit else {},
        )
    )


def _back(public_id: str, **said: Any) -> ResponseReturnValue:
    """To the page again, so that reloading sends nothing twice."""
    anchor = "talk" if said else "react"
    return redirect(url_for("reader.show_post", public_id=public_id, _anchor=anchor, **said), 303)


def _refuse(public_id: str) -> ResponseReturnValue:
    if wants_json():
        return jsonify({"error": NO_COOKIE, "message": _cookie_needed(), "field": None}), 403
    publication = pages.live(public_id)
    return _with_fault(publication, 403, _cookie_needed()) if publication else gone()


def _with_fault(
    publication: Publication, status: int, whole: str = "", **faults: str
) -> ResponseReturnValue:
    typed = {"name": request.form.get("name", ""), "text": request.form.get("text", "")}
    return page_answer(
        publication,
        visit=visits.visit_sent() or visits.new_visit(),
        status=status,
        **typed,
        whole=whole or faults.get("", ""),
        faults=faults,
    )


def _cookie_needed() -> str:
    return _("This could not be taken in. Allow cookies for this page, then press again.")
