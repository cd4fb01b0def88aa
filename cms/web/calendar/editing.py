"""One post: its words, its place, its asset, its history, and how its pool will see it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts import audit
from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Conflict, Invalid
from cms.core.i18n import N_
from cms.core.paging import page_number, paginate
from cms.core.text import clean_text
from cms.web import previews
from cms.web.calendar import composing, link_pages, places
from cms.web.calendar.blueprint import bp
from cms.web.calendar.drawing import day_words
from cms.web.calendar.forms import MoveForm, WordsForm
from cms.web.calendar.planning import LONGEST_WORDS, found_assets
from cms.web.forms import say, show_faults, takes
from cms.web.guard import actor, can, requires
from cms.web.library.cards import tray_item
from cms.web.numbers import row_number
from content_library import assets, media
from schedules import approvals, content, foresight, posts, preflight, wall_time
from schedules.board import state_of
from schedules.channels import CHANNELS
from schedules.models import Post
from schedules.preflight import Level
from schedules.publications import GOING_OUT
from schedules.states import PublicationState, ReviewState

PER_PAGE = 12
ACTION_NAMES = {
    "post.created": N_("Planned"),
    "post.copied": N_("Copied from another week"),
    "post.edited": N_("Wording changed"),
    "post.moved": N_("Moved"),
    "post.asset_replaced": N_("Asset exchanged"),
    "post.link_named": N_("Name of the link changed"),
    "post.dropped": N_("Dropped"),
    "post.restored": N_("Restored"),
    "post.submitted": N_("Submitted"),
    "post.approved": N_("Approved"),
    "post.rejected": N_("Rejected"),
    "post.approval_withdrawn": N_("Approval taken back"),
}


@bp.get("/posts/<int:post_id>")
@requires(Permission.CALENDAR_READ)
def post(post_id: int) -> ResponseReturnValue:
    return _page(posts.get(post_id))


@bp.post("/posts/<int:post_id>")
@requires(Permission.POST_WRITE)
def edit_post(post_id: int) -> ResponseReturnValue:
    found, form = posts.get(post_id), WordsForm()
    if not form.validate_on_submit():
        return _page(found, words=form), 422
    if request.form.get("do") == "preview":
        return _page(found, words=form)
    try:
        with transaction():
            posts.edit(
                found,
                text=form.text.data or "",
                media_ids=_chosen_pictures(form),
                expected_revision=_revision(form),
                by=actor(),
            )
    except Invalid as error:
        show_faults(form, error)
        return _page(posts.get(post_id), words=form), 422
    except Conflict as error:
        return _overtaken(post_id, form, error), 409
    return _done(post_id, _("The wording is saved."))


@bp.post("/posts/<int:post_id>/move")
@requires(Permission.POST_WRITE)
def move_post(post_id: int) -> ResponseReturnValue:
    found, form = posts.get(post_id), MoveForm()
    if not form.validate_on_submit():
        return _page(found, place=form), 422
    try:
        with transaction():
            chosen = places.read(form)
            posts.move(
                found,
                wall_date=chosen.on,
                wall_time=chosen.at,
                fold=chosen.fold,
                pool=chosen.pool,
                account=chosen.account,
                expected_revision=_revision(form),
                by=actor(),
            )
    except Invalid as error:
        show_faults(form, error)
        return _page(posts.get(post_id), place=form), 422
    except Conflict as error:
        return _refused(post_id, error)
    where = f"{day_words(found.wall_date)} {found.wall_time:%H:%M}"
    return _done(post_id, _("Moved to %(when)s.", when=where))


@bp.get("/posts/<int:post_id>/swap")
@requires(Permission.POST_WRITE)
def swap(post_id: int) -> ResponseReturnValue:
    found = posts.get(post_id)
    words = request.args.get("q", "")[:LONGEST_WORDS].strip()
    answer = found_assets(words)
    return render_template(
        "calendar/swap.html",
        post=found,
        items=[(tray_item(one), one.asset.id) for one in answer.page.rows],
        page=answer.page,
        words=words,
        notice=say(answer.notice) if answer.notice else None,
    )


@bp.post("/posts/<int:post_id>/swap")
@requires(Permission.POST_WRITE)
@takes("asset", "keep")
def swap_asset(post_id: int) -> ResponseReturnValue:
    """Another asset in the post's place; `keep` is for the same asset in its newest version."""
    asset = assets.get(row_number(request.form.get("asset", "")) or 0)
    keeps = request.form.get("keep") == "1"
    return _act(
        post_id,
        lambda one: posts.replace_asset(one, asset, keeps_text=keeps, by=actor()),
        _("The asset is exchanged."),
    )


@bp.post("/posts/<int:post_id>/drop")
@requires(Permission.POST_WRITE)
@takes()
def drop_post(post_id: int) -> ResponseReturnValue:
    return _act(post_id, lambda one: posts.withdraw(one, by=actor()), _("The post is dropped."))


@bp.post("/posts/<int:post_id>/restore")
@requires(Permission.POST_WRITE)
@takes()
def restore_post(post_id: int) -> ResponseReturnValue:
    return _act(post_id, lambda one: posts.restore(one, by=actor()), _("The post is back."))


