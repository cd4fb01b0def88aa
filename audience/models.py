"""Whom content is for: lifecycle stages, pools of readers, and the personas who speak to them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cms.accounts.models import User
from cms.core.db import Model, by_value


class StageGroup(StrEnum):
    """Stages that respond alike, for estimates that one stage alone could not support."""

    NEW = "new"
    CORE = "core"
    LAPSING = "lapsing"


class PoolKind(StrEnum):
    GROUP = "group"
    MOMENTS = "moments"


class Stage(Model):
    """Where a contact stands in the lifecycle; the rows of the board."""

    __tablename__ = "stages"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40))
    name_en: Mapped[str] = mapped_column(String(80))
    name_zh: Mapped[str] = mapped_column(String(80))
    description_en: Mapped[str] = mapped_column(String(400), default="")
    description_zh: Mapped[str] = mapped_column(String(400), default="")
    group: Mapped[StageGroup] = mapped_column(by_value(StageGroup), default=StageGroup.CORE)
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)

    pools: Mapped[list["Pool"]] = relationship(back_populates="stage")


class Persona(Model):
    """A believable person the company speaks through; its account stays when the holder leaves."""

    __tablename__ = "personas"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(80))
    role_en: Mapped[str] = mapped_column(String(120), default="")
    role_zh: Mapped[str] = mapped_column(String(120), default="")
    bio_en: Mapped[str] = mapped_column(String(600), default="")
    bio_zh: Mapped[str] = mapped_column(String(600), default="")
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    is_active: Mapped[bool] = mapped_column(default=True)

    holder: Mapped[User | None] = relationship()


class Pool(Model):
    """An audience that can be reached in one post: a group, or one persona's Moments audience."""

    __tablename__ = "pools"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[PoolKind] = mapped_column(by_value(PoolKind))
    stage_id: Mapped[int] = mapped_column(ForeignKey("stages.id"), index=True)
    size: Mapped[int] = mapped_column(default=0)
    most_per_day: Mapped[int | None]  # contact policy: posts a day and a week; none: no limit
    most_per_week: Mapped[int | None]
    feed_token: Mapped[str] = mapped_column(String(40), unique=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime]

    stage: Mapped[Stage] = relationship(back_populates="pools")
