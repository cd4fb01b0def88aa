"""One publication in full: where it stands, its log, and what a person may do about it."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid, Problem
from cms.web.forms import Form, say, show_faults
from cms.web.guard import actor, requires
from cms.web.login import safe_next
from cms.web.today import people, timeline
from cms.web.today.forms import (
    AmendForm,
    AnotherTimeForm,
    EmployeeForm,
    ResolveForm,
    WithdrawForm,
)
from cms.web.today.inbox import read_seen, written
from cms.web.today.views import bp
from content_library import media
from schedules import (
    advice,
    by_hand,
    decisions,
    inbox,
    links,
    publications,
    reminders,
    wall_time,
    wishes,
)
from schedules.channels import CHANNELS
from schedules.decisions import Seen
from schedules.models import Publication
from schedules.states import Act


@bp.get("/publications/<int:publication_id>")
@requires(Permission.CALENDAR_READ)
def publication(publication_id: int) -> ResponseReturnValue:
    return show(publications.get(publication_id))


@bp.post("/publications/<int:publication_id>/publish-now")
@requires(Permission.PUBLICATION_RESOLVE)
def publish_now(publication_id: int) -> ResponseReturnValue:
    return _decided(
        publication_id,
        ResolveForm(),
        lambda one: decisions.publish_now(one, by=actor()),
        _("It goes out within seconds."),
    )


@bp.post("/publications/<int:publication_id>/drop")
@requires(Permission.PUBLICATION_RESOLVE)
def drop(publication_id: int) -> ResponseReturnValue:
    return _decided(
        publication_id,
        ResolveForm(),
        lambda one: decisions.drop(one, by=actor()),
        _("It is dropped."),
    )


@bp.post("/publications/<int:publication_id>/live")
@requires(Permission.PUBLICATION_RESOLVE)
def is_live(publication_id: int) -> ResponseReturnValue:
    form = ResolveForm()
    return _decided(
        publication_id,
        form,
        lambda one: decisions.say_live(one, url=form.url.data or "", by=actor()),
        _("It counts as published."),
    )


@bp.post("/publications/<int:publication_id>/send-again")
@requires(Permission.PUBLICATION_RESOLVE)
def send_again(publication_id: int) -> ResponseReturnValue:
    def again(one: Publication) -> None:
        decisions.resolve_uncertain(one, "again", by=actor())

    return _decided(publication_id, ResolveForm(), again, _("It goes out again within seconds."))


@bp.post("/publications/<int:publication_id>/absent")
@requires(Permission.PUBLICATION_RESOLVE)
def absent(publication_id: int) -> ResponseReturnValue:
    return _decided(
        publication_id,
        ResolveForm(),
        lambda one: decisions.say_absent(one, by=actor()),
        _("Noted: it is not there. It may be tried again."),
    )


@bp.post("/publications/<int:publication_id>/confirm-by-hand")
@requires(Permission.PUBLICATION_RESOLVE)
def confirm_for(publication_id: int) -> ResponseReturnValue:
    """An employee, or without one the whole pool, has it: said by somebody else, with proof."""
    form, upload = EmployeeForm(), request.files.get("file")

    def confirm(one: Publication) -> None:
        kept = media.keep(proof, by=actor()) if proof else None
        by_hand.confirm_by_hand(
            one, form.employee.data or "", by=actor(), note=form.note.data or "", proof=kept
        )

    try:
        # Decoding a picture takes a moment: it is done before the write lock is taken.
        proof = media.prepare(upload.read(), upload.filename or "") if upload else None
    except Invalid as error:
        show_faults(form, error)
        return show(publications.get(publication_id), form), 422
    return _decided(publication_id, form, confirm, _("Thank you. It is noted with its proof."))


@bp.post("/publications/<int:publication_id>/amend")
@requires(Permission.POST_APPROVE)
def amend(publication_id: int) -> ResponseReturnValue:
    form = AmendForm()
    return _decided(
        publication_id,
        form,
        lambda one: wishes.ask_amendment(one, text=form.text.data or "", by=actor()),
        _("The new words go to the carrier within seconds."),
    )


@bp.post("/publications/<int:publication_id>/withdraw")
@requires(Permission.PUBLICATION_RESOLVE)
def withdraw(publication_id: int) -> ResponseReturnValue:
    form = WithdrawForm()
    return _decided(
        publication_id,
        form,
        lambda one: wishes.ask_withdrawal(one, reason=form.reason.data or "", by=actor()),
        _("It is taken back within seconds, as far as the carrier can."),
    )


@bp.post("/publications/<int:publication_id>/remind")
@requires(Permission.PUBLICATION_RESOLVE)
def remind(publication_id: int) -> ResponseReturnValue:
    return _decided(
        publication_id,
        WithdrawForm(),
        lambda one: reminders.ask(one, by=actor()),
        _("The carrier reminds them within seconds."),
    )


@bp.post("/publications/<int:publication_id>/let-be")
@requires(Permission.PUBLICATION_RESOLVE)
def let_be(publication_id: int) -> ResponseReturnValue:
    """What the carrier would not do is not wished any more."""
    return _decided(
        publication_id,
        WithdrawForm(),
        lambda one: wishes.let_be(one, by=actor()),
        _("Noted. It stays as readers see it."),
    )


@bp.post("/publications/<int:publication_id>/move")
@requires(Permission.PUBLICATION_RESOLVE)
def move(publication_id: int) -> ResponseReturnValue:
    form = AnotherTimeForm()

    def elsewhere(one: Publication) -> Problem | None:
        on = wall_time.parse_date(form.day.data or "", "day")
        at = wall_time.parse_time(form.time.data, "time") if form.time.data else None
        return decisions.move(one, on=on, at=at, by=actor())

    return _decided(publication_id, form, elsewhere, _("Moved. Somebody has to approve it anew."))


def _decided(
    publication_id: int,
    form: Form,
    decide: Callable[[Publication], Problem | None],
    words: str,
) -> ResponseReturnValue:
    """Do it and go back; a fault is shown on the publication's own page, what was typed kept."""
    one = publications.get(publication_id)
    if not form.validate_on_submit():
        return show(one, form), 422
    try:
        with transaction():
            read_seen(request.form.get("seen", ""), one)
            note = decide(one)
    except Invalid as error:
        show_faults(form, error)
        return show(one, form), 422
    except Conflict as error:
        if error.problem.code == "already_done":  # a button pressed twice is no fault
            flash(say(error.problem), "info")
            return _back(publication_id)
        return show(one, form, trouble=say(error.problem)), 409
    flash(words, "success")
    if note:
        flash(_("It is a draft there: %(why)s", why=say(note)), "warning")
    return _back(publication_id)


