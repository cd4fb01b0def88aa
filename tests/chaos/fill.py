"""Fills an empty data directory: approved, due posts on accounts of the classes K, Q and N.

Runs as a process of its own, so that the judge never shares a session with the judged.
"""

import argparse
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from cms.accounts.models import Role, User
from cms.accounts.passwords import hashed
from cms.core.clock import now
from cms.core.db import db, session, transaction
from cms.factory import create_app
from content_library.models import Asset
from schedules import approvals, publications
from schedules.content import content_hash, outgoing
from schedules.models import ChannelAccount, Post, Publication
from schedules.states import PublicationState, ReviewState
from tests import factories as make
from tests.chaos.copies import copy

BATCH = 50


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--classes", default="KQN")
    parser.add_argument("--query", default="")
    parser.add_argument(
        "--within", type=float, default=0.0, help="seconds over which they fall due"
    )
    parser.add_argument("--delay", type=float, default=0.0, help="seconds until the first is due")
    parser.add_argument("--unapproved", type=int, default=0)
    parser.add_argument("--accounts", type=int, default=1, help="accounts of each class")
    parser.add_argument(
        "--by-web", type=int, default=0, help="of each account, left to be approved"
    )
    parser.add_argument("--password", default="", help="the operator's, for signing in")
    parser.add_argument("--copied", action="store_true", help="approve one, copy it for the rest")
    parser.add_argument("--twice", action="store_true", help="plan every post a second time")
    chosen = parser.parse_args()
    app = create_app()
    with app.app_context():
        db.create_all()
        fill(chosen)


def fill(chosen: argparse.Namespace) -> None:
    operator, author = make.user(Role.OPERATOR), make.user(Role.PLANNER)
    if chosen.password:
        with transaction():
            session.get_one(User, operator.id).password_hash = hashed(chosen.password)
    # Late by a day is late here: what is counted is lost, doubled and false, not what was too late.
    calendar = make.calendar(late_group_minutes=24 * 60)
    asset, pool = make.asset(), make.pool()
    began = now() + timedelta(seconds=chosen.delay)
    for kind in chosen.classes * chosen.accounts:
        endpoint = f"{chosen.endpoint}/{kind}?{chosen.query}"
        settings = {"endpoint": endpoint, "class": kind}
        way = make.account(pool, channel="sandbox", settings=settings, per_minute=60_000)
        dues = [
            began + timedelta(seconds=chosen.within * number / max(1, chosen.each))
            for number in range(chosen.each + chosen.unapproved)
        ]
        approved = range(chosen.by_web, chosen.each)
        copied = approved[1:] if chosen.copied else range(0)
        numbers = [number for number in range(len(dues)) if number not in copied]
        for some in (numbers[first : first + BATCH] for first in range(0, len(numbers), BATCH)):
            with transaction():
                for number in some:
                    post = planned(way, calendar.id, asset, pool.id, dues[number], author.id)
                    if number in approved:
                        approvals.approve(post, revision=1, by=operator)
                        pattern = post
            if chosen.twice:
                plan_again(post)
        if copied:
            copy(pattern, [dues[number] for number in copied])
    if chosen.by_web:
        print(operator.login)


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
