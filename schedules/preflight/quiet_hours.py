"""Whether the post would leave in its calendar's quiet hours."""

from typing import Any

from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules import calendars
from schedules.preflight.asking import WHEN_IT_LEAVES, Concern, Question, Subject
from schedules.warnings import Fix

QUIET = N_("Nothing goes out in the quiet hours from %(begins)s to %(ends)s. Choose another time.")


def _ask(subject: Subject, _known: Any) -> list[Concern]:
    calendar = subject.calendar
    if not calendars.is_quiet(calendar, subject.at):
        return []
    hours = {"begins": f"{calendar.quiet_from:%H:%M}", "ends": f"{calendar.quiet_until:%H:%M}"}
    return [Concern(Problem("quiet_hours", QUIET, hours), fix=Fix.MOVE)]


QUESTION = Question("quiet_hours", _ask, asked=WHEN_IT_LEAVES)