@bp.post("/posts/<int:post_id>/submit")
@requires(Permission.POST_WRITE)
@takes()
def submit_post(post_id: int) -> ResponseReturnValue:
    return _act(
        post_id, lambda one: posts.submit(one, by=actor()), _("The post waits for approval.")
    )


def _act(post_id: int, act: Any, words: str) -> ResponseReturnValue:
    """Do it and go back to the post; what stands in the way is told there."""
    found = posts.get(post_id)
    try:
        with transaction():
            act(found)
    except (Invalid, Conflict) as error:
        return _refused(post_id, error)
    return _done(post_id, words)


def _done(post_id: int, words: str) -> ResponseReturnValue:
    flash(words, "success")
    return redirect(url_for("calendar.post", post_id=post_id))


def _refused(post_id: int, error: Invalid | Conflict) -> ResponseReturnValue:
    flash(say(error.problem), "error")
    return _page(posts.get(post_id)), 409 if isinstance(error, Conflict) else 422


def _overtaken(post_id: int, form: WordsForm, error: Conflict) -> str:
    """Somebody else was quicker: both texts are shown, and saving again is a decision."""
    found = posts.get(post_id)
    form.form_errors = [*form.form_errors, say(error.problem)]
    is_newer = error.problem.code == "changed_meanwhile"
    form.revision.data = str(found.revision)
    return _page(found, words=form, theirs=found.text if is_newer else None)


def _revision(form: WordsForm | MoveForm) -> int:
    return row_number(form.revision.data or "") or 0


def _chosen_pictures(form: WordsForm) -> list[int]:
    return [number for one in form.pictures.data or [] if (number := row_number(one)) is not None]


def _page(
    found: Post,
    *,
    words: WordsForm | None = None,
    place: MoveForm | None = None,
    theirs: str | None = None,
) -> str:
    outgoing = content.outgoing(found)
    state = found.publication.state
    is_open = state not in GOING_OUT and state is not PublicationState.CANCELLED
    problems, warnings = _cautions(found, outgoing) if is_open else ([], [])
    pane = composing.pane(_draft(found, words), composing.chosen_account())
    trail = audit.entries(object_type="posts", object_id=found.id)
    monday = wall_time.monday_of(found.wall_date)
    return render_template(
        "calendar/post.html",
        post=found,
        state=state_of(found.review, state),
        is_open=is_open,
        may_write=can("post:write"),
        can_submit=is_open and found.review in (ReviewState.DRAFT, ReviewState.REJECTED),
        words=words or _words_form(found),
        pictures=_pictures(found),
        place=_place_form(found, place),
        theirs=theirs,
        pane=pane,
        links=link_pages.rows(found.publication),
        page_behind=previews.page_of(found.version),
        limit=CHANNELS.get(found.account.channel).limits,
        problems=[one for one in problems if one not in pane["problems"]],
        warnings=warnings,
        is_outdated=found.version.number < found.asset.latest_number,
        decision=approvals.latest(found) if found.approvals else None,
        trail=paginate(trail, number=page_number(request.args.get("page")), per_page=PER_PAGE),
        actions=ACTION_NAMES,
        when=f"{day_words(found.wall_date)} {found.wall_time:%H:%M}",
        board_url=url_for(
            "calendar.week", monday=monday.isoformat(), day=found.wall_date.weekday() + 1
        ),
    )


def _draft(found: Post, words: WordsForm | None) -> composing.Draft:
    """The post as it is saved, or with what somebody has typed instead."""
    draft = composing.of_post(found)
    if words is None:
        return draft
    text = clean_text(words.text.data or "").strip()
    return composing.typed(draft, text, _chosen_pictures(words))


def _cautions(found: Post, outgoing: content.Outgoing) -> tuple[list[str], list[str]]:
    """What stops the post, and what is only to be known."""
    concerns = preflight.concerns(found, outgoing)
    stopping = [say(one) for one in preflight.blocking(concerns)]
    known = [say(one.problem) for one in concerns if one.level is Level.WARNS]
    return stopping, known + [say(one.problem) for one in foresight.cautions_of(found)]


def _words_form(found: Post) -> WordsForm:
    form = WordsForm(formdata=None, text=found.text, revision=str(found.revision))
    form.pictures.data = [str(one) for one in found.media_ids]
    return form


def _place_form(found: Post, form: MoveForm | None) -> MoveForm:
    if form is None:
        form = MoveForm(formdata=None, revision=str(found.revision))
        places.stand_where(form, found)
    places.offer(form, found.calendar, found.wall_date)
    return form


def _pictures(found: Post) -> list[dict[str, Any]]:
    """Every picture of the version, those that go along first."""
    chosen = [int(one) for one in found.media_ids]
    words = {link.media_id: link.alt for link in found.version.media_links}
    known = media.by_ids([*chosen, *words])
    order = [*chosen, *(one for one in words if one not in chosen)]
    return [
        {
            "id": one,
            "src": media.address(known[one].sha256, "thumb"),
            "alt": words.get(one, ""),
            "is_chosen": one in chosen,
        }
        for one in order
        if one in known
    ]
