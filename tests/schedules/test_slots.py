"""The weekly pattern and the calendar's settings."""

from datetime import time

import pytest

from cms.core.db import session, transaction
from cms.core.errors import Invalid
from schedules import calendars, slots
from schedules.calendars import CalendarFields
from tests import factories as make


def refused(call):
    with pytest.raises(Invalid) as caught, transaction():
        call()
    return caught.value.fields


def test_a_slot_is_added_once(app):
    calendar, account = make.calendar(), make.account()
    theme = make.tag(slug="trust")
    with transaction():
        slots.add(calendar, account, weekday=0, wall_time=time(8), wanted_theme=theme, by=None)
    (kept,) = session.scalars(slots.pattern(calendar)).all()
    assert (kept.weekday, kept.wall_time, kept.wanted_theme) == (0, time(8), theme)
    again = refused(lambda: slots.add(calendar, account, weekday=0, wall_time=time(8), by=None))
    assert again["wall_time"].code == "slot_exists"
    with transaction():
        slots.want(kept, None, by=None)
        slots.remove(kept, by=None)
    assert session.scalars(slots.pattern(calendar)).all() == []


def test_days_and_themes_are_checked(app):
    calendar, account, stage = make.calendar(), make.account(), make.tag("stage")
    bad_day = refused(lambda: slots.add(calendar, account, weekday=7, wall_time=time(8), by=None))
    assert bad_day["weekday"].code == "bad_weekday"
    bad_theme = refused(
        lambda: slots.add(
            calendar, account, weekday=1, wall_time=time(8), wanted_theme=stage, by=None
        )
    )
    assert bad_theme["wanted_theme"].code == "bad_theme"


@pytest.mark.parametrize(
    "name",
    ["", "x", "20261301T0800-1-1", "20260518T2460-1-1", "20260518T0800-1", "２0260518T0800-1-1"],
)
def test_what_is_no_slot_is_refused(app, name):
    with pytest.raises(Invalid) as caught:
        slots.parse(name)
    assert caught.value.problem.code == "bad_slot"


def test_a_calendar_tells_every_fault_at_once(app):
    fields = CalendarFields(" ", "Asia/Shanghia", 0, 30, -1)
    faults = refused(lambda: calendars.add(fields, by=None))
    assert set(faults) == {"name", "timezone", "late_moments_minutes", "gap_minutes"}
    assert "Asia/Shanghai" in str(faults["timezone"])


def test_changing_the_zone_leaves_planned_posts_at_their_instant(app):
    calendar = make.calendar()
    post = make.post(calendar=calendar)
    before = post.publish_at
    with transaction():
        calendars.change(calendar, CalendarFields("Ours", "Europe/Berlin"), by=None)
    assert (calendar.timezone, post.publish_at, post.zone) == (
        "Europe/Berlin",
        before,
        "Asia/Shanghai",
    )
