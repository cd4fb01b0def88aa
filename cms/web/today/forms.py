"""Forms of the operator: decisions about posts, packs and publications."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import DateInput, HiddenInput, TimeInput

from cms.web.forms import Form
from cms.web.numbers import WholeNumberField

REASONS = {
    "tone": _("Wrong tone"),
    "facts": _("Facts unclear"),
    "repeat": _("Sent lately"),
    "time": _("Wrong time"),
    "other": _("Something else"),
}


_CHIPS = [SelectChoice(code, words) for code, words in REASONS.items()]


class ApproveForm(Form):
    """Names the revision that was read; `seen` holds its words, for showing what changed since."""

    revision = WholeNumberField(widget=HiddenInput(), validators=[InputRequired()])
    seen = HiddenField()
    view = HiddenField()


class RejectForm(ApproveForm):
    reason = RadioField(_("Reason"), choices=_CHIPS, validate_choice=False)
    note = TextAreaField(_("What should change"))


class ConfirmForm(Form):
    note = TextAreaField(_("Note"))
    file = FileField(_("Screenshot"))


class DeclineForm(Form):
    reason = TextAreaField(_("Why not"))


class ResolveForm(Form):
    """`seen` is the row as its page showed it, so that a press on a stale page decides nothing."""

    url = StringField(_("Address of the post"))
    seen = HiddenField()


class AnotherTimeForm(Form):
    day = StringField(_("Day"), widget=DateInput())
    time = StringField(_("Time"), widget=TimeInput())
    seen = HiddenField()


class EmployeeForm(Form):
    """Somebody says for an employee that it is posted, with proof."""

    employee = HiddenField()
    note = TextAreaField(_("Note"))
    file = FileField(_("Screenshot"))


class AmendForm(Form):
    text = TextAreaField(_("New words"))


class WithdrawForm(Form):
    reason = TextAreaField(_("Why"))
