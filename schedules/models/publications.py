"""The publishing ledger: publications, attempts, hand-overs, tracked links, reader entries."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from audience.models import Pool
from cms.accounts.models import User
from cms.core.db import Model, by_value
from schedules.models.calendars import ChannelAccount
from schedules.models.posts import Post
from schedules.states import Act, HandOverState, LinkCheck, Outcome, PublicationState

if TYPE_CHECKING:
    from schedules.models.carriers import EmployeeTask


class Publication(Model):
    """One thing that must happen exactly once: this post, through this account, to this pool."""

    __tablename__ = "publications"
    __table_args__ = (
        UniqueConstraint("post_id", "account_id", "pool_id", "occurrence"),
        UniqueConstraint("idempotency_key"),
        UniqueConstraint("public_id"),
        Index(None, "state", "due_at"),
        Index(None, "account_id", "state", "due_at"),
        Index(None, "state", "lease_until"),
        Index(None, "poll_at"),
        Index(None, "wish_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_accounts.id"))
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"), index=True)
    occurrence: Mapped[int] = mapped_column(default=0)
    state: Mapped[PublicationState] = mapped_column(
        by_value(PublicationState), default=PublicationState.PLANNED
    )
    due_at: Mapped[datetime]  # moves later while an account is limited or an answer says wait
    late_after: Mapped[datetime]  # past this it is missed, not late
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    claimed_by: Mapped[str] = mapped_column(String(80), default="")
    crashes: Mapped[int] = mapped_column(default=0)  # leases that ran out while sending
    tries: Mapped[int] = mapped_column(default=0)  # answers `not_sent` since it was scheduled
    idempotency_key: Mapped[str] = mapped_column(String(64))
    public_id: Mapped[str] = mapped_column(String(40))  # names the reader page; 128 random bits
    content_hash: Mapped[str | None] = mapped_column(String(64))  # what was approved
    reason: Mapped[str] = mapped_column(String(500), default="")  # why failed, held, missed …
    reason_parts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # template, what fills it
    external_id: Mapped[str] = mapped_column(String(200), default="")
    external_url: Mapped[str] = mapped_column(String(500), default="")
    reach: Mapped[int] = mapped_column(default=0)  # size of the pool when it was published
    carrier_facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # steps done: draft, jobid
    expected: Mapped[int] = mapped_column(default=0)  # people asked to confirm
    confirmed: Mapped[int] = mapped_column(default=0)  # of them, those who did
    confirm_by: Mapped[datetime | None]  # past this nobody is waited for any more
    poll_at: Mapped[datetime | None]  # when the carrier is to be asked how far it is
    polls: Mapped[int] = mapped_column(default=0)
    wish: Mapped[Act | None] = mapped_column(by_value(Act))  # to amend or withdraw what is live
    wish_at: Mapped[datetime | None]
    wish_tries: Mapped[int] = mapped_column(default=0)
    wish_text: Mapped[str] = mapped_column(Text, default="")  # of an amendment: the new words
    wish_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    published_at: Mapped[datetime | None] = mapped_column(index=True)
    amended_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    post: Mapped[Post] = relationship(back_populates="publication")
    account: Mapped[ChannelAccount] = relationship()
    pool: Mapped[Pool] = relationship()
    attempts: Mapped[list["Attempt"]] = relationship(
        back_populates="publication", order_by="Attempt.id"
    )
    hand_overs: Mapped[list["HandOver"]] = relationship(back_populates="publication")
    links: Mapped[list["TrackedLink"]] = relationship(back_populates="publication")
    employee_tasks: Mapped[list["EmployeeTask"]] = relationship(
        back_populates="publication", order_by="EmployeeTask.employee"
    )


class Attempt(Model):
    """One try, written before the first byte leaves; `outcome` stays null until it is known."""

    __tablename__ = "attempts"
    __table_args__ = (UniqueConstraint("publication_id", "fence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"))
    fence: Mapped[int]
    act: Mapped[Act] = mapped_column(by_value(Act), default=Act.SEND)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None] = mapped_column(by_value(Outcome))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)  # answer, next try; secrets masked

    publication: Mapped[Publication] = relationship(back_populates="attempts")


class HandOver(Model):
    """A pack given to the holder of a persona, who posts it by hand and says so with proof."""

    __tablename__ = "hand_overs"
    __table_args__ = (UniqueConstraint("publication_id", "pool_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"))
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"), index=True)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    state: Mapped[HandOverState] = mapped_column(
        by_value(HandOverState), default=HandOverState.WAITING
    )
    given_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    note: Mapped[str] = mapped_column(String(500), default="")
    proof_media_id: Mapped[int | None] = mapped_column(ForeignKey("media.id"), index=True)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    decided_at: Mapped[datetime | None]

    publication: Mapped[Publication] = relationship(back_populates="hand_overs")
    pool: Mapped[Pool] = relationship()
    assignee: Mapped[User | None] = relationship(foreign_keys=[assignee_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])


class TrackedLink(Model):
    """A short code in a post. `target` empty: the post's own reader page; else an outside address."""

    __tablename__ = "tracked_links"
    __table_args__ = (UniqueConstraint("code"), UniqueConstraint("publication_id", "target"))

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"))
    target: Mapped[str] = mapped_column(String(1000), default="")
    alias: Mapped[str | None] = mapped_column(
        String(60), unique=True, index=True
    )  # a name people can read
    written: Mapped[str] = mapped_column(
        String(60), default=""
    )  # the alias that approved words carry; "": the code
    expires_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    check: Mapped[LinkCheck] = mapped_column(by_value(LinkCheck), default=LinkCheck.UNKNOWN)
    check_note: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]

    publication: Mapped[Publication] = relationship(back_populates="links")


class ReaderEntry(Model):
    """What the `reader` channel put into a pool's feed; unique by key, so a resend changes nothing."""

    __tablename__ = "reader_entries"
    __table_args__ = (UniqueConstraint("key"), Index(None, "pool_id", "published_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"), index=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text, default="")
    published_at: Mapped[datetime]

    publication: Mapped[Publication] = relationship()
