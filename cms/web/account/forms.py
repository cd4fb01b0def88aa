"""Forms of signing in, setting up, and one's own profile."""

from flask_babel import lazy_gettext as _
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from cms.web.forms import Form


class SignInForm(Form):
    login = StringField(
        _("Login"), [InputRequired(_("Type your login."))], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        _("Password"),
        [InputRequired(_("Type your password."))],
        render_kw={"autocomplete": "current-password"},
    )


class SetUpForm(Form):
    name = StringField(_("Your name"), render_kw={"autocomplete": "name"})
    login = StringField(_("Login"), render_kw={"autocomplete": "username"})
    password = PasswordField(_("Password"), render_kw={"autocomplete": "new-password"})


class PasswordForm(Form):
    password = PasswordField(_("New password"), render_kw={"autocomplete": "new-password"})
