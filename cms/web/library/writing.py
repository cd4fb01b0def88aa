"""Writing assets: new ones, new versions, pictures on the way, and a preview of the text."""

from dataclasses import dataclass, replace
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid, NotFound, Problem, invalid
from cms.core.i18n import N_
from cms.core.limits import most
from cms.core.markdown import render
from cms.web.forms import say, show_faults, takes
from cms.web.guard import actor, requires
from cms.web.library.blueprint import bp
from cms.web.library.forms import FORMS, AssetForm
from content_library import assets, media, tags, versions, vocabulary
from content_library.kinds import KINDS, AssetFields, MediaUse
from content_library.models import Asset, AssetVersion, Media

ROLES = {"article": "cover", "video": "cover", "poster": "poster"}


@dataclass(frozen=True)
class Desk:
    """What is on the writer's desk: the asset, if there is one, and the version it started from."""

    kind: str
    asset: Asset | None = None
    version: AssetVersion | None = None
    theirs: AssetVersion | None = None  # what somebody else saved meanwhile
    preview: str | None = None


@bp.route("/library/new/<kind>", methods=["GET", "POST"])
@requires(Permission.ASSET_WRITE)
def new(kind: str) -> ResponseReturnValue:
    form = FORMS[KINDS.get(kind).slug]()
    desk = Desk(kind)
    if not form.is_submitted():
        form.lang.data = "zh"
        return _show(form, desk)
    if aside := _step_aside(form, desk):
        return aside
    try:
        picture = _take_picture(form)
        with transaction():
            asset = assets.create(kind, _fields(form, desk, picture), by=actor())
            for tag in _tags(form):
                tags.apply(asset, tag, by=actor())
            number = asset.id
    except Invalid as error:
        show_faults(form, error)
        return _show(form, desk, 422)
    flash(_("The asset is saved as a draft."), "success")
    return redirect(url_for("library.show", asset_id=number))


@bp.route("/library/<int:asset_id>/edit", methods=["GET", "POST"])
@requires(Permission.ASSET_WRITE)
def edit(asset_id: int) -> ResponseReturnValue:
    asset = assets.get(asset_id)
    desk = Desk(asset.kind, asset, assets.current(asset))
    if request.method == "GET":
        return _show(_filled(desk), desk)
    form = FORMS[asset.kind]()
    if aside := _step_aside(form, desk):
        return aside
    try:
        picture = _take_picture(form)
        with transaction():
            version = assets.revise(
                asset,
                _fields(form, desk, picture),
                expected_number=form.expected_number.data or 0,
                by=actor(),
            )
            number = version.number
    except Invalid as error:
        show_faults(form, error)
        return _show(form, desk, 422)
    except Conflict as error:
        return _show_conflict(form, desk, error)
    flash(_("Version %(number)s is saved.", number=number), "success")
    return redirect(url_for("library.show", asset_id=asset_id))


@bp.post("/library/preview")
@requires(Permission.ASSET_WRITE)
@takes("body")
def preview() -> ResponseReturnValue:
    """The text as readers would see it; a fragment of HTML for the editor's script."""
    rendered, removed = _preview(request.form.get("body", ""), {})
    return render_template("library/_preview.html", html=rendered, removed=removed)


@bp.post("/library/pictures")
@requires(Permission.ASSET_WRITE)
@takes("file")
def upload_picture() -> ResponseReturnValue:
    """Take in a picture for a text; tells the address to write."""
    upload = request.files.get("file")
    if upload is None:
        raise invalid("file", "file_missing", N_("Choose a picture to upload."))
    taken = _keep(upload)
    address = media.address(taken.sha256)
    return jsonify(address=address, thumb=media.address(taken.sha256, "thumb"), sha=taken.sha256)


def _show(form: AssetForm, desk: Desk, status: int = 200) -> ResponseReturnValue:
    context: dict[str, Any] = {
        "form": form,
        "desk": desk,
        "kind": KINDS.get(desk.kind),
        "groups": vocabulary.groups(),
        "picture": _known_picture(form),
        "limits": {"title": most("title_characters"), "body": most("article_bytes")},
        "lines": _difference(form, desk),
    }
    return render_template("library/edit.html", **context), status


def _show_conflict(form: AssetForm, desk: Desk, error: Conflict) -> ResponseReturnValue:
    """Both texts on one page; sending again saves this one over the other, knowingly."""
    form.form_errors.append(say(error.problem))
    if desk.asset is None:
        return _show(form, desk, 409)
    session.refresh(desk.asset)
    theirs = assets.current(desk.asset)
    form.expected_number.data = theirs.number
    form.expected_number.raw_data = None
    return _show(form, replace(desk, theirs=theirs), 409)


