"""Facts about posts as they arrived, each stored once, and what readers wrote."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cms.core.db import Model, by_value
from schedules.models import Publication


class Verdict(StrEnum):
    HUMAN = "human"
    SUSPECTED = "suspected"
    BOT = "bot"


class Flag(StrEnum):
    """Why an event is kept but takes no part in any statistics."""

    NONE = ""
    UNKNOWN_POST = "unknown_post"
    UNSIGNED_LATE = "unsigned_late"  # over a day old and not from a source that may say so
    TOO_LATE = "too_late"  # over a week old: its day is closed; shown in the correction report


class CommentState(StrEnum):
    HELD = "held"
    SHOWN = "shown"
    HIDDEN = "hidden"


class Event(Model):
    """One feedback event. Raw is every row; counted is judged and de-duplicated; confirmed is proven."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        Index(None, "publication_id", "day", "kind"),
        Index(None, "publication_id", "kind", "visitor_key"),
        Index(None, "publication_id", "effective_at"),
        Index(None, "flag", "received_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(40))  # link, page, import …: scope of event_id
    event_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))  # slug in feedback.kinds.KINDS
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publications.id"))
    link_code: Mapped[str] = mapped_column(String(24), default="")
    visitor_key: Mapped[str] = mapped_column(String(80), default="")
    key_strength: Mapped[str] = mapped_column(String(12), default="weak")  # token, cookie, weak
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    day: Mapped[date]  # of effective_at, in the workspace zone
    verdict: Mapped[Verdict] = mapped_column(by_value(Verdict))
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    flag: Mapped[Flag] = mapped_column(by_value(Flag), default=Flag.NONE)
    is_counted: Mapped[bool] = mapped_column(default=False)
    is_confirmed: Mapped[bool] = mapped_column(default=False)
    props: Mapped[dict[str, Any]] = mapped_column(default=dict)

    publication: Mapped[Publication | None] = relationship()


class ReaderComment(Model):
    """What a reader wrote under a post; shown to others only after a person let it through."""

    __tablename__ = "reader_comments"
    __table_args__ = (
        UniqueConstraint("event_id"),
        Index(None, "publication_id", "state"),
        Index(None, "state", "at"),
        Index(None, "network_key", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(80))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"))
    visitor_key: Mapped[str] = mapped_column(String(80))
    network_key: Mapped[str] = mapped_column(String(80), default="")  # for the rate limit only
    name: Mapped[str] = mapped_column(String(40), default="")
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[CommentState] = mapped_column(by_value(CommentState), default=CommentState.HELD)
    at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)

    publication: Mapped[Publication] = relationship()


class JournalOffset(Model):
    """How far a journal file has been read; moves in the same transaction as the rows it gave."""

    __tablename__ = "journal_offsets"

    file: Mapped[str] = mapped_column(String(200), primary_key=True)
    offset: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]
