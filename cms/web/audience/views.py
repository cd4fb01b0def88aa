"""The audience at a glance: stages with their pools, and the personas who speak to them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from audience import personas, pools, stages
from audience.models import Persona, Pool, PoolKind, Stage, StageGroup
from audience.personas import PersonaFields
from audience.pools import PoolFields
from audience.stages import StageFields
from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from cms.core.paging import page_number, paginate
from cms.web.audience.forms import KIND_NAMES, PersonaForm, PoolForm, StageForm
from cms.web.forms import show_faults, takes
from cms.web.frame import name_of, settings
from cms.web.guard import actor, requires

bp = Blueprint("audience", __name__, url_prefix="/audience")

NOBODY = 0


@bp.get("/")
@requires(Permission.AUDIENCE_READ)
def index() -> ResponseReturnValue:
    page = paginate(pools.in_order(), number=page_number(request.args.get("page")), per_page=50)
    return render_template(
        "audience/index.html",
        page=page,
        stages=session.scalars(stages.listed(active_only=False)).all(),
        kinds=KIND_NAMES,
        feed_base=settings().base_url,
    )


@bp.get("/personas")
@requires(Permission.AUDIENCE_READ)
def list_personas() -> ResponseReturnValue:
    page = paginate(personas.in_order(), number=page_number(request.args.get("page")))
    return render_template("audience/personas.html", page=page)


@bp.route("/stages/<int:stage_id>", methods=["GET", "POST"])
@requires(Permission.AUDIENCE_WRITE)
def edit_stage(stage_id: int) -> ResponseReturnValue:
    stage = stages.get(stage_id)
    form = StageForm(obj=stage)
    if form.validate_on_submit():
        try:
            with transaction():
                stages.save_stage(stage.slug, _stage_fields(form), by=actor())
            return _saved(_("The stage is saved."), "audience.index")
        except Invalid as error:
            show_faults(form, error)
    return _form(form, name_of(stage), "audience.index")


@bp.route("/pools/new", methods=["GET", "POST"])
@requires(Permission.AUDIENCE_WRITE)
def add_pool() -> ResponseReturnValue:
    return _edit_pool(None)


@bp.route("/pools/<int:pool_id>", methods=["GET", "POST"])
@requires(Permission.AUDIENCE_WRITE)
def edit_pool(pool_id: int) -> ResponseReturnValue:
    return _edit_pool(pools.get(pool_id))


@bp.post("/pools/<int:pool_id>/feed")
@requires(Permission.AUDIENCE_WRITE)
@takes()
def renew_feed(pool_id: int) -> ResponseReturnValue:
    with transaction():
        pools.renew_feed(pools.get(pool_id), by=actor())
    return _saved(_("The feed has a new address; the old one no longer works."), "audience.index")


@bp.route("/personas/new", methods=["GET", "POST"])
@requires(Permission.AUDIENCE_WRITE)
def add_persona() -> ResponseReturnValue:
    return _edit_persona(None)


@bp.route("/personas/<int:persona_id>", methods=["GET", "POST"])
@requires(Permission.AUDIENCE_WRITE)
def edit_persona(persona_id: int) -> ResponseReturnValue:
    return _edit_persona(personas.get(persona_id))


def _edit_pool(pool: Pool | None) -> ResponseReturnValue:
    form = PoolForm(obj=pool)
    rows: list[Stage] = list(session.scalars(stages.listed()))
    form.stage_id.choices = [(stage.id, name_of(stage)) for stage in rows]
    if form.validate_on_submit():
        try:
            with transaction():
                _save_pool(pool, form)
            return _saved(_("The pool is saved."), "audience.index")
        except Invalid as error:
            show_faults(form, error)
    return _form(form, pool.name if pool else _("New pool"), "audience.index")


def _save_pool(pool: Pool | None, form: PoolForm) -> None:
    fields = PoolFields(
        name=form.name.data or "",
        kind=PoolKind(form.kind.data),
        stage_id=form.stage_id.data,
        size=form.size.data if form.size.data is not None else -1,
        is_active=form.is_active.data,
        most_per_day=form.most_per_day.data,
        most_per_week=form.most_per_week.data,
    )
    if pool is None:
        pools.add(fields, by=actor())
    else:
        pools.change(pool, fields, by=actor())


def _edit_persona(persona: Persona | None) -> ResponseReturnValue:
    form = PersonaForm(obj=persona)
    form.holder_id.choices = _holders(persona)
    if form.validate_on_submit():
        try:
            with transaction():
                _save_persona(persona, form)
            return _saved(_("The persona is saved."), "audience.list_personas")
        except Invalid as error:
            show_faults(form, error)
    return _form(form, persona.name if persona else _("New persona"), "audience.list_personas")


def _holders(persona: Persona | None) -> list[tuple[int, str]]:
    """Who may hold it; whoever does although they may not any more is named as such."""
    team = session.scalars(personas.may_hold().limit(500))
    choices = [(NOBODY, _("Nobody")), *((user.id, user.name) for user in team)]
    holder = persona.holder if persona else None
    if holder and holder.id not in dict(choices):
        words = _("%(name)s (cannot confirm hand-overs any more)", name=holder.name)
        choices.append((holder.id, words))
    return choices


def _save_persona(persona: Persona | None, form: PersonaForm) -> None:
    names = ("name", "role_en", "role_zh", "bio_en", "bio_zh")
    fields = PersonaFields(
        **{name: form[name].data or "" for name in names},
        holder_id=form.holder_id.data or None,
        is_active=form.is_active.data,
    )
    if persona is None:
        personas.add(fields, by=actor())
    else:
        personas.change(persona, fields, by=actor())


def _stage_fields(form: StageForm) -> StageFields:
    return StageFields(
        name_en=form.name_en.data or "",
        name_zh=form.name_zh.data or "",
        group=StageGroup(form.group.data),
        description_en=form.description_en.data or "",
        description_zh=form.description_zh.data or "",
        position=form.position.data or 0,
        is_active=form.is_active.data,
    )


def _saved(words: str, endpoint: str) -> ResponseReturnValue:
    flash(words, "success")
    return redirect(url_for(endpoint))


def _form(form: StageForm | PoolForm | PersonaForm, title: str, back: str) -> ResponseReturnValue:
    status = 422 if form.is_submitted() else 200
    return render_template("audience/form.html", form=form, title=title, back=back), status