def _back(publication_id: int) -> ResponseReturnValue:
    """To the page the button stood on."""
    here = url_for("today.publication", publication_id=publication_id)
    given = request.form.get("next", "")
    return redirect(safe_next(given) if given else here)


def show(one: Publication, form: Form | None = None, *, trouble: str = "") -> str:
    """The publication's page, with whatever was typed into one of its forms."""
    session.expire(one)
    found = inbox.trouble_of(one)
    typed = {type(form): form} if form else {}
    return render_template(
        "today/publication.html",
        publication=one,
        post=one.post,
        channel=CHANNELS.get(one.account.channel),
        log=timeline.of(one),
        people=people.of(one),
        task_names=people.TASK_NAMES,
        delivery_names=people.DELIVERY_NAMES,
        links=[(link, links.url_of(link)) for link in one.links],
        page_url=links.reader_page_url(one),
        pack=one.hand_overs[0] if one.hand_overs else None,
        advice=advice.of(found, one) if found else None,
        may=_may(one, found),
        seen=written(Seen.of(one)),
        form=typed.get(ResolveForm) or ResolveForm(formdata=None),
        moving=typed.get(AnotherTimeForm) or _standing(one),
        may_confirm=people.may_confirm(one),
        confirming=typed.get(EmployeeForm) or EmployeeForm(formdata=None),
        amending=typed.get(AmendForm)
        or AmendForm(formdata=None, text=one.wish_text or one.post.text),
        withdrawing=typed.get(WithdrawForm) or WithdrawForm(formdata=None),
        cannot=_cannot(one),
        trouble=trouble,
    )


def _cannot(one: Publication) -> dict[str, str]:
    """Why what is live cannot be changed, taken back or reminded of, in words; nothing where it can."""
    found = {act.value: wishes.problem(one, act) for act in (Act.AMEND, Act.WITHDRAW)}
    found[Act.REMIND.value] = reminders.problem(one)
    return {act: say(problem) for act, problem in found.items() if problem}


def _standing(one: Publication) -> AnotherTimeForm:
    return AnotherTimeForm(formdata=None, time=f"{one.post.wall_time:%H:%M}")


def _may(one: Publication, found: inbox.Trouble | None) -> dict[str, bool]:
    """Which buttons would be heard, as far as the state goes."""
    given_up = wishes.is_given_up(one)
    return {
        "publish": decisions.can_publish_now(one),
        "move": decisions.can_move(one),
        "live": decisions.can_be_live(one),
        "absent": decisions.can_be_absent(one),
        "drop": decisions.can_drop(one),
        "ask_again": given_up,
        "let_be": given_up or found is inbox.Trouble.WISH,
    }
