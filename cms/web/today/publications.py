"""One publication in full, everything that waits for a person, and what a person may do about it."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func, select

from cms.accounts import audit
from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid, invalid
from cms.core.i18n import N_
from cms.core.paging import page_number, paginate
from cms.web.forms import say, show_faults
from cms.web.guard import actor, requires
from cms.web.today.forms import ResolveForm
from cms.web.today.views import bp
from schedules import decisions, links, publications
from schedules.channels import CHANNELS
from schedules.models import Publication
from schedules.states import PUBLICATION_MOVES, WAITING_FOR_A_PERSON, PublicationState

MOVES_SHOWN = 100


@bp.get("/waiting")
@requires(Permission.CALENDAR_READ)
def waiting() -> ResponseReturnValue:
    state = _state(request.args.get("state"))
    page = paginate(
        publications.waiting_for_person(state=state),
        number=page_number(request.args.get("page")),
    )
    return render_template("today/waiting.html", page=page, state=state, counts=_counts())


@bp.get("/publications/<int:publication_id>")
@requires(Permission.CALENDAR_READ)
def publication(publication_id: int) -> ResponseReturnValue:
    return _page(publications.get(publication_id), ResolveForm())


@bp.post("/publications/<int:publication_id>/publish-now")
@requires(Permission.PUBLICATION_RESOLVE)
def publish_now(publication_id: int) -> ResponseReturnValue:
    return _decided(
        publication_id,
        lambda one, _form: decisions.publish_now(one, by=actor()),
        _("It goes out within seconds."),
    )


@bp.post("/publications/<int:publication_id>/drop")
@requires(Permission.PUBLICATION_RESOLVE)
def drop(publication_id: int) -> ResponseReturnValue:
    return _decided(
        publication_id, lambda one, _form: decisions.drop(one, by=actor()), _("It is dropped.")
    )


@bp.post("/publications/<int:publication_id>/live")
@requires(Permission.PUBLICATION_RESOLVE)
def is_live(publication_id: int) -> ResponseReturnValue:
    return _resolved(publication_id, "live", _("It counts as published."))


@bp.post("/publications/<int:publication_id>/send-again")
@requires(Permission.PUBLICATION_RESOLVE)
def send_again(publication_id: int) -> ResponseReturnValue:
    return _resolved(publication_id, "again", _("It goes out again within seconds."))


def _resolved(publication_id: int, answer: str, words: str) -> ResponseReturnValue:
    def resolve(one: Publication, form: ResolveForm) -> None:
        decisions.resolve_uncertain(one, answer, url=form.url.data or "", by=actor())

    return _decided(publication_id, resolve, words)


def _decided(
    publication_id: int, decide: Callable[[Publication, ResolveForm], object], words: str
) -> ResponseReturnValue:
    """Do it and go back to the page; a fault is shown on the page itself, what was typed kept."""
    one, form = publications.get(publication_id), ResolveForm()
    if not form.validate_on_submit():
        return _page(one, form), 422
    try:
        with transaction():
            decide(one, form)
    except Invalid as error:
        show_faults(form, error)
        return _page(one, form), 422
    except Conflict as error:
        return _page(one, form, say(error.problem)), 409
    flash(words, "success")
    return redirect(url_for("today.publication", publication_id=publication_id))


def _page(one: Publication, form: ResolveForm, trouble: str = "") -> str:
    session.expire(one)
    moves = audit.entries(object_type=Publication.__tablename__, object_id=one.id)
    return render_template(
        "today/publication.html",
        publication=one,
        post=one.post,
        channel=CHANNELS.get(one.account.channel),
        moves=session.scalars(moves.limit(MOVES_SHOWN)).all(),
        links=[(link, links.url_of(link)) for link in one.links],
        page_url=links.reader_page_url(one),
        pack=one.hand_overs[0] if one.hand_overs else None,
        can_publish=decisions.can_publish_now(one),
        can_drop=PublicationState.CANCELLED in PUBLICATION_MOVES[one.state],
        form=form,
        trouble=trouble,
    )


def _state(text: str | None) -> PublicationState | None:
    if not text:
        return None
    if text not in {state.value for state in WAITING_FOR_A_PERSON}:
        allowed = ", ".join(sorted(WAITING_FOR_A_PERSON))
        raise invalid("state", "bad_filter", N_("Choose one of: %(allowed)s."), allowed=allowed)
    return PublicationState(text)


def _counts() -> dict[Any, int]:
    rows = session.execute(
        select(Publication.state, func.count())
        .where(Publication.state.in_(WAITING_FOR_A_PERSON))
        .group_by(Publication.state)
    )
    return {state: number for state, number in rows}
