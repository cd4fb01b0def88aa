"""Forms of stages, pools and personas."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from audience.models import PoolKind, StageGroup
from cms.web.forms import Form
from cms.web.numbers import WholeNumberField

KIND_NAMES = {PoolKind.GROUP: _("Group"), PoolKind.MOMENTS: _("Moments")}
GROUP_NAMES = {
    StageGroup.NEW: _("New"),
    StageGroup.CORE: _("Core"),
    StageGroup.LAPSING: _("Lapsing"),
}


class StageForm(Form):
    name_en = StringField(_("English name"))
    name_zh = StringField(_("Chinese name"))
    group = SelectField(
        _("Responds like"),
        choices=[SelectChoice(group.value, GROUP_NAMES[group]) for group in StageGroup],
    )
    description_en = TextAreaField(_("English description"))
    description_zh = TextAreaField(_("Chinese description"))
    position = WholeNumberField(_("Place on the board"), default=0)
    is_active = BooleanField(_("In use"), default=True)


class PoolForm(Form):
    name = StringField(_("Name"))
    kind = SelectField(
        _("Kind"), choices=[SelectChoice(kind.value, KIND_NAMES[kind]) for kind in PoolKind]
    )
    stage_id = SelectField(_("Stage"), coerce=int)
    size = WholeNumberField(_("People"), default=0)
    most_per_day = WholeNumberField(
        _("Posts a day, at most (empty: no limit)"), validators=[Optional()]
    )
    most_per_week = WholeNumberField(
        _("Posts a week, at most (empty: no limit)"), validators=[Optional()]
    )
    is_active = BooleanField(_("In use"), default=True)


class PersonaForm(Form):
    name = StringField(_("Name"))
    role_en = StringField(_("English role"))
    role_zh = StringField(_("Chinese role"))
    bio_en = TextAreaField(_("English biography"))
    bio_zh = TextAreaField(_("Chinese biography"))
    holder_id = SelectField(_("Held by"), coerce=int)
    is_active = BooleanField(_("In use"), default=True)
