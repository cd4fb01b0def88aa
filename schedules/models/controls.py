"""What people set to keep publishing in bounds, and what tells them of trouble."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cms.accounts.models import User
from cms.core.db import Model, by_value
from schedules.models.calendars import Calendar, ChannelAccount
from schedules.states import AlertState, RouteKind, StopScope


class Stop(Model):
    """An emergency stop: nothing in its scope leaves until it is lifted."""

    __tablename__ = "stops"
    __table_args__ = (Index(None, "lifted_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[StopScope] = mapped_column(by_value(StopScope))
    channel: Mapped[str] = mapped_column(String(40), default="")
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("channel_accounts.id", ondelete="CASCADE"), index=True
    )
    reason: Mapped[str] = mapped_column(String(300))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)

    account: Mapped[ChannelAccount | None] = relationship()
    by: Mapped[User | None] = relationship(foreign_keys=[by_id])
    lifted_by: Mapped[User | None] = relationship(foreign_keys=[lifted_by_id])


class Blackout(Model):
    """A span in which nothing may go out: of one calendar, one account, or everything."""

    __tablename__ = "blackouts"
    __table_args__ = (Index(None, "ends_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    calendar_id: Mapped[int | None] = mapped_column(
        ForeignKey("calendars.id", ondelete="CASCADE"), index=True
    )
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("channel_accounts.id", ondelete="CASCADE"), index=True
    )
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(300))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]

    calendar: Mapped[Calendar | None] = relationship()
    account: Mapped[ChannelAccount | None] = relationship()
    created_by: Mapped[User | None] = relationship()


class Alert(Model):
    """One cause of trouble, told once however many posts it stops; a new one opens when it returns."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("open_cause"), Index(None, "settled_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    cause: Mapped[str] = mapped_column(String(160))
    open_cause: Mapped[str | None] = mapped_column(String(160))  # the cause while open, else null
    message: Mapped[str] = mapped_column(String(300))  # English, marked with N_; filled by params
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    path: Mapped[str] = mapped_column(String(300), default="")  # the page where it can be mended
    count: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    notices: Mapped[list["AlertNotice"]] = relationship(
        back_populates="alert", order_by="AlertNotice.id"
    )


class AlertRoute(Model):
    """Where alerts are told: an e-mail address, or a signed webhook."""

    __tablename__ = "alert_routes"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[RouteKind] = mapped_column(by_value(RouteKind))
    address: Mapped[str] = mapped_column(String(500))
    lang: Mapped[str] = mapped_column(String(8), default="en")  # in which the alerts are worded
    sealed: Mapped[str] = mapped_column(Text, default="")  # the webhook's signing secret
    is_active: Mapped[bool] = mapped_column(default=True)
    last_told_at: Mapped[datetime | None]
    last_fault: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]


class AlertNotice(Model):
    """One alert on its way along one route: once for its opening, tried until it is out."""

    __tablename__ = "alert_notices"
    __table_args__ = (UniqueConstraint("alert_id", "route_id"), Index(None, "state", "next_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    route_id: Mapped[int] = mapped_column(
        ForeignKey("alert_routes.id", ondelete="CASCADE"), index=True
    )
    state: Mapped[AlertState] = mapped_column(by_value(AlertState), default=AlertState.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(String(300), default="")

    alert: Mapped[Alert] = relationship(back_populates="notices")
    route: Mapped[AlertRoute] = relationship()


class UtmRule(Model):
    """What is added to outside addresses behind tracked links, for one channel or (empty) for all others."""

    __tablename__ = "utm_rules"
    __table_args__ = (UniqueConstraint("channel"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), default="")
    source: Mapped[str] = mapped_column(String(120), default="")
    medium: Mapped[str] = mapped_column(String(120), default="")
    campaign: Mapped[str] = mapped_column(String(120), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
