"""One tracked link: its name and end, its QR code, and whether what it leads to still answers."""

import io
from typing import Any

import segno
from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Conflict, Invalid, NotFound, invalid
from cms.core.i18n import N_
from cms.web.calendar.blueprint import bp
from cms.web.calendar.forms import LinkForm
from cms.web.forms import say, show_faults, takes
from cms.web.frame import settings
from cms.web.guard import actor, requires
from schedules import link_jobs, link_names, links, utm, wall_time
from schedules.models import Publication, TrackedLink
from schedules.states import LinkCheck

PIXELS = (300, 600, 1200)
QUIET = 4  # modules of white around it, as the standard asks: scanners look for them
TYPES = {"svg": "image/svg+xml", "png": "image/png"}
CHECKS = {
    LinkCheck.UNKNOWN: N_("nobody answered"),
    LinkCheck.FINE: N_("answers"),
    LinkCheck.GONE: N_("leads nowhere"),
    LinkCheck.FORBIDDEN: N_("may not be opened"),
}


@bp.get("/links/<int:link_id>")
@requires(Permission.CALENDAR_READ)
def link(link_id: int) -> ResponseReturnValue:
    return _page(links.get(link_id))


@bp.post("/links/<int:link_id>")
@requires(Permission.POST_WRITE)
def edit_link(link_id: int) -> ResponseReturnValue:
    """Name and end together: either both are kept or neither."""
    found, form = links.get(link_id), LinkForm()
    if not form.validate_on_submit():
        return _page(found, form), 422
    try:
        with transaction():
            link_names.rename(found, form.alias.data or "", by=actor())
            _end(found, form)
    except Invalid as error:
        show_faults(form, error)
        return _page(links.get(link_id), form), 422
    except Conflict as error:
        form.alias.errors = [*form.alias.errors, say(error.problem)]
        return _page(links.get(link_id), form), 409
    flash(_("The link is saved."), "success")
    return redirect(url_for("calendar.link", link_id=link_id))


@bp.post("/links/<int:link_id>/check")
@requires(Permission.POST_WRITE)
@takes()
def check_link(link_id: int) -> ResponseReturnValue:
    """Have its target looked at once more, within seconds."""
    found = links.get(link_id)
    with transaction():
        found.checked_at = None  # should this hint be lost, the clock finds it
        if found.target:
            link_jobs.check_link.enqueue(found.id, key=f"link-{found.id}")
    flash(_("It is being looked at. Reload in a moment."), "info")
    return redirect(url_for("calendar.link", link_id=link_id))


@bp.get("/links/<int:link_id>/qr.<picture>")
@requires(Permission.CALENDAR_READ)
def qr(link_id: int, picture: str) -> ResponseReturnValue:
    """The lasting address as a QR code: it goes on working whatever becomes of the link's name."""
    if picture not in TYPES:
        raise NotFound("picture")
    found, pixels = links.get(link_id), _pixels()
    code = segno.make_qr(links.lasting_url(found), error="m")
    out = io.BytesIO()
    if picture == "svg":
        code.save(out, kind="svg", border=QUIET, light="#fff", scale=8, xmldecl=False)
    else:
        modules = code.symbol_size(border=QUIET)[0]
        code.save(out, kind="png", border=QUIET, light="#fff", scale=-(-pixels // modules))
    return _picture(out.getvalue(), TYPES[picture], f"link-{found.alias or found.code}.{picture}")


def rows(publication: Publication) -> list[dict[str, Any]]:
    """The publication's links as its pages list them, its own page first."""
    return [
        {"link": one, "url": links.url_of(one), "has_ended": links.has_ended(one)}
        for one in sorted(publication.links, key=lambda one: (bool(one.target), one.id))
    ]


def _pixels() -> int:
    asked = request.args.get("size", str(PIXELS[1]))
    if asked not in {str(size) for size in PIXELS}:
        allowed = ", ".join(str(size) for size in PIXELS)
        raise invalid("size", "bad_filter", N_("Choose one of: %(allowed)s."), allowed=allowed)
    return int(asked)


def _picture(content: bytes, mime: str, name: str) -> Response:
    answer = make_response(content)
    answer.mimetype = mime
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


def _end(found: TrackedLink, form: LinkForm) -> None:
    day, at = (form.ends_on.data or "").strip(), (form.ends_at.data or "").strip()
    fold = int(form.fold.data) if form.fold.data in ("0", "1") else None
    if _as_shown(found) == (day, at) and fold is None:
        return  # a time shown twice was settled before: nobody is asked again
    link_names.end(
        found,
        wall_time.parse_date(day, "ends_on") if day else None,
        wall_time.parse_time(at, "ends_at") if at else None,
        fold=fold,
        by=actor(),
    )


def _as_shown(found: TrackedLink) -> tuple[str, str]:
    if found.expires_at is None:
        return "", ""
    moment = wall_time.shown(found.expires_at, found.publication.post.zone)
    return moment.on.isoformat(), f"{moment.at:%H:%M}"


def _page(found: TrackedLink, form: LinkForm | None = None) -> str:
    if form is None:
        day, at = _as_shown(found)
        form = LinkForm(formdata=None, alias=found.alias or "", ends_on=day, ends_at=at)
    post = found.publication.post
    return render_template(
        "calendar/link.html",
        link=found,
        post=post,
        form=form,
        url=links.url_of(found),
        lasting=links.lasting_url(found),
        address=utm.address_of(found) if found.target else links.reader_page_url(found.publication),
        has_ended=links.has_ended(found),
        checks=CHECKS,
        sizes=PIXELS,
        zone=post.zone,
        prefix=f"{settings().link_base_url}/l/",
    )
