"""Forms of the settings pages."""

from flask_babel import lazy_gettext as _
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice

from cms.accounts.models import Role
from cms.web.forms import Form
from cms.web.numbers import WholeNumberField

ROLE_NAMES = {
    Role.PLANNER: _("Planner"),
    Role.OPERATOR: _("Operator"),
    Role.ANALYST: _("Analyst"),
    Role.ADMINISTRATOR: _("Administrator"),
}


class UserForm(Form):
    name = StringField(_("Name"))
    login = StringField(_("Login"))
    role = SelectField(
        _("Role"), choices=[SelectChoice(role.value, ROLE_NAMES[role]) for role in Role]
    )


class AccountForm(Form):
    """What every account has; `account_forms` adds what its channel asks for."""

    name = StringField(_("Name"))
    persona_id = SelectField(_("Persona"), coerce=int)
    per_minute = WholeNumberField(_("Posts a minute, at most"))
    pool_ids = SelectMultipleField(_("Pools it reaches"), coerce=int)


class ConnectionForm(Form):
    """The channel's own fields alone, for reconnecting."""
