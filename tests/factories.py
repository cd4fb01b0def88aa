"""Makes rows for tests: sensible defaults, every field can be given. Each call is one transaction."""

import itertools
import secrets
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from audience.models import Persona, Pool, PoolKind, Stage, StageGroup
from cms.accounts.models import Role, User
from cms.core.clock import now
from cms.core.db import session, transaction
from content_library.models import (
    Asset,
    AssetStatus,
    AssetTag,
    AssetVersion,
    Tag,
    TagGroup,
    TagSource,
)
from schedules.models import AccountPool, Calendar, ChannelAccount, Post, Publication, TrackedLink
from schedules.states import PublicationState, ReviewState

_numbers = itertools.count(1)


def _add(row: Any) -> Any:
    with transaction():
        session.add(row)
    return row


def user(role: Role = Role.PLANNER, **fields: Any) -> User:
    n = next(_numbers)
    values = {"login": f"user{n}@example.com", "name": f"User {n}", "created_at": now()}
    return _add(User(role=role, **(values | fields)))


def stage(**fields: Any) -> Stage:
    n = next(_numbers)
    values = {
        "slug": f"stage-{n}",
        "name_en": f"Stage {n}",
        "name_zh": f"阶段{n}",
        "group": StageGroup.CORE,
        "position": n,
    }
    return _add(Stage(**(values | fields)))


def persona(**fields: Any) -> Persona:
    n = next(_numbers)
    return _add(Persona(**({"slug": f"persona-{n}", "name": f"Persona {n}"} | fields)))


def pool(**fields: Any) -> Pool:
    n = next(_numbers)
    values = {
        "slug": f"pool-{n}",
        "name": f"Pool {n}",
        "kind": PoolKind.GROUP,
        "size": 200,
        "feed_token": secrets.token_urlsafe(16),
        "updated_at": now(),
    }
    if "stage" not in fields and "stage_id" not in fields:
        values["stage_id"] = stage().id
    return _add(Pool(**(values | fields)))


def tag(group: str = "theme", **fields: Any) -> Tag:
    n = next(_numbers)
    with transaction():
        owner = session.query(TagGroup).filter_by(slug=group).one_or_none()
        if owner is None:
            owner = TagGroup(slug=group, name_en=group.title(), name_zh=group)
            session.add(owner)
        values = {"slug": f"tag-{n}", "name_en": f"Tag {n}", "name_zh": f"标签{n}", "position": n}
        made = Tag(group=owner, **(values | fields))
        session.add(made)
    return made


def asset(*tags: Tag, **fields: Any) -> Asset:
    """An article with one version, ready to post, carrying the given tags by human decision."""
    n = next(_numbers)
    body = fields.pop("body", f"Body of article {n}.")
    summary = fields.pop("summary", f"Summary {n}")
    html = fields.pop("html", f"<p>{body}</p>")
    content = fields.pop("content", {})
    values = {
        "kind": "article",
        "title": f"Article {n}",
        "lang": "en",
        "latest_number": 1,
        "status": AssetStatus.READY,
        "created_at": now(),
        "updated_at": now(),
    }
    with transaction():
        made = Asset(**(values | fields))
        made.versions.append(
            AssetVersion(
                number=1,
                title=made.title,
                summary=summary,
                body=body,
                html=html,
                lang=made.lang,
                content=content,
                created_at=now(),
            )
        )
        session.add(made)
        session.flush()  # the tags need the asset's id
        for one in tags:
            session.add(
                AssetTag(asset_id=made.id, tag_id=one.id, source=TagSource.HUMAN, decided_at=now())
            )
    return made


def calendar(**fields: Any) -> Calendar:
    n = next(_numbers)
    values = {"slug": f"calendar-{n}", "name": f"Calendar {n}", "timezone": "Asia/Shanghai"}
    return _add(Calendar(**(values | fields)))


def account(*pools: Pool, **fields: Any) -> ChannelAccount:
    n = next(_numbers)
    values = {
        "slug": f"account-{n}",
        "channel": "reader",
        "name": f"Account {n}",
        "created_at": now(),
    }
    made = _add(ChannelAccount(**(values | fields)))
    for one in pools:
        _add(AccountPool(account_id=made.id, pool_id=one.id))
    return made


def post(**fields: Any) -> Post:
    """A draft post due in one hour, with its planned publication and tracked link."""
    of_asset = fields.pop("asset", None) or asset()
    to_pool = fields.pop("pool", None) or pool()
    through = fields.pop("account", None) or account(to_pool)
    into = fields.pop("calendar", None) or calendar()
    state = fields.pop("state", PublicationState.PLANNED)
    when = fields.pop("publish_at", now() + timedelta(hours=1))
    wall = when.astimezone(ZoneInfo(into.timezone))
    values = {
        "text": "Worth a read",
        "review": ReviewState.DRAFT,
        "created_at": now(),
        "updated_at": now(),
    }
    with transaction():
        made = Post(
            calendar_id=into.id,
            pool_id=to_pool.id,
            account_id=through.id,
            asset_id=of_asset.id,
            version_id=of_asset.versions[0].id,
            publish_at=when,
            wall_date=wall.date(),
            wall_time=wall.time(),
            zone=into.timezone,
            **(values | fields),
        )
        session.add(made)
        session.flush()  # the publication needs the post's id
        made.publication = Publication(
            account_id=through.id,
            pool_id=to_pool.id,
            state=state,
            due_at=when,
            late_after=when + timedelta(hours=2),
            idempotency_key=secrets.token_hex(16),
            public_id=secrets.token_urlsafe(16),
            updated_at=now(),
        )
        made.publication.links.append(TrackedLink(code=secrets.token_urlsafe(8), created_at=now()))
    return made
