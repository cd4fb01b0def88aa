"""Forms of the settings pages."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice

from cms.accounts.models import Role

ROLE_NAMES = {
    Role.PLANNER: _("Planner"),
    Role.OPERATOR: _("Operator"),
    Role.ANALYST: _("Analyst"),
    Role.ADMINISTRATOR: _("Administrator"),
}


class UserForm(FlaskForm):
    name = StringField(_("Name"))
    login = StringField(_("Login"))
    role = SelectField(
        _("Role"), choices=[SelectChoice(role.value, ROLE_NAMES[role]) for role in Role]
    )