def _difference(form: AssetForm, desk: Desk) -> list[versions.Line]:
    if desk.theirs is None:
        return []
    mine = [form.title.data, form.summary.data, getattr(form, "body", form.summary).data]
    theirs = [desk.theirs.title, desk.theirs.summary, desk.theirs.body or desk.theirs.summary]
    return versions.compare("\n".join(theirs), "\n".join(text or "" for text in mine))


def _filled(desk: Desk) -> AssetForm:
    assert desk.asset is not None
    assert desk.version is not None
    fields = assets.fields_of(desk.asset, desk.version)
    form = FORMS[desk.kind](obj=fields)
    form.note.data = ""
    form.expected_number.data = desk.version.number
    use = fields.poster or fields.cover
    if use:
        form.picture.data, form["alt"].data = use.media.sha256, use.alt
    return form


def _step_aside(form: AssetForm, desk: Desk) -> ResponseReturnValue | None:
    """Buttons beside "save" that work without a script: preview, and a picture into the text."""
    do = request.form.get("do", "save")
    if do == "preview" and "body" in form:
        html, _removed = _preview(form["body"].data or "", _images(desk))
        return _show(form, replace(desk, preview=html))
    if do != "picture" or "inline" not in form:
        return None
    upload = form["inline"].data
    try:
        if not isinstance(upload, FileStorage) or not upload.filename:
            raise invalid("inline", "file_missing", N_("Choose a picture to upload."))
        taken = _keep(upload, field="inline")
    except Invalid as error:
        show_faults(form, error)
        return _show(form, desk, 422)
    words = (form["inline_alt"].data or "").replace("[", "(").replace("]", ")")
    form["body"].data = f"{form['body'].data or ''}\n\n![{words}]({media.address(taken.sha256)})\n"
    return _show(form, desk)


def _preview(source: str, images: dict[str, str]) -> tuple[str, list[str]]:
    composed = render(source, resolve_image=lambda address: _resolve(address, images))
    return composed.html, [say(problem) for problem in composed.removed]


def _resolve(address: str, images: dict[str, str]) -> str | None:
    if address.startswith("/media/"):
        return address
    sha = images.get(address)
    return media.address(sha) if sha else None


def _images(desk: Desk) -> dict[str, str]:
    return dict(desk.version.content.get("images", {})) if desk.version else {}


def _take_picture(form: AssetForm) -> Media | None:
    """The uploaded picture, kept at once, so that a fault elsewhere does not ask for it again."""
    upload = form["file"].data
    if isinstance(upload, FileStorage) and upload.filename:
        taken = _keep(upload)
        form.picture.data = taken.sha256
        return taken
    return _known_picture(form)


def _keep(upload: FileStorage, field: str = "file") -> Media:
    content = upload.stream.read(most("upload_bytes") + 1)
    prepared = media.prepare(content, upload.filename or "", field=field)
    with transaction():
        return media.keep(prepared, by=actor())


def _known_picture(form: AssetForm) -> Media | None:
    try:
        return media.by_sha(form.picture.data) if form.picture.data else None
    except NotFound:
        return None


def _fields(form: AssetForm, desk: Desk, picture: Media | None) -> AssetFields:
    values = {
        name: form[name].data or ""
        for name in (
            "title",
            "summary",
            "lang",
            "source",
            "rights",
            "note",
            "body",
            "url",
            "duration",
        )
        if name in form
    }
    role = ROLES[desk.kind]
    use = MediaUse(picture, role, form["alt"].data or "") if picture else None
    _check_dates(form)
    return AssetFields(
        **values,
        cover=use if role == "cover" else None,
        poster=use if role == "poster" else None,
        images=_images(desk),
        valid_from=form.valid_from.data,
        valid_until=form.valid_until.data,
    )


def _check_dates(form: AssetForm) -> None:
    """Dates are the only fields that the form itself must read; the operation judges the rest."""
    form.validate()
    bad = [name for name in ("valid_from", "valid_until") if form[name].errors]
    for name in bad:
        form[name].errors = []
    if bad:
        problem = Problem("bad_date", N_("Write the date as year-month-day, like 2026-11-30."))
        raise Invalid(dict.fromkeys(bad, problem))


def _tags(form: AssetForm) -> list[Any]:
    known = {tag.id: tag for group in vocabulary.groups() for tag in group.tags if tag.is_active}
    return [known[number] for number in dict.fromkeys(form.tags.data or []) if number in known]
