"""Posts, an asset version made ready for one pool at one time, and the decisions about them."""

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audience.models import Pool
from cms.accounts.models import User
from cms.core.db import Model, by_value
from content_library.models import Asset, AssetVersion
from schedules.models.calendars import Calendar, ChannelAccount
from schedules.states import ReviewState

if TYPE_CHECKING:
    from schedules.models.publications import Publication


class Post(Model):
    """What goes to one pool at one time. Any change to what readers would see raises `revision`."""

    __tablename__ = "posts"
    __table_args__ = (
        Index(None, "calendar_id", "publish_at"),
        Index(None, "pool_id", "publish_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendars.id"))
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_accounts.id"), index=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("asset_versions.id"), index=True)
    text: Mapped[str] = mapped_column(Text, default="")
    media_ids: Mapped[list[Any]] = mapped_column(default=list)  # pictures that go along, in order
    # The instant, and how people said it: wall time, zone, and which side of an overlap.
    publish_at: Mapped[datetime] = mapped_column(index=True)
    wall_date: Mapped[date]
    wall_time: Mapped[time]
    zone: Mapped[str] = mapped_column(String(60))
    fold: Mapped[int] = mapped_column(default=0)
    review: Mapped[ReviewState] = mapped_column(by_value(ReviewState), default=ReviewState.DRAFT)
    revision: Mapped[int] = mapped_column(default=1)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    submitted_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    calendar: Mapped[Calendar] = relationship()
    pool: Mapped[Pool] = relationship()
    account: Mapped[ChannelAccount] = relationship()
    asset: Mapped[Asset] = relationship()
    version: Mapped[AssetVersion] = relationship()
    created_by: Mapped[User | None] = relationship(foreign_keys=[created_by_id])
    submitted_by: Mapped[User | None] = relationship(foreign_keys=[submitted_by_id])
    approvals: Mapped[list["Approval"]] = relationship(
        back_populates="post", order_by="Approval.id.desc()"
    )
    publication: Mapped["Publication"] = relationship(back_populates="post")


class Approval(Model):
    """One decision about one revision of a post: approved or rejected, by whom, on which content."""

    __tablename__ = "approvals"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]
    decision: Mapped[ReviewState] = mapped_column(by_value(ReviewState))
    content_hash: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(500), default="")
    by_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    at: Mapped[datetime]

    post: Mapped[Post] = relationship(back_populates="approvals")
    by: Mapped[User] = relationship()
