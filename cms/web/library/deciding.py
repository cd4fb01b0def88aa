"""Deciding about an asset: its status, its tags, an old version's return, its end."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Conflict, NotFound, invalid
from cms.core.i18n import N_
from cms.web.forms import say, takes
from cms.web.frame import name_of
from cms.web.guard import actor, requires
from cms.web.library.blueprint import STATUS_NAMES, bp
from cms.web.library.reading import asset_context
from content_library import assets, tags, vocabulary
from content_library.assets import AssetInUse
from content_library.models import Asset, AssetStatus


@bp.post("/library/<int:asset_id>/status")
@requires(Permission.ASSET_WRITE)
@takes("status")
def set_status(asset_id: int) -> ResponseReturnValue:
    asset = assets.get(asset_id)
    status = _status(request.form.get("status", ""))
    try:
        with transaction():
            assets.set_status(asset, status, by=actor())
    except AssetInUse as error:
        return _refused(asset, error)
    flash(_("The asset is now: %(status)s.", status=STATUS_NAMES[status]), "success")
    return redirect(url_for("library.show", asset_id=asset_id))


@bp.post("/library/<int:asset_id>/delete")
@requires(Permission.ASSET_WRITE)
@takes()
def delete(asset_id: int) -> ResponseReturnValue:
    asset = assets.get(asset_id)
    try:
        with transaction():
            assets.delete(asset, by=actor())
    except AssetInUse as error:
        return _refused(asset, error)
    flash(_("The asset is deleted."), "success")
    return redirect(url_for("library.index"))


@bp.post("/library/<int:asset_id>/versions/<int:number>/restore")
@requires(Permission.ASSET_WRITE)
@takes("expected_number")
def restore(asset_id: int, number: int) -> ResponseReturnValue:
    asset = assets.get(asset_id)
    expected = request.form.get("expected_number", type=int, default=0)
    try:
        with transaction():
            made = assets.restore(asset, number, expected_number=expected, by=actor()).number
    except Conflict as error:
        flash(say(error.problem), "error")
        return redirect(url_for("library.show_version", asset_id=asset_id, number=number))
    flash(_("Version %(old)s is back as version %(new)s.", old=number, new=made), "success")
    return redirect(url_for("library.show", asset_id=asset_id))


@bp.post("/library/<int:asset_id>/tags")
@requires(Permission.TAG_WRITE)
@takes("tag")
def add_tag(asset_id: int) -> ResponseReturnValue:
    """Put a tag on, chosen from the list or typed in either language."""
    asset = assets.get(asset_id)
    typed = request.form.get("tag", "")
    with transaction():
        tag = vocabulary.match(typed)
        if tag is None:
            raise invalid("tag", "unknown_tag", N_("There is no tag %(name)s."), name=typed[:80])
        change = tags.apply(asset, tag, by=actor())
    if change:
        flash(_("Tagged: %(name)s", name=name_of(tag)), "success")
    return _to_tags(asset_id)


@bp.post("/library/<int:asset_id>/tags/<int:tag_id>/remove")
@requires(Permission.TAG_WRITE)
@takes()
def remove_tag(asset_id: int, tag_id: int) -> ResponseReturnValue:
    asset, tag = assets.get(asset_id), vocabulary.get(tag_id)
    with transaction():
        tags.withdraw(asset, tag, by=actor())
    flash(_("No longer tagged: %(name)s", name=name_of(tag)), "success")
    return _to_tags(asset_id)


@bp.post("/library/<int:asset_id>/changes/<int:change_id>/undo")
@requires(Permission.TAG_WRITE)
@takes()
def undo_change(asset_id: int, change_id: int) -> ResponseReturnValue:
    change = tags.change(change_id)
    if change.asset_id != asset_id:
        raise NotFound("tag change")
    try:
        with transaction():
            tags.undo(change, by=actor())
    except Conflict as error:
        flash(say(error.problem), "error")
    else:
        flash(_("The change is undone."), "success")
    return _to_tags(asset_id)


def _status(text: str) -> AssetStatus:
    try:
        return AssetStatus(text)
    except ValueError:
        raise invalid("status", "bad_status", N_("Choose draft, ready or retired.")) from None


def _refused(asset: Asset, error: AssetInUse) -> ResponseReturnValue:
    """The asset's page with the list of what stands in the way."""
    context = asset_context(asset)
    in_the_way = {"text": say(error.problem), "uses": error.uses}
    return render_template("library/asset.html", refused=in_the_way, **context), 409


def _to_tags(asset_id: int) -> ResponseReturnValue:
    return redirect(url_for("library.show", asset_id=asset_id, _anchor="tags"))
