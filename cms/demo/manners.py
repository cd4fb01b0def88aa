"""What the demo team has agreed with itself: nights in which nothing leaves, and how links are marked."""

from datetime import date, time, timedelta

from cms.accounts.models import User
from schedules import blackouts, utm
from schedules.blackouts import BlackoutFields, Edge
from schedules.utm import UtmFields

# No slot lies in these hours, so that no post is held by them.
NIGHT, DAWN = time(23, 30), time(6, 30)
# Days from this Monday until the evening, and why.
DARK = ((-9, "阅读页迁移到新服务器"), (12, "机房检修，夜里什么都不发"))
RULES = (
    UtmFields(source="hedeng", medium="{channel}", campaign="{stage}-{week}"),
    UtmFields(channel="email", source="hedeng", medium="letter", campaign="{week}"),
)


def agree(this_monday: date, by: User) -> None:
    """Write them down."""
    for days, reason in DARK:
        evening = this_monday + timedelta(days=days)
        ends = Edge(evening + timedelta(days=1), DAWN)
        blackouts.add(BlackoutFields(Edge(evening, NIGHT), ends, reason), by=by)
    for rule in RULES:
        utm.save(rule, by=by)
