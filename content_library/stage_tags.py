"""Keeps the tags of the group `stage` in step with the stages of the audience."""

from sqlalchemy import select

from audience.events import StageSaved
from audience.models import Stage
from cms.core.db import session
from cms.core.errors import invalid
from cms.core.i18n import N_
from content_library import vocabulary
from content_library.models import Tag


def mirror(event: StageSaved) -> None:
    """Give the stage its tag: same slug, same names, same place."""
    stage = session.get(Stage, event.stage_id)
    if stage is None:
        return
    group = vocabulary.ensure_group(
        vocabulary.STAGE_GROUP, name_en="Stage", name_zh="用户阶段", position=3
    )
    tag = session.scalar(select(Tag).where(Tag.slug == stage.slug))
    if tag is not None and tag.group_id != group.id:
        raise invalid("slug", "name_taken", N_("A tag of another group is called that."))
    if tag is None:
        tag = Tag(group_id=group.id, slug=stage.slug)
        session.add(tag)
    is_renamed = (tag.name_en, tag.name_zh) != (stage.name_en, stage.name_zh)
    tag.name_en, tag.name_zh = stage.name_en, stage.name_zh
    tag.position, tag.is_active = stage.position, stage.is_active
    session.flush()  # a new tag needs its id
    if is_renamed:
        vocabulary.mark_carriers(tag)
