"""Counted facts: per publication and day, and per asset for lists and search."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from cms.core.db import Model


class Rollup(Model):
    """Events of one kind on one publication on one day, recomputed whole whenever the day is dirty."""

    __tablename__ = "rollups"

    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    raw: Mapped[int] = mapped_column(default=0)
    counted: Mapped[int] = mapped_column(default=0)
    confirmed: Mapped[int] = mapped_column(default=0)
    people: Mapped[int] = mapped_column(default=0)  # distinct visitor keys among the counted
    weak: Mapped[int] = mapped_column(default=0)  # of these, known by network and browser only


class DirtyDay(Model):
    """A publication's day whose rollup no longer matches its events."""

    __tablename__ = "dirty_days"

    publication_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    marked_at: Mapped[datetime]


class AssetScore(Model):
    """An asset's totals over all its publications; what search sorts by."""

    __tablename__ = "asset_scores"

    asset_id: Mapped[int] = mapped_column(
        ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True
    )
    publications: Mapped[int] = mapped_column(default=0)
    exposures: Mapped[int] = mapped_column(default=0)  # sum of reach
    clicks: Mapped[int] = mapped_column(default=0)  # counted, as all below
    likes: Mapped[int] = mapped_column(default=0)
    collects: Mapped[int] = mapped_column(default=0)
    comments: Mapped[int] = mapped_column(default=0)
    click_rate: Mapped[float | None] = mapped_column(index=True)
    click_rate_low: Mapped[float | None] = mapped_column(index=True)  # Wilson 95 % lower bound
    click_rate_high: Mapped[float | None]
    last_published_at: Mapped[datetime | None] = mapped_column(index=True)
