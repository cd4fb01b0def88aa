"""Calendars, the channel accounts they publish through, and the weekly pattern of slots."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audience.models import Persona, Pool
from cms.core.db import Model
from content_library.models import Tag


class Calendar(Model):
    """A plan with its own zone and its own idea of how late is too late."""

    __tablename__ = "calendars"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))
    timezone: Mapped[str] = mapped_column(String(60))
    late_moments_minutes: Mapped[int] = mapped_column(default=120)
    late_group_minutes: Mapped[int] = mapped_column(default=30)
    gap_minutes: Mapped[int] = mapped_column(default=30)  # least time between two posts of a pool
    quiet_from: Mapped[time | None]  # wall times between which nothing goes out; none: never quiet
    quiet_until: Mapped[time | None]


class ChannelAccount(Model):
    """One configured way out: a channel, the persona who speaks, its limits and its health."""

    __tablename__ = "channel_accounts"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    channel: Mapped[str] = mapped_column(String(40))  # slug in schedules.channels.CHANNELS
    name: Mapped[str] = mapped_column(String(120))
    persona_id: Mapped[int | None] = mapped_column(ForeignKey("personas.id"), index=True)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sealed: Mapped[str] = mapped_column(Text, default="")  # secrets, encrypted; never shown again
    secrets_changed_at: Mapped[datetime | None]
    callback_token: Mapped[str | None] = mapped_column(
        String(40), unique=True, index=True
    )  # in its address
    is_paused: Mapped[bool] = mapped_column(default=False)
    per_minute: Mapped[int] = mapped_column(default=60)
    tokens: Mapped[float] = mapped_column(default=0.0)  # of the rate limit's bucket
    tokens_at: Mapped[datetime | None]
    blocked_until: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    last_fault: Mapped[str] = mapped_column(String(300), default="")
    fault_parts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # template, what fills it
    last_fault_at: Mapped[datetime | None]
    tested_at: Mapped[datetime | None]
    test_result: Mapped[str] = mapped_column(String(300), default="")  # empty: it went well
    test_parts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    retired_at: Mapped[datetime | None]  # offered nowhere any more; its history stays
    created_at: Mapped[datetime]

    persona: Mapped[Persona | None] = relationship()
    pools: Mapped[list[Pool]] = relationship(secondary="account_pools", order_by=Pool.id)
    templates: Mapped[list["SlotTemplate"]] = relationship(back_populates="account")


class AccountPool(Model):
    """That an account can reach a pool."""

    __tablename__ = "account_pools"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("channel_accounts.id", ondelete="CASCADE"), primary_key=True
    )
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"), primary_key=True, index=True)


class SlotTemplate(Model):
    """A moment every week at which an account posts, in the calendar's wall time."""

    __tablename__ = "slot_templates"
    __table_args__ = (UniqueConstraint("calendar_id", "account_id", "weekday", "wall_time"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id"), index=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("channel_accounts.id", ondelete="CASCADE"), index=True
    )
    weekday: Mapped[int]  # Monday 0
    wall_time: Mapped[time]
    wanted_theme_id: Mapped[int | None] = mapped_column(ForeignKey("tags.id"), index=True)

    calendar: Mapped[Calendar] = relationship()
    account: Mapped[ChannelAccount] = relationship(back_populates="templates")
    wanted_theme: Mapped[Tag | None] = relationship()
