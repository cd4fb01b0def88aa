"""Packs to post by hand: the list, one pack, and what the holder says became of it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.models import Role
from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from cms.core.paging import page_number, paginate
from cms.web import previews
from cms.web.forms import show_faults
from cms.web.guard import actor, requires
from cms.web.today.forms import ConfirmForm, DeclineForm
from cms.web.today.views import bp
from content_library import media
from content_library.models import Media
from schedules import content, handover
from schedules.models import HandOver


@bp.get("/hand-overs")
@requires(Permission.HAND_OVER_CONFIRM)
def hand_overs() -> ResponseReturnValue:
    """One's own packs; operators see everybody's."""
    sees_all = actor().role in (Role.OPERATOR, Role.ADMINISTRATOR)
    is_mine = request.args.get("whose") == "mine" or not sees_all
    page = paginate(
        handover.waiting(holder=actor() if is_mine else None),
        number=page_number(request.args.get("page")),
    )
    return render_template("today/hand_overs.html", page=page, is_mine=is_mine, sees_all=sees_all)


@bp.get("/hand-overs/<int:hand_over_id>")
@requires(Permission.HAND_OVER_CONFIRM)
def hand_over(hand_over_id: int) -> ResponseReturnValue:
    return _pack(_visible(hand_over_id), ConfirmForm(), DeclineForm())


@bp.post("/hand-overs/<int:hand_over_id>/confirm")
@requires(Permission.HAND_OVER_CONFIRM)
def confirm(hand_over_id: int) -> ResponseReturnValue:
    pack, form = _visible(hand_over_id), ConfirmForm()
    if not form.validate_on_submit():
        return _pack(pack, form, DeclineForm(formdata=None)), 422
    upload = request.files.get("file")
    try:
        # Decoding a picture takes a moment: it is done before the write lock is taken.
        proof = media.prepare(upload.read(), upload.filename or "") if upload else None
        with transaction():
            kept = media.keep(proof, by=actor()) if proof else None
            handover.confirm(pack, by=actor(), note=form.note.data or "", proof=kept)
    except Invalid as error:
        show_faults(form, error)
        return _pack(pack, form, DeclineForm(formdata=None)), 422
    flash(_("Thank you. It counts as published."), "success")
    return redirect(url_for("today.hand_overs"))


@bp.post("/hand-overs/<int:hand_over_id>/decline")
@requires(Permission.HAND_OVER_CONFIRM)
def decline(hand_over_id: int) -> ResponseReturnValue:
    pack, form = _visible(hand_over_id), DeclineForm()
    if not form.validate_on_submit():
        return _pack(pack, ConfirmForm(formdata=None), form), 422
    try:
        with transaction():
            handover.decline(pack, by=actor(), reason=form.reason.data or "")
    except Invalid as error:
        show_faults(form, error)
        return _pack(pack, ConfirmForm(formdata=None), form), 422
    flash(_("Noted. An operator decides what happens now."), "success")
    return redirect(url_for("today.hand_overs"))


def _visible(hand_over_id: int) -> HandOver:
    """Somebody else's pack looks exactly like one that does not exist."""
    return handover.get_for(hand_over_id, actor())


def _pack(pack: HandOver, confirming: ConfirmForm, declining: DeclineForm) -> str:
    session.expire(pack)
    post = pack.publication.post
    outgoing = content.outgoing(post)
    proof = session.get(Media, pack.proof_media_id) if pack.proof_media_id else None
    return render_template(
        "today/hand_over.html",
        pack=pack,
        post=post,
        outgoing=outgoing,
        preview=previews.of_post(post, outgoing),
        pictures=[
            (media.address(one.sha256, "original"), media.address(one.sha256, "card"))
            for one in outgoing.pictures
        ],
        proof=media.address(proof.sha256, "card") if proof else None,
        confirming=confirming,
        declining=declining,
    )
