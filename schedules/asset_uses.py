"""Answers the library's question where an asset is used: in which posts, and until when."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload

from cms.core.db import session
from content_library.where_used import AssetUses, Use
from schedules.models import Post, Publication
from schedules.states import PublicationState

PAST = (PublicationState.PUBLISHED, PublicationState.CANCELLED)


class PostUses(AssetUses):
    slug = "posts"

    def of(self, asset_id: int) -> list[Use]:
        posts = session.scalars(
            select(Post)
            .join(Post.publication)
            .where(Post.asset_id == asset_id)
            .options(contains_eager(Post.publication))
            .options(joinedload(Post.pool), joinedload(Post.version))
            .order_by(Post.publish_at.desc())
        ).unique()
        return [
            Use(
                noun="post",
                id=post.id,
                title=post.pool.name,
                at=post.publish_at,
                state=post.publication.state.value,
                version_number=post.version.number,
                is_pending=post.publication.state not in PAST,
            )
            for post in posts
        ]

    def last_used(self, asset_ids: Collection[int]) -> dict[int, datetime]:
        rows = session.execute(
            select(Post.asset_id, func.max(Post.publish_at))
            .join(Publication, Publication.post_id == Post.id)
            .where(Post.asset_id.in_(list(asset_ids)))
            .where(Publication.state != PublicationState.CANCELLED)
            .group_by(Post.asset_id)
        )
        return {asset_id: at for asset_id, at in rows}
