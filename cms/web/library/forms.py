"""Forms of the library."""

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional
from wtforms.widgets import HiddenInput

from cms.web.forms import Form
from cms.web.numbers import WholeNumberField

LANGUAGES = [SelectChoice("zh", _("Chinese")), SelectChoice("en", _("English"))]


class AssetForm(Form):
    """What every kind asks for. `picture` carries the hash of a picture already taken in."""

    title = StringField(_("Title"))
    summary = TextAreaField(_("Summary"), render_kw={"rows": 3})
    lang = SelectField(_("Language"), choices=LANGUAGES)
    source = StringField(_("Source"))
    rights = StringField(_("Rights"))
    valid_from = DateField(_("Use from"), validators=[Optional()])
    valid_until = DateField(_("Use until"), validators=[Optional()])
    note = StringField(_("What changed"))
    tags = SelectMultipleField(_("Tags"), coerce=int, validate_choice=False)
    picture = HiddenField()
    expected_number = WholeNumberField(widget=HiddenInput(), default=0)


class ArticleForm(AssetForm):
    body = TextAreaField(_("Text"), render_kw={"rows": 22})
    file = FileField(_("Cover"))
    alt = StringField(_("Words for the cover"))
    inline = FileField(_("Picture for the text"))
    inline_alt = StringField(_("Words for the picture"))


class VideoForm(AssetForm):
    url = StringField(_("Address of the video"))
    duration = StringField(_("Duration"))
    file = FileField(_("Cover"))
    alt = StringField(_("Words for the cover"))


class PosterForm(AssetForm):
    file = FileField(_("Picture"))
    alt = StringField(_("Words for the picture"))


FORMS: dict[str, type[AssetForm]] = {
    "article": ArticleForm,
    "video": VideoForm,
    "poster": PosterForm,
}


class TagForm(Form):
    name_en = StringField(_("English name"))
    name_zh = StringField(_("Chinese name"))
    aliases = TextAreaField(_("Also called, one a line"), render_kw={"rows": 3})


class NewTagForm(TagForm):
    group_id = SelectField(_("Tag group"), coerce=int)
    slug = StringField(_("Short name for addresses"))


class MergeForm(Form):
    into = SelectField(_("Merge into"), coerce=int)


class ImportForm(Form):
    file = FileField(_("Archive of Markdown files (.zip)"))
    name = StringField(_("Name of this collection"))
    status = SelectField(
        _("New assets become"),
        choices=[SelectChoice("draft", _("Draft")), SelectChoice("ready", _("Ready"))],
    )
    create_tags = BooleanField(_("Create tags that are not known"))
    dry_run = BooleanField(_("Only show what would happen"), default=True)
