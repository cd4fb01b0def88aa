"""A small team's calendar to plan in: one pool, one account, a day well ahead."""

from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import transaction
from schedules import approvals, posts
from schedules.models import Post
from tests import factories as make


class World:
    """`day` is a Wednesday at least a week ahead, so that its whole week lies in the future."""

    def __init__(self, **calendar: Any) -> None:
        self.calendar = make.calendar(**calendar)
        self.zone = ZoneInfo(self.calendar.timezone)
        self.today = now().astimezone(self.zone).date()
        self.monday = self.today - timedelta(days=self.today.weekday()) + timedelta(days=7)
        self.day = self.monday + timedelta(days=2)
        self.planner = make.user(Role.PLANNER)
        self.pool, self.other_pool = make.pool(), make.pool()
        self.account = make.account(self.pool, self.other_pool)

    def plan(self, *, on: date | None = None, at: time = time(20, 30), **fields: Any) -> Post:
        values = {
            "calendar": self.calendar,
            "pool": self.pool,
            "account": self.account,
            "wall_date": on or self.day,
            "wall_time": at,
            "by": self.planner,
        }
        if "asset" not in fields:
            fields["asset"] = make.asset()
        with transaction():
            return posts.create(**(values | fields))

    def approved(self, **fields: Any) -> Post:
        post = self.plan(**fields)
        with transaction():
            posts.submit(post, by=self.planner)
        with transaction():
            approvals.approve(post, revision=post.revision, by=make.user(Role.OPERATOR))
        return post
