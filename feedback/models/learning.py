"""What was learned: fitted model runs, tag effects, and suggestions waiting for a person."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cms.accounts.models import User
from cms.core.db import Model, by_value
from content_library.models import Asset, Tag, TagChange


class SuggestionState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNDONE = "undone"
    OUTDATED = "outdated"


class RunState(StrEnum):
    WAITING = "waiting"
    FITTING = "fitting"
    DONE = "done"
    FAILED = "failed"


class ModelRun(Model):
    """One fit of the joint model: when, on how much, with which settings."""

    __tablename__ = "model_runs"
    __table_args__ = (UniqueConstraint("version"), Index(None, "state", "fitted_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(60))
    state: Mapped[RunState] = mapped_column(by_value(RunState), default=RunState.DONE)
    # When it was asked for, until it is done; then when it was fitted.
    fitted_at: Mapped[datetime] = mapped_column(index=True)
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    deliveries: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)

    requested_by: Mapped[User | None] = relationship()
    effects: Mapped[list["TagEffect"]] = relationship(back_populates="run")


class TagEffect(Model):
    """A tag's lift over the mean tag in one stage group for one outcome, with its 90 % interval."""

    __tablename__ = "tag_effects"

    run_id: Mapped[int] = mapped_column(
        ForeignKey("model_runs.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"), primary_key=True, index=True)
    stage_group: Mapped[str] = mapped_column(String(12), primary_key=True)  # "all" or a group
    outcome: Mapped[str] = mapped_column(String(20), primary_key=True)
    lift: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    exposures: Mapped[int]
    deliveries: Mapped[int]
    assets: Mapped[int]
    is_significant: Mapped[bool] = mapped_column(default=False)  # Benjamini-Hochberg at 10 %

    run: Mapped[ModelRun] = relationship(back_populates="effects")
    tag: Mapped[Tag] = relationship()


class Suggestion(Model):
    """A proposed change to an asset's tags, with the evidence for it; only a person applies it."""

    __tablename__ = "suggestions"
    __table_args__ = (Index(None, "state", "created_at"), Index(None, "asset_id", "tag_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"), index=True)
    action: Mapped[str] = mapped_column(String(8))  # add, remove
    probability: Mapped[float]
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    run_id: Mapped[int] = mapped_column(ForeignKey("model_runs.id"), index=True)
    state: Mapped[SuggestionState] = mapped_column(
        by_value(SuggestionState), default=SuggestionState.OPEN
    )
    created_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    decided_at: Mapped[datetime | None]
    change_id: Mapped[int | None] = mapped_column(ForeignKey("tag_changes.id"), index=True)

    asset: Mapped[Asset] = relationship()
    tag: Mapped[Tag] = relationship()
    run: Mapped[ModelRun] = relationship()
    decided_by: Mapped[User | None] = relationship()
    change: Mapped[TagChange | None] = relationship()
