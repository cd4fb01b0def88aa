"""The emergency stop: what is stopped now, the one button that stops, and the one that lifts."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from wtforms.fields.choices import SelectChoice

from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Invalid, invalid
from cms.core.paging import page_number, paginate
from cms.web.admin.control_forms import StopForm
from cms.web.admin.views import bp
from cms.web.forms import show_faults, takes
from cms.web.guard import actor, requires
from cms.web.numbers import row_number
from schedules import accounts, stops
from schedules.channels import CHANNELS
from schedules.models import Stop
from schedules.states import StopScope
from schedules.stops import NO_CHOICE, StopFields

PER_PAGE = 20
EVERYTHING = StopScope.ALL.value


@bp.get("/stops")
@requires(Permission.HEALTH_READ)
def show_stops() -> ResponseReturnValue:
    return _page(StopForm(formdata=None, what=request.args.get("what", EVERYTHING)))


@bp.post("/stops")
@requires(Permission.SENDING_STOP)
def raise_stop() -> ResponseReturnValue:
    form = StopForm()
    if form.validate_on_submit():
        try:
            with transaction():
                made = stops.raise_stop(_fields(form), by=actor())
        except Invalid as error:
            show_faults(form, error)
        else:
            flash(_stopped(made), "warning")
            return redirect(url_for("admin.show_stops"))
    return _page(form), 422


@bp.post("/stops/<int:stop_id>/lift")
@requires(Permission.SENDING_STOP)
@takes()
def lift_stop(stop_id: int) -> ResponseReturnValue:
    with transaction():
        stops.lift(stops.get(stop_id), by=actor())
    words = _(
        "Lifted. What waited goes out as fast as its accounts allow; what is too late is missed."
    )
    flash(words, "success")
    return redirect(url_for("admin.show_stops"))


@bp.app_template_global()
def stops_in_force() -> list[dict[str, Any]]:
    """What the line above every page says; asked anew for every page, so that it is never late."""
    if not current_user.is_authenticated:
        return []
    return [
        {
            "id": stop.id,
            "what": _said(stop),
            "who": stop.by.name if stop.by else _("the system"),
            "at": stop.at,
            "reason": stop.reason,
        }
        for stop in stops.in_force()
    ]


def _said(stop: Stop) -> str:
    match stop.scope:
        case StopScope.ALL:
            return _("Sending is stopped.")
        case StopScope.CHANNEL:
            name = _(CHANNELS.get(stop.channel).name)
            return _("Sending through %(name)s is stopped.", name=name)
        case StopScope.ACCOUNT:
            name = stop.account.name if stop.account else "–"
            return _("Sending through the account %(name)s is stopped.", name=name)


def _stopped(made: Stop) -> str:
    """What the stop could not reach is said at once."""
    wire = stops.on_the_wire(made)
    if not wire:
        return _("Stopped. Nothing leaves any more.")
    return ngettext(
        "Stopped. %(num)s post was on its way already; nothing else leaves.",
        "Stopped. %(num)s posts were on their way already; nothing else leaves.",
        wire,
    )


def _fields(form: StopForm) -> StopFields:
    scope, _colon, name = (form.what.data or "").partition(":")
    if scope not in set(StopScope):
        raise invalid("what", "bad_choice", NO_CHOICE)
    return StopFields(
        scope=StopScope(scope),
        reason=form.reason.data or "",
        channel=name,
        account_id=row_number(name),
    )


def _page(form: StopForm) -> str:
    form.what.choices = _choices()
    raised = stops.in_force()
    return render_template(
        "admin/stops.html",
        form=form,
        raised=[(stop, stops.on_the_wire(stop)) for stop in raised],
        page=paginate(
            stops.lifted(), number=page_number(request.args.get("page")), per_page=PER_PAGE
        ),
        channels=CHANNELS,
    )


def _choices() -> list[SelectChoice]:
    """Everything, then the channels somebody uses, then each account."""
    rows = session.scalars(accounts.in_service()).all()
    used = {row.channel for row in rows}
    return [
        SelectChoice(EVERYTHING, _("Everything")),
        *(
            SelectChoice(f"channel:{one.slug}", _("Channel: %(name)s", name=_(one.name)))
            for one in CHANNELS
            if one.slug in used
        ),
        *(SelectChoice(f"account:{row.id}", _("Account: %(name)s", name=row.name)) for row in rows),
    ]
