"""When a post may leave: never in quiet hours, and only as often as its pool is to be written to."""

from datetime import datetime, time, timedelta

import pytest
import time_machine

from cms.core.clock import now
from schedules import calendars
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.asking import approve, codes, refused, stopping
from tests.schedules.ready import approved, change, submitted, tried

pytestmark = pytest.mark.usefixtures("app")


class TestQuietHours:
    @pytest.mark.parametrize(
        ("begins", "ends", "at", "is_quiet"),
        [
            ((22, 0), (7, 0), "2026-05-18T21:59+08:00", False),
            ((22, 0), (7, 0), "2026-05-18T22:00+08:00", True),
            ((22, 0), (7, 0), "2026-05-19T06:59+08:00", True),
            ((22, 0), (7, 0), "2026-05-19T07:00+08:00", False),
            ((12, 0), (14, 0), "2026-05-19T13:00+08:00", True),
            ((12, 0), (14, 0), "2026-05-19T11:59+08:00", False),
        ],
    )
    def test_wall_times_on_both_sides_of_midnight(self, begins, ends, at, is_quiet):
        calendar = make.calendar(quiet_from=time(*begins), quiet_until=time(*ends))
        assert calendars.is_quiet(calendar, datetime.fromisoformat(at)) is is_quiet

    @pytest.mark.parametrize(
        ("at", "is_quiet"),
        [
            # 25 October 2026 in Berlin: 02:00–03:00 comes twice; the longer night is meant.
            ("2026-10-25T00:15+00:00", True),  # 02:15 the first time
            ("2026-10-25T00:45+00:00", True),  # 02:45 the first time
            ("2026-10-25T01:15+00:00", True),  # 02:15 the second time
            ("2026-10-25T01:30+00:00", False),  # 02:30 the second time
            # 29 March 2026: 02:30 does not exist, the jump from 02:00 to 03:00 ends the night.
            ("2026-03-29T00:59+00:00", True),  # 01:59
            ("2026-03-29T01:00+00:00", False),  # 03:00
        ],
    )
    def test_nights_on_which_the_clocks_are_set(self, at, is_quiet):
        calendar = make.calendar(
            timezone="Europe/Berlin", quiet_from=time(23), quiet_until=time(2, 30)
        )
        assert calendars.is_quiet(calendar, datetime.fromisoformat(at)) is is_quiet

    def test_a_day_that_never_was(self):
        """Samoa had no 30 December 2011."""
        calendar = make.calendar(timezone="Pacific/Apia", quiet_from=time(22), quiet_until=time(7))
        midnight = datetime.fromisoformat("2011-12-31T00:00+14:00")
        assert calendars.is_quiet(calendar, midnight)
        assert calendars.is_quiet(calendar, midnight + timedelta(hours=6, minutes=59))
        assert not calendars.is_quiet(calendar, midnight + timedelta(hours=7))

    def test_no_hours_are_never_quiet(self):
        assert not calendars.is_quiet(make.calendar(), now())

    def test_a_post_at_night_is_refused_when_approved_and_held_when_it_comes_late(self):
        with time_machine.travel("2026-05-18T12:00:00Z", tick=False):
            night = make.calendar(quiet_from=time(22), quiet_until=time(7))
            late = submitted(calendar=night, publish_at=now() + timedelta(hours=3))
            assert refused(late) == "quiet_hours"
            publication = approved(calendar=night, publish_at=now() + timedelta(hours=1))
            change(publication, late_after=now() + timedelta(hours=5))
        with time_machine.travel("2026-05-18T14:05:00Z", tick=False):
            tried(publication)
        assert publication.state is State.HELD
        assert publication.reason_parts["params"] == {"begins": "22:00", "ends": "07:00"}


class TestContacts:
    def posts_at(self, pool, calendar, *whens):
        return [submitted(pool=pool, calendar=calendar, publish_at=when) for when in whens]

    def test_a_day_is_a_wall_day_and_a_week_begins_on_monday(self):
        with time_machine.travel("2026-05-18T00:00:00Z", tick=False):  # a Monday, 08:00 there
            pool = make.pool(most_per_day=1, most_per_week=2)
            calendar = make.calendar()
            monday = datetime.fromisoformat("2026-05-18T23:50+08:00")
            same_day, next_day, sunday, next_week = (
                monday - timedelta(hours=1),
                monday + timedelta(minutes=20),
                monday + timedelta(days=6),
                monday + timedelta(days=6, minutes=20),
            )
            first, *others = self.posts_at(
                pool, calendar, monday, same_day, next_day, sunday, next_week
            )
            approve(first)
            assert refused(others[0]) == "contact_policy"
            approve(others[1])
            assert refused(others[2]) == "contact_policy"  # the week's third
            approve(others[3])

    def test_only_what_is_settled_counts_and_not_the_post_itself(self):
        pool, calendar = make.pool(most_per_day=1), make.calendar()
        at = now() + timedelta(minutes=10)
        first, second = self.posts_at(pool, calendar, at, at + timedelta(minutes=1))
        assert codes(first) == codes(second) == []
        approve(first)
        assert codes(first) == []
        assert stopping(second) == ["contact_policy"]
        change(first.publication, state=State.CANCELLED)
        assert codes(second) == []

    @pytest.mark.parametrize(
        ("state", "counts"),
        [
            (State.CLAIMED, True),
            (State.SENDING, True),
            (State.PUBLISHED, True),
            (State.HANDED_OVER, True),
            (State.UNCERTAIN, True),
            (State.HELD, False),
            (State.MISSED, False),
            (State.FAILED, False),
        ],
    )
    def test_which_states_reach_the_pool(self, state, counts):
        pool, calendar = make.pool(most_per_day=1), make.calendar()
        at = now() + timedelta(minutes=1)
        first, second = self.posts_at(pool, calendar, at, at)
        change(first.publication, state=state)
        assert (stopping(second) == ["contact_policy"]) is counts

    def test_when_the_limit_was_lowered_afterwards_the_earlier_post_goes(self):
        pool, calendar = make.pool(), make.calendar()
        first, second = (
            approved(pool=pool, calendar=calendar, publish_at=now() - timedelta(seconds=ago))
            for ago in (40, 20)
        )
        change(pool, most_per_day=1)
        assert tried(second).state is State.HELD
        assert tried(first).state is State.PUBLISHED
