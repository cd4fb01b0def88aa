"""Fills an empty data directory: approved, due posts on accounts of the classes K, Q and N.

Runs as a process of its own, so that the judge never shares a session with the judged.
"""

import argparse
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import db, session, transaction
from cms.factory import create_app
from content_library.models import Asset
from schedules import approvals, publications
from schedules.content import content_hash, outgoing
from schedules.models import ChannelAccount, Post, Publication
from schedules.states import PublicationState, ReviewState
from tests import factories as make


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--classes", default="KQN")
    parser.add_argument("--query", default="")
    parser.add_argument(
        "--within", type=float, default=0.0, help="seconds over which they fall due"
    )
    parser.add_argument("--unapproved", type=int, default=0)
    parser.add_argument("--twice", action="store_true", help="plan every post a second time")
    chosen = parser.parse_args()
    app = create_app()
    with app.app_context():
        db.create_all()
        fill(chosen)


def fill(chosen: argparse.Namespace) -> None:
    operator, author = make.user(Role.OPERATOR), make.user(Role.PLANNER)
    calendar, asset, pool = make.calendar(), make.asset(), make.pool()
    for kind in chosen.classes:
        endpoint = f"{chosen.endpoint}/{kind}?{chosen.query}"
        settings = {"endpoint": endpoint, "class": kind}
        way = make.account(pool, channel="sandbox", settings=settings, per_minute=60_000)
        for number in range(chosen.each + chosen.unapproved):
            due = now() + timedelta(seconds=chosen.within * number / max(1, chosen.each))
            with transaction():
                post = planned(way, calendar.id, asset, pool.id, due, author.id)
            if number >= chosen.each:
                continue
            with transaction():
                approvals.approve(post, revision=1, by=operator)
            if chosen.twice:
                plan_again(post)


def planned(
    way: ChannelAccount,
    calendar_id: int,
    asset: Asset,
    pool_id: int,
    due: datetime,
    author_id: int,
) -> Post:
    zone = ZoneInfo("Asia/Shanghai")
    post = Post(
        calendar_id=calendar_id,
        pool_id=pool_id,
        account_id=way.id,
        asset_id=asset.id,
        version_id=asset.versions[0].id,
        text="Worth a read",
        media_ids=[],
        publish_at=due,
        wall_date=due.astimezone(zone).date(),
        wall_time=due.astimezone(zone).time(),
        zone=str(zone),
        review=ReviewState.SUBMITTED,
        created_by_id=author_id,
        submitted_by_id=author_id,
        created_at=now(),
        updated_at=now(),
    )
    session.add(post)
    session.flush()
    publications.plan(post)
    return post


def plan_again(post: Post) -> None:
    """What a second process does that plans and schedules the same post a moment later."""
    with transaction():
        publications.plan(post)
        pinned = content_hash(outgoing(post))
        doubles = select(Publication).where(
            Publication.post_id == post.id, Publication.state == PublicationState.PLANNED
        )
        for publication in session.scalars(doubles).all():
            publications.schedule(publication, pinned, by=None)


if __name__ == "__main__":
    main()
