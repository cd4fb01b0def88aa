"""Posts as the engine meets them: submitted by one person, approved by another, due."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role, User
from cms.core.clock import now
from cms.core.db import Model, session, transaction
from schedules import approvals, publishing
from schedules.models import ChannelAccount, HandOver, Post, Publication
from schedules.states import PublicationState, ReviewState
from tests import factories as make


def submitted(**fields: Any) -> Post:
    """A post that waits for approval."""
    author_id = fields.pop("author_id", None) or make.user(Role.PLANNER).id
    given = {
        "review": ReviewState.SUBMITTED,
        "created_by_id": author_id,
        "submitted_by_id": author_id,
        "submitted_at": now(),
    }
    return make.post(**(given | fields))


def account(script: Any = "ok", repeat: str = "K", **fields: Any) -> ChannelAccount:
    """A sandbox account that answers by that script and is of that class; no limit in the way."""
    settings = {"script": script, "class": repeat, **fields.pop("settings", {})}
    return make.account(channel="sandbox", settings=settings, **({"per_minute": 6000} | fields))


def approved(by: User | None = None, **fields: Any) -> Publication:
    """A publication due a minute ago, its post approved just now."""
    pool = fields.pop("pool", None) or make.pool()
    way = fields.pop("account", None) or account()
    if pool not in way.pools:
        with transaction():
            way.pools.append(pool)
    due = fields.pop("publish_at", now() - timedelta(minutes=1))
    post = submitted(pool=pool, account=way, publish_at=due, **fields)
    with transaction():
        approvals.approve(post, revision=post.revision, by=by or make.user(Role.OPERATOR))
    assert post.publication.state is PublicationState.SCHEDULED
    return post.publication


def tried(publication: Publication) -> Publication:
    """After a worker has come by."""
    publishing.publish(publication.id, worker="here")
    session.expire_all()
    return publication


def again(publication: Publication) -> Publication:
    """Tried once more: its wait and its account's are over."""
    with transaction():
        publication.due_at = now()
        publication.account.blocked_until = None
    return tried(publication)


def given(holder: User) -> HandOver:
    """A pack that its holder is to post by hand."""
    persona = make.persona(holder_id=holder.id)
    way = make.account(channel="manual", persona_id=persona.id, per_minute=6000)
    publication = tried(approved(account=way, pool=make.pool(size=320)))
    assert publication.state is PublicationState.HANDED_OVER
    return session.scalars(select(HandOver)).one()


def uncertain() -> Publication:
    """One of which nobody knows whether it is live."""
    publication = tried(approved(account=account("uncertain ok", "N")))
    assert publication.state is PublicationState.UNCERTAIN
    return publication


def change(row: Model, **values: Any) -> None:
    """As if somebody or something else had written it meanwhile."""
    with transaction():
        for name, value in values.items():
            setattr(row, name, value)


def moves_of(publication: Publication) -> list[str]:
    """What the audit trail tells of it, from the first to the last."""
    found = select(AuditEntry.action).where(
        AuditEntry.object_type == "publications", AuditEntry.object_id == publication.id
    )
    actions = session.scalars(found.order_by(AuditEntry.id))
    return [action.removeprefix("publication.") for action in actions]
