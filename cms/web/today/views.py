"""The day sheet: what goes out today, read one card at a time, approved or sent back."""

import difflib
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _

from cms.accounts.permissions import Permission
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid, NotFound, SeedbedError, invalid
from cms.core.i18n import N_
from cms.core.paging import page_number, paginate
from cms.web import previews
from cms.web.forms import say, takes
from cms.web.frame import local, settings
from cms.web.guard import actor, can, requires
from cms.web.today.forms import REASONS, ApproveForm, RejectForm
from schedules import approvals, content, day_sheet, preflight
from schedules.asking_once import asking_once
from schedules.day_sheet import View
from schedules.models import Post
from schedules.states import ReviewState

bp = Blueprint("today", __name__, url_prefix="/today")

PER_PAGE = 60
VIEW_NAMES = {
    View.ALL: N_("All"),
    View.TO_APPROVE: N_("To approve"),
    View.QUEUED: N_("Waiting for their minute"),
    View.OUT: N_("Out"),
    View.TROUBLE: N_("Trouble"),
}


@bp.app_template_filter("day_name")
def day_name(day: date) -> str:
    """The day in words, as the page's language writes it."""
    return format_date(day, "full")


@bp.app_template_filter("to_second")
def to_second(instant: datetime) -> str:
    """The instant to the second, in the workspace's zone: for logs that people read."""
    return f"{local(instant):%Y-%m-%d %H:%M:%S}"


@bp.get("/")
@requires(Permission.CALENDAR_READ)
def index() -> ResponseReturnValue:
    return _sheet(_day(request.args.get("day")), _view(request.args.get("view")))


@bp.post("/posts/<int:post_id>/approve")
@requires(Permission.POST_APPROVE)
def approve(post_id: int) -> ResponseReturnValue:
    post, form = _post(post_id), ApproveForm()
    if not form.validate_on_submit():
        return _again(post, form, invalid("", "form", N_("Press the button again.")))
    try:
        with transaction():
            approvals.approve(post, revision=form.revision.data or 0, by=actor())
    except (Conflict, Invalid) as error:
        return _again(post, form, error)
    flash(
        _("Approved. It goes out at %(time)s.", time=f"{local(post.publish_at):%H:%M}"), "success"
    )
    return _onwards(post, form)


@bp.post("/posts/<int:post_id>/reject")
@requires(Permission.POST_APPROVE)
def reject(post_id: int) -> ResponseReturnValue:
    post, form = _post(post_id), RejectForm()
    if not form.validate_on_submit():
        return _again(post, form, invalid("", "form", N_("Press the button again.")))
    try:
        with transaction():
            approvals.reject(
                post, revision=form.revision.data or 0, reason=_reason(form), by=actor()
            )
    except (Conflict, Invalid) as error:
        return _again(post, form, error)
    flash(_("Sent back to its author."), "success")
    return _onwards(post, form)


@bp.post("/posts/<int:post_id>/withdraw-approval")
@requires(Permission.POST_APPROVE)
@takes()
def withdraw_approval(post_id: int) -> ResponseReturnValue:
    post = _post(post_id)
    with transaction():
        approvals.withdraw_approval(post, by=actor())
    flash(_("The approval is taken back; the post is a draft again."), "success")
    return redirect(url_for("today.index", day=_day_of(post), _anchor=f"post-{post.id}"))


def _reason(form: RejectForm) -> str:
    """A chip alone is enough, except the one that says nothing; words may come beside it."""
    chosen, note = form.reason.data or "", (form.note.data or "").strip()
    label = str(REASONS[chosen]) if chosen in REASONS and chosen != "other" else ""
    return " – ".join(part for part in (label, note) if part)


def _onwards(post: Post, form: ApproveForm) -> ResponseReturnValue:
    """Back to the sheet, at the next post that waits to be read."""
    day = _day_of(post)
    following = day_sheet.next_to_approve(post, day, settings().zone)
    anchor = f"post-{following or post.id}"
    return redirect(url_for("today.index", day=day, view=_kept_view(form), _anchor=anchor))


def _again(post: Post, form: ApproveForm, error: SeedbedError) -> ResponseReturnValue:
    """The same sheet, the fault at the post it concerns, everything typed kept."""
    session.rollback()
    trouble = {"post_id": post.id, "message": say(error.problem), "form": form, "difference": []}
    if error.problem.code == "revision_changed":
        trouble["difference"] = _difference(form.seen.data or "", post.text)
    status = 422 if isinstance(error, Invalid) else 409
    return _sheet(_day_of(post), _view(_kept_view(form)), trouble), status


def _difference(seen: str, current: str) -> list[tuple[str, str]]:
    """Lines taken away and lines put in since the post was read."""
    marks = {"- ": "del", "+ ": "ins", "  ": "same"}
    lines = difflib.ndiff(seen.replace("\r\n", "\n").splitlines(), current.splitlines())
    return [(marks[line[:2]], line[2:]) for line in lines if line[:2] in marks]


def _sheet(day: date, view: View, trouble: dict[str, Any] | None = None) -> str:
    zone = settings().zone
    page = paginate(
        day_sheet.of_day(day, zone, view),
        number=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    counts = day_sheet.counts(day, zone)
    return render_template(
        "today/index.html",
        day=day,
        today=local(now()).date(),
        step=timedelta(days=1),
        view=view,
        page=page,
        cards=_cards(page.rows),
        counts=counts,
        names=VIEW_NAMES,
        reasons=list(REASONS.items()),
        trouble=trouble or {},
    )


def _cards(posts: list[Post]) -> list[dict[str, Any]]:
    outgoing = content.outgoing_of_many(posts)
    own = approvals.own_among(posts, actor()) if can(Permission.POST_APPROVE) else set()
    # Only where somebody still decides: what is out is out.
    undecided = [post for post in posts if post.review is ReviewState.SUBMITTED]
    with asking_once():
        concerns = preflight.concerns_of_many(undecided, outgoing)
        drawn = {post.id: previews.of_post(post, outgoing[post.id]) for post in posts}
    return [
        {
            "post": post,
            "preview": drawn[post.id],
            "page": previews.page_of(post.version),
            "is_own": post.id in own,
            "problems": [say(one.problem) for one in concerns.get(post.id, ())],
            "decision": post.approvals[0] if post.approvals else None,
        }
        for post in posts
    ]


def _post(post_id: int) -> Post:
    found = session.get(Post, post_id)
    if found is None:
        raise NotFound("post")
    return found


def _day_of(post: Post) -> date:
    return local(post.publish_at).date()


def _day(text: str | None) -> date:
    if not text:
        return local(now()).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 2000 <= day.year <= 2100:
        raise invalid("day", "bad_time", N_("Choose a day like 2026-05-06."))
    return day


def _view(text: str | None) -> View:
    if not text:
        return View.ALL
    if text not in set(View):
        allowed = ", ".join(View)
        raise invalid("view", "bad_filter", N_("Choose one of: %(allowed)s."), allowed=allowed)
    return View(text)


def _kept_view(form: ApproveForm) -> str:
    return form.view.data if form.view.data in set(View) else View.ALL.value
