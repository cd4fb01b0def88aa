"""The words assets are tagged with: groups and tags, their names, renaming and merging."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Invalid
from cms.web.forms import show_faults
from cms.web.frame import name_of
from cms.web.guard import actor, requires
from cms.web.library.blueprint import bp
from cms.web.library.forms import MergeForm, NewTagForm, TagForm
from content_library import vocabulary
from content_library.models import Tag, TagGroup
from content_library.vocabulary import STAGE_GROUP, TagFields


@bp.get("/library/tags")
@requires(Permission.ASSET_READ)
def list_tags() -> ResponseReturnValue:
    return render_template(
        "library/tags.html",
        groups=vocabulary.groups(),
        usage=vocabulary.usage(),
        stage_group=STAGE_GROUP,
    )


@bp.route("/library/tags/new", methods=["GET", "POST"])
@requires(Permission.TAG_WRITE)
def new_tag() -> ResponseReturnValue:
    form = NewTagForm()
    groups = {group.id: group for group in vocabulary.groups() if group.slug != STAGE_GROUP}
    form.group_id.choices = [(group.id, name_of(group)) for group in groups.values()]
    if form.validate_on_submit():
        try:
            with transaction():
                _create(groups[form.group_id.data], form)
            flash(_("The tag is saved."), "success")
            return redirect(url_for("library.list_tags"))
        except Invalid as error:
            show_faults(form, error)
    return render_template("library/tag.html", form=form, tag_row=None, merging=None), _code(form)


@bp.route("/library/tags/<int:tag_id>", methods=["GET", "POST"])
@requires(Permission.TAG_WRITE)
def edit_tag(tag_id: int) -> ResponseReturnValue:
    tag = vocabulary.get(tag_id)
    names = "\n".join(alias.name for alias in tag.aliases)
    form = TagForm(data={"name_en": tag.name_en, "name_zh": tag.name_zh, "aliases": names})
    if form.validate_on_submit():
        try:
            with transaction():
                vocabulary.rename(tag, _fields(form, tag.hue), by=actor())
            flash(_("The tag is saved."), "success")
            return redirect(url_for("library.list_tags"))
        except Invalid as error:
            show_faults(form, error)
    return _show_tag(tag, form)


@bp.post("/library/tags/<int:tag_id>/merge")
@requires(Permission.TAG_WRITE)
def merge_tag(tag_id: int) -> ResponseReturnValue:
    tag = vocabulary.get(tag_id)
    form = _offer_others(MergeForm(), tag)
    if not form.validate_on_submit():
        return _show_tag(tag, TagForm(formdata=None, obj=tag))
    into = vocabulary.get(form.into.data)
    with transaction():
        count = vocabulary.merge(tag, into=into, by=actor())
    flash(_("%(count)s assets now carry %(name)s.", count=count, name=name_of(into)), "success")
    return redirect(url_for("library.list_tags"))


def _show_tag(tag: Tag, form: TagForm) -> ResponseReturnValue:
    merging = None
    if tag.group.slug != STAGE_GROUP:
        merging = _offer_others(MergeForm(formdata=None), tag)
    return render_template("library/tag.html", form=form, tag_row=tag, merging=merging), _code(form)


def _offer_others(form: MergeForm, tag: Tag) -> MergeForm:
    others = [one for one in tag.group.tags if one.id != tag.id and one.is_active]
    form.into.choices = [(one.id, name_of(one)) for one in others]
    return form


def _create(group: TagGroup, form: NewTagForm) -> None:
    vocabulary.create(group, _fields(form), by=actor(), slug=(form.slug.data or "").strip())


def _fields(form: TagForm, hue: int | None = None) -> TagFields:
    aliases = tuple(line.strip() for line in (form.aliases.data or "").splitlines() if line.strip())
    return TagFields(form.name_en.data or "", form.name_zh.data or "", aliases, hue)


def _code(form: TagForm) -> int:
    return 422 if form.errors or form.form_errors else 200
