"""What carriers gave us and told us: tokens, uploads, whom they asked, whom they reached, their calls."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cms.accounts.models import User
from cms.core.db import Model, by_value
from schedules.models.calendars import ChannelAccount
from schedules.models.publications import Publication
from schedules.states import DeliveryState, HandOverState


class CarrierToken(Model):
    """One access token that all workers share; `refreshing_until` is the lock of whoever renews it."""

    __tablename__ = "carrier_tokens"

    realm: Mapped[str] = mapped_column(String(160), primary_key=True)  # whose token: app and secret
    sealed: Mapped[str] = mapped_column(Text, default="")
    expires_at: Mapped[datetime | None]
    refreshing_until: Mapped[datetime | None]
    refreshed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=0)  # raised by each renewal
    last_fault: Mapped[str] = mapped_column(String(300), default="")


class CarrierUpload(Model):
    """A picture or file that a carrier keeps for us, in one realm, for one purpose, for a while."""

    __tablename__ = "carrier_uploads"
    __table_args__ = (UniqueConstraint("realm", "sha256", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    realm: Mapped[str] = mapped_column(String(160))  # corporation, robot or app that owns it
    sha256: Mapped[str] = mapped_column(String(64))  # of our file, not of the rendition sent
    purpose: Mapped[str] = mapped_column(String(40))
    reference: Mapped[str] = mapped_column(String(500))  # media id or address at the carrier
    uploaded_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)  # none: it stays


class EmployeeTask(Model):
    """What one employee was asked to do with a publication, and whether it was done."""

    __tablename__ = "employee_tasks"
    __table_args__ = (UniqueConstraint("publication_id", "employee"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    employee: Mapped[str] = mapped_column(String(64))  # the carrier's name for them
    state: Mapped[HandOverState] = mapped_column(
        by_value(HandOverState), default=HandOverState.WAITING
    )
    confirmed_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(String(500), default="")  # proof, when a person said so here
    proof_media_id: Mapped[int | None] = mapped_column(ForeignKey("media.id"), index=True)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    updated_at: Mapped[datetime]

    publication: Mapped[Publication] = relationship(back_populates="employee_tasks")
    decided_by: Mapped[User | None] = relationship()  # none: the carrier said so


class Delivery(Model):
    """Whether one recipient of a publication was reached; recipients bear the carrier's opaque names."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("publication_id", "recipient"),
        Index(None, "publication_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    recipient: Mapped[str] = mapped_column(String(160))
    employee: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[DeliveryState] = mapped_column(
        by_value(DeliveryState), default=DeliveryState.WAITING
    )
    reason: Mapped[str] = mapped_column(String(300), default="")
    sent_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    publication: Mapped[Publication] = relationship()


class CarrierCall(Model):
    """One callback of a carrier, kept before it is answered; handled once, whatever order they come in."""

    __tablename__ = "carrier_calls"
    __table_args__ = (UniqueConstraint("account_id", "key"), Index(None, "handled_at", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_accounts.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(
        String(200)
    )  # the carrier's message id, or what stands for one
    kind: Mapped[str] = mapped_column(String(80))  # the event's name, e.g. PUBLISHJOBFINISH
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(String(300), default="")

    account: Mapped[ChannelAccount] = relationship()


class Subscriber(Model):
    """One address on an e-mail account's list; `token` is the one-click way off it."""

    __tablename__ = "subscribers"
    __table_args__ = (UniqueConstraint("account_id", "address"), UniqueConstraint("token"))

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_accounts.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(254))
    token: Mapped[str] = mapped_column(String(40))
    added_at: Mapped[datetime]
    left_at: Mapped[datetime | None]

    account: Mapped[ChannelAccount] = relationship()
