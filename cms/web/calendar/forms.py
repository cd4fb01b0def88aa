"""Forms of the calendar: planning a post, changing it, the weekly pattern, the calendar's settings."""

from flask_babel import lazy_gettext as _
from wtforms import (
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, DateInput, ListWidget, TimeInput

from cms.web.forms import Form
from cms.web.numbers import WholeNumberField

BY_HAND = ""
FOLDS = [
    SelectChoice("", _("Ask me")),
    SelectChoice("0", _("The first time")),
    SelectChoice("1", _("The second time")),
]


class PlaceForm(Form):
    """Where a post shall stand: one of the free slots, or a time by hand."""

    slot = SelectField(_("Slot"), validate_choice=False)
    pool = SelectField(_("Pool"), validate_choice=False)
    wall_date = StringField(_("Day"), widget=DateInput())
    wall_time = StringField(_("Time"), widget=TimeInput())
    fold = RadioField(_("Clocks show this time twice. Which is meant?"), choices=FOLDS, default="")


class PlanForm(PlaceForm):
    also = Form.also | {"on"}

    asset = HiddenField()
    text = TextAreaField(_("Wording"))


class WordsForm(Form):
    also = Form.also | {"on"}

    text = TextAreaField(_("Wording"))
    pictures = SelectMultipleField(
        _("Pictures"),
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    revision = HiddenField()


class MoveForm(PlaceForm):
    revision = HiddenField()


class LinkForm(Form):
    alias = StringField(_("Name"))
    ends_on = StringField(_("Ends (day)"), widget=DateInput())
    ends_at = StringField(_("Ends (time)"), widget=TimeInput())
    fold = RadioField(
        _("Clocks show this time twice. Which is meant?"),
        choices=FOLDS,
        default="",
        validate_choice=False,
    )


class SlotForm(Form):
    account = SelectField(_("Account"), coerce=int)
    weekday = SelectField(_("Weekday"), coerce=int)
    wall_time = StringField(_("Time"), widget=TimeInput())
    wanted_theme = SelectField(_("Theme wanted"), coerce=int)


class CalendarForm(Form):
    name = StringField(_("Name"))
    timezone = StringField(_("Time zone"))
    late_group_minutes = WholeNumberField(_("A post to a group is missed after (minutes)"))
    late_moments_minutes = WholeNumberField(_("A post to Moments is missed after (minutes)"))
    gap_minutes = WholeNumberField(_("Least time between two posts of a pool (minutes)"))
    quiet_from = StringField(_("Quiet from"), widget=TimeInput())
    quiet_until = StringField(_("Quiet until"), widget=TimeInput())
