"""Settings of tracked links: the domain they stand on, campaign parameters, and links in trouble."""

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Invalid
from cms.web.admin.views import bp
from cms.web.forms import Form, show_faults, takes
from cms.web.frame import settings
from cms.web.guard import actor, requires
from cms.web.numbers import row_number
from schedules import link_checks, utm
from schedules.channels import CHANNELS
from schedules.utm import UtmFields

LONGEST_NAME = 200


class UtmForm(Form):
    channel = SelectField(lazy_gettext("For"), validate_choice=False)
    source = StringField(lazy_gettext("Source"))
    medium = StringField(lazy_gettext("Medium"))
    campaign = StringField(lazy_gettext("Campaign"))
    is_active = BooleanField(lazy_gettext("In use"), false_values=(False, "", "false"))


@bp.get("/links")
@requires(Permission.CHANNEL_READ)
def show_links() -> ResponseReturnValue:
    """With `rule`, the form holds that rule, ready to be changed."""
    number = row_number(request.args.get("rule", ""))
    if number is None:
        return _page(UtmForm(formdata=None, is_active=True))
    return _page(UtmForm(formdata=None, obj=utm.get(number)))


@bp.post("/links/rules")
@requires(Permission.CHANNEL_WRITE)
def save_rule() -> ResponseReturnValue:
    form = UtmForm()
    try:
        if form.validate_on_submit() and request.form.get("do") != "example":
            with transaction():
                utm.save(_fields(form), by=actor())
            flash(_("The rule is saved. It holds for every tap from now on."), "success")
            return redirect(url_for("admin.show_links"))
        utm.checked(_fields(form))
    except Invalid as error:
        show_faults(form, error)
    return _page(form), 422 if form.errors or form.form_errors else 200


@bp.post("/links/rules/<int:rule_id>/remove")
@requires(Permission.CHANNEL_WRITE)
@takes()
def remove_rule(rule_id: int) -> ResponseReturnValue:
    with transaction():
        utm.remove(utm.get(rule_id), by=actor())
    flash(_("The rule is removed."), "success")
    return redirect(url_for("admin.show_links"))


@bp.get("/links/example.json")
@requires(Permission.CHANNEL_READ)
def link_example() -> ResponseReturnValue:
    """What a rule would make of an address, while it is written; changes nothing."""
    channel, source, medium, campaign = (
        request.args.get(name, "")[:LONGEST_NAME] for name in ("channel", *utm.NAMES)
    )
    fields = utm.checked(UtmFields(channel, source, medium, campaign))
    return jsonify(address=utm.example(fields))


def _page(form: UtmForm) -> str:
    form.channel.choices = [
        SelectChoice(utm.OTHERS, _("All other channels")),
        *(SelectChoice(one.slug, _(one.name)) for one in CHANNELS),
    ]
    return render_template(
        "admin/links.html",
        form=form,
        rules=[(rule, utm.example(_as_fields(rule))) for rule in utm.rules()],
        names={one.slug: one.name for one in CHANNELS},
        example="" if form.errors or form.form_errors else utm.example(_fields(form)),
        fillings=utm.PLACES,
        domain=settings().link_base_url,
        has_own_domain=settings().link_base_url != settings().base_url,
        troubled=link_checks.in_trouble(),
    )


def _fields(form: UtmForm) -> UtmFields:
    return UtmFields(
        channel=form.channel.data or utm.OTHERS,
        source=form.source.data or "",
        medium=form.medium.data or "",
        campaign=form.campaign.data or "",
        is_active=bool(form.is_active.data),
    )


def _as_fields(rule: utm.UtmRule) -> UtmFields:
    return UtmFields(rule.channel, rule.source, rule.medium, rule.campaign, rule.is_active)
