"""Lifecycle stages: finding them, and saving one."""

from dataclasses import asdict, dataclass

from sqlalchemy import Select, select

from audience.events import StageSaved
from audience.models import Stage, StageGroup
from cms.accounts import audit
from cms.accounts.models import User
from cms.core.db import session
from cms.core.errors import NotFound, invalid
from cms.core.events import emit
from cms.core.i18n import N_
from cms.core.text import check_filled, clean_line


@dataclass(frozen=True)
class StageFields:
    """What a person says about a stage."""

    name_en: str
    name_zh: str
    group: StageGroup = StageGroup.CORE
    description_en: str = ""
    description_zh: str = ""
    position: int = 0
    is_active: bool = True


def get(stage_id: int) -> Stage:
    """The stage of that id; raises NotFound."""
    stage = session.get(Stage, stage_id)
    if stage is None:
        raise NotFound("stage")
    return stage


def find(slug: str) -> Stage:
    """The stage of that slug; raises NotFound."""
    stage = session.scalar(select(Stage).where(Stage.slug == slug))
    if stage is None:
        raise NotFound("stage")
    return stage


def listed(*, active_only: bool = True) -> Select[Stage]:
    """Stages in the order of the board's rows."""
    rows = select(Stage).order_by(Stage.position, Stage.id)
    return rows.where(Stage.is_active) if active_only else rows


def save_stage(slug: str, fields: StageFields, *, by: User | None, is_new: bool = False) -> Stage:
    """Make or change the stage of that slug; `is_new` refuses one that exists already."""
    for key in ("name_en", "name_zh"):
        check_filled(key, getattr(fields, key))
    stage = session.scalar(select(Stage).where(Stage.slug == slug))
    if stage is not None and is_new:
        raise invalid("slug", "name_taken", N_("Another stage is called that."))
    action = "stage.changed" if stage else "stage.created"
    if stage is None:
        stage = Stage(slug=slug)
        session.add(stage)
    for key, value in asdict(fields).items():
        setattr(stage, key, clean_line(value) if isinstance(value, str) else value)
    stage.group = StageGroup(fields.group)
    session.flush()  # the audit trail and listeners need the stage's id
    audit.record(action, stage, by=by, slug=slug)
    emit(StageSaved(stage.id))
    return stage
