"""Assets, their frozen versions, their media, and the tags that say what they are for."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cms.accounts.models import User
from cms.core.db import Model, by_value


class AssetStatus(StrEnum):
    DRAFT = "draft"
    READY = "ready"
    RETIRED = "retired"


class TagSource(StrEnum):
    """Who said so; what a human said outranks every other source for ever."""

    HUMAN = "human"
    RULE = "rule"
    MODEL = "model"
    FEEDBACK = "feedback"


class TagGroup(Model):
    """What a set of tags answers: theme, scene, buying step, stage, product, format."""

    __tablename__ = "tag_groups"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40))
    name_en: Mapped[str] = mapped_column(String(80))
    name_zh: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(default=0)

    tags: Mapped[list["Tag"]] = relationship(back_populates="group", order_by="Tag.position")


class Tag(Model):
    """A label in a group. Tags of the group `stage` carry the slug of the stage they stand for."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("tag_groups.id"), index=True)
    slug: Mapped[str] = mapped_column(String(60))
    name_en: Mapped[str] = mapped_column(String(80))
    name_zh: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(default=0)
    hue: Mapped[int | None]  # 1..6, only for themes: which of the six colours marks it
    is_active: Mapped[bool] = mapped_column(default=True)

    group: Mapped[TagGroup] = relationship(back_populates="tags")
    aliases: Mapped[list["TagAlias"]] = relationship(
        back_populates="tag", cascade="all, delete-orphan"
    )


class TagAlias(Model):
    """Another spelling under which people look for, or import, a tag; folded to lower case."""

    __tablename__ = "tag_aliases"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))

    tag: Mapped[Tag] = relationship(back_populates="aliases")


class Media(Model):
    """One stored picture, named by the hash of its re-encoded bytes; renditions lie beside it."""

    __tablename__ = "media"
    __table_args__ = (UniqueConstraint("sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    mime: Mapped[str] = mapped_column(String(40))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]  # bytes
    file: Mapped[str] = mapped_column(String(200))
    renditions: Mapped[dict[str, Any]] = mapped_column(default=dict)  # name -> file, width, height
    original_name: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]


class Asset(Model):
    """Reusable content. What it says lives in its versions; what it is for lives in its tags."""

    __tablename__ = "assets"
    __table_args__ = (UniqueConstraint("source_key"), Index(None, "status", "updated_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    status: Mapped[AssetStatus] = mapped_column(by_value(AssetStatus), default=AssetStatus.DRAFT)
    title: Mapped[str] = mapped_column(String(200))  # of the current version, for lists
    lang: Mapped[str] = mapped_column(String(8), default="zh")
    source: Mapped[str] = mapped_column(String(200), default="")  # where it came from, in words
    rights: Mapped[str] = mapped_column(String(200), default="")
    source_key: Mapped[str | None] = mapped_column(String(300))  # an importer's name for it
    source_digest: Mapped[str | None] = mapped_column(String(64))  # of what was imported last
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    latest_number: Mapped[int] = mapped_column(default=0)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)

    owner: Mapped[User | None] = relationship()
    versions: Mapped[list["AssetVersion"]] = relationship(
        back_populates="asset", order_by="AssetVersion.number.desc()"
    )
    tag_links: Mapped[list["AssetTag"]] = relationship(
        back_populates="asset", cascade="all, delete-orphan"
    )


class AssetVersion(Model):
    """What an asset said at one save. Never changed afterwards; posts point here."""

    __tablename__ = "asset_versions"
    __table_args__ = (UniqueConstraint("asset_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id"), index=True)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(500), default="")
    body: Mapped[str] = mapped_column(Text, default="")  # Markdown as written
    html: Mapped[str] = mapped_column(Text, default="")  # rendered and sanitised at save
    lang: Mapped[str] = mapped_column(String(8), default="zh")
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what the kind alone knows
    note: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)

    asset: Mapped[Asset] = relationship(back_populates="versions")
    created_by: Mapped[User | None] = relationship()
    media_links: Mapped[list["VersionMedia"]] = relationship(
        back_populates="version", order_by="VersionMedia.position", cascade="all, delete-orphan"
    )


class VersionMedia(Model):
    """A picture in a version: its role (cover, poster, inline) and its words for who cannot see."""

    __tablename__ = "version_media"
    __table_args__ = (UniqueConstraint("version_id", "media_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(
        ForeignKey("asset_versions.id", ondelete="CASCADE"), index=True
    )
    media_id: Mapped[int] = mapped_column(ForeignKey("media.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    alt: Mapped[str] = mapped_column(String(300), default="")
    position: Mapped[int] = mapped_column(default=0)

    version: Mapped[AssetVersion] = relationship(back_populates="media_links")
    media: Mapped[Media] = relationship()


class AssetTag(Model):
    """That an asset carries a tag: who said so, how sure, and on what evidence."""

    __tablename__ = "asset_tags"

    asset_id: Mapped[int] = mapped_column(
        ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"), primary_key=True, index=True)
    source: Mapped[TagSource] = mapped_column(by_value(TagSource), default=TagSource.HUMAN)
    confidence: Mapped[float] = mapped_column(default=1.0)
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    decided_at: Mapped[datetime]

    asset: Mapped[Asset] = relationship(back_populates="tag_links")
    tag: Mapped[Tag] = relationship()


class TagChange(Model):
    """One change to an asset's tags, kept for ever, so that it can be explained and undone."""

    __tablename__ = "tag_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"), index=True)
    before: Mapped[dict[str, Any] | None]  # the link as it was; null: the tag was absent
    after: Mapped[dict[str, Any] | None]
    # Who made this change; `before` and `after` say who vouched for the tag.
    source: Mapped[TagSource] = mapped_column(by_value(TagSource), default=TagSource.HUMAN)
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    model_version: Mapped[str | None] = mapped_column(String(60))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    undone_at: Mapped[datetime | None]

    asset: Mapped[Asset] = relationship()
    tag: Mapped[Tag] = relationship()
    by: Mapped[User | None] = relationship()


class IndexTask(Model):
    """Outbox of the search index: this asset changed; written with the change, cleared once indexed."""

    __tablename__ = "index_tasks"

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
