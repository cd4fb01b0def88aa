"""Blackouts: the spans in which nothing goes out, and which approved posts each of them meets."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from cms.core.paging import page_number, paginate
from cms.web.admin.control_forms import BlackoutForm
from cms.web.admin.views import bp
from cms.web.forms import show_faults, takes
from cms.web.frame import settings
from cms.web.guard import actor, requires
from cms.web.numbers import row_number
from schedules import accounts, blackouts, calendars, wall_time
from schedules.blackouts import BlackoutFields, Edge

EVERYTHING = "all"
NOTHING = -1  # no row has this number: a choice nobody offered is refused


@bp.get("/blackouts")
@requires(Permission.CHANNEL_READ)
def list_blackouts() -> ResponseReturnValue:
    return _list(BlackoutForm(formdata=None))


@bp.post("/blackouts")
@requires(Permission.BLACKOUT_WRITE)
def add_blackout() -> ResponseReturnValue:
    form = BlackoutForm()
    if form.validate_on_submit():
        try:
            fields = _fields(form)
            with transaction():
                made = blackouts.add(fields, by=actor())
        except Invalid as error:
            show_faults(form, error)
        else:
            flash(
                _("Nothing goes out in that time. Posts inside are held with the reason."),
                "success",
            )
            return redirect(url_for("admin.show_blackout", blackout_id=made.id))
    return _list(form), 422


@bp.get("/blackouts/<int:blackout_id>")
@requires(Permission.CHANNEL_READ)
def show_blackout(blackout_id: int) -> ResponseReturnValue:
    """One of them with every approved post that lies inside."""
    found = blackouts.get(blackout_id)
    page = paginate(blackouts.conflicts(found), number=page_number(request.args.get("page")))
    return render_template("admin/blackout.html", blackout=found, page=page)


@bp.post("/blackouts/<int:blackout_id>/remove")
@requires(Permission.BLACKOUT_WRITE)
@takes()
def remove_blackout(blackout_id: int) -> ResponseReturnValue:
    with transaction():
        blackouts.remove(blackouts.get(blackout_id), by=actor())
    flash(_("Removed. Posts that were held for it wait for a person to decide."), "success")
    return redirect(url_for("admin.list_blackouts"))


def _list(form: BlackoutForm) -> str:
    form.scope.choices = _choices()
    is_over = request.args.get("over") == "1"
    found = blackouts.over() if is_over else blackouts.ahead()
    page = paginate(found, number=page_number(request.args.get("page")))
    return render_template(
        "admin/blackouts.html",
        form=form,
        page=page,
        is_over=is_over,
        inside=blackouts.conflict_counts(page.rows),
        zone=settings().timezone,
    )


def _fields(form: BlackoutForm) -> BlackoutFields:
    kind, _colon, name = (form.scope.data or EVERYTHING).partition(":")
    number = row_number(name)
    chosen = NOTHING if number is None else number
    is_narrow = kind != EVERYTHING
    return BlackoutFields(
        starts=_edge(form, "starts"),
        ends=_edge(form, "ends"),
        reason=form.reason.data or "",
        calendar_id=chosen if is_narrow and kind != "account" else None,
        account_id=chosen if kind == "account" else None,
    )


def _edge(form: BlackoutForm, name: str) -> Edge:
    fold = form[f"{name}_fold"].data
    return Edge(
        wall_time.parse_date(form[f"{name}_on"].data or "", f"{name}_on"),
        wall_time.parse_time(form[f"{name}_at"].data or "", f"{name}_at"),
        int(fold) if fold in ("0", "1") else None,
    )


def _choices() -> list[SelectChoice]:
    return [
        SelectChoice(EVERYTHING, _("Everything")),
        *(
            SelectChoice(f"calendar:{one.id}", _("Calendar: %(name)s", name=one.name))
            for one in session.scalars(calendars.in_order())
        ),
        *(
            SelectChoice(f"account:{one.id}", _("Account: %(name)s", name=one.name))
            for one in session.scalars(accounts.in_service())
        ),
    ]
