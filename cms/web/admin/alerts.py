"""Alerts: what was and is wrong, and where people are told of it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice

from cms.accounts.permissions import Permission
from cms.core import mail
from cms.core.db import give_back, session, transaction
from cms.core.errors import Invalid
from cms.core.paging import page_number, paginate
from cms.web.admin.views import bp
from cms.web.forms import Form, show_faults, takes
from cms.web.frame import locale_code
from cms.web.guard import actor, requires
from cms.web.numbers import row_number
from schedules import alert_routes, alerts, telling
from schedules.models import Alert, AlertRoute
from schedules.states import RouteKind

PER_PAGE = 20
KIND_NAMES = {
    RouteKind.EMAIL: lazy_gettext("E-mail"),
    RouteKind.WEBHOOK: lazy_gettext("Webhook"),
}
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}


class RouteForm(Form):
    kind = SelectField(
        lazy_gettext("Way"),
        choices=[SelectChoice(kind.value, words) for kind, words in KIND_NAMES.items()],
        validate_choice=False,
    )
    address = StringField(lazy_gettext("Address"))
    lang = SelectField(
        lazy_gettext("Language"),
        choices=[SelectChoice(code, name) for code, name in LANGUAGE_NAMES.items()],
        validate_choice=False,
    )


@bp.get("/alerts")
@requires(Permission.HEALTH_READ)
def list_alerts() -> ResponseReturnValue:
    return _page(RouteForm(formdata=None, lang=locale_code()))


@bp.post("/alerts")
@requires(Permission.ALERT_WRITE)
def add_route() -> ResponseReturnValue:
    form = RouteForm()
    try:
        give_back()  # judging an address may look its name up
        fields = alert_routes.checked(
            form.kind.data or "", form.address.data or "", form.lang.data or ""
        )
        with transaction():
            _route, secret = alert_routes.add(fields, by=actor())
    except Invalid as error:
        show_faults(form, error)
        return _page(form), 422
    flash(_("Added. Send a test to see that it arrives."), "success")
    _flash_secret(secret)
    return redirect(url_for("admin.list_alerts"))


@bp.post("/alerts/test")
@requires(Permission.ALERT_WRITE)
@takes("route")
def test_route() -> ResponseReturnValue:
    """Really send: a test that was not sent proves nothing."""
    route = _route()
    give_back()
    fault = telling.try_out(route)
    if fault:
        flash(_("The test did not get through: %(fault)s", fault=_(fault)), "error")
    else:
        flash(_("The test was taken. Look whether it arrived."), "success")
    return redirect(url_for("admin.list_alerts"))


@bp.post("/alerts/pause")
@requires(Permission.ALERT_WRITE)
@takes("route")
def pause_route() -> ResponseReturnValue:
    with transaction():
        alert_routes.pause(_route(), by=actor())
    flash(_("Paused: nobody is told there until you resume it."), "warning")
    return redirect(url_for("admin.list_alerts"))


@bp.post("/alerts/resume")
@requires(Permission.ALERT_WRITE)
@takes("route")
def resume_route() -> ResponseReturnValue:
    with transaction():
        alert_routes.resume(_route(), by=actor())
    flash(_("Resumed: it hears of what is open now."), "success")
    return redirect(url_for("admin.list_alerts"))


@bp.post("/alerts/secret")
@requires(Permission.ALERT_WRITE)
@takes("route")
def renew_route_secret() -> ResponseReturnValue:
    with transaction():
        secret = alert_routes.renew_secret(_route(), by=actor())
    flash(_("For a day the old secret signs as well. Carry the new one to the receiver."), "info")
    _flash_secret(secret)
    return redirect(url_for("admin.list_alerts"))


@bp.post("/alerts/remove")
@requires(Permission.ALERT_WRITE)
@takes("route")
def remove_route() -> ResponseReturnValue:
    with transaction():
        alert_routes.remove(_route(), by=actor())
    flash(_("Removed."), "success")
    return redirect(url_for("admin.list_alerts"))


def _route() -> AlertRoute:
    return alert_routes.get(row_number(request.form.get("route", "")) or 0)


def _flash_secret(secret: str) -> None:
    if secret:
        flash(_("Signing secret, shown this once: %(secret)s", secret=secret), "success")


def _page(form: RouteForm) -> str:
    page = paginate(
        alerts.latest(), number=page_number(request.args.get("page")), per_page=PER_PAGE
    )
    return render_template(
        "admin/alerts.html",
        page=page,
        words=_words,
        routes=session.scalars(alert_routes.in_order()).all(),
        kinds=KIND_NAMES,
        languages=LANGUAGE_NAMES,
        has_mail=mail.is_configured(),
        form=form,
    )


def _words(alert: Alert) -> Any:
    return alerts.words(alert, _)
