"""Forms of what keeps publishing in bounds: emergency stops and blackouts."""

from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import DateInput, TimeInput

from cms.web.forms import Form

FOLDS = [
    SelectChoice("", _("Ask me")),
    SelectChoice("0", _("The first time")),
    SelectChoice("1", _("The second time")),
]
_WHICH = _("Clocks show this time twice. Which is meant?")


class StopForm(Form):
    what = SelectField(_("What to stop"), validate_choice=False)
    reason = StringField(_("Why"))


class BlackoutForm(Form):
    scope = SelectField(_("For"), validate_choice=False)
    starts_on = StringField(_("From (day)"), widget=DateInput())
    starts_at = StringField(_("From (time)"), widget=TimeInput())
    starts_fold = RadioField(_WHICH, choices=FOLDS, default="", validate_choice=False)
    ends_on = StringField(_("Until (day)"), widget=DateInput())
    ends_at = StringField(_("Until (time)"), widget=TimeInput())
    ends_fold = RadioField(_WHICH, choices=FOLDS, default="", validate_choice=False)
    reason = StringField(_("Why"))
