"""Whether the post would leave inside a blackout."""

from collections.abc import Sequence

from cms.core.config import current
from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules import blackouts
from schedules.models import Blackout
from schedules.preflight.asking import WHEN_IT_LEAVES, Asked, Concern, Question, Subject
from schedules.warnings import Fix

DARK = N_("Nothing may go out from %(starts)s to %(ends)s: %(reason)s")


def _learn(subjects: Sequence[Subject], _asked: Asked) -> list[Blackout]:
    moments = [subject.at for subject in subjects]
    return blackouts.between(min(moments), max(moments))


def _ask(subject: Subject, known: list[Blackout]) -> list[Concern]:
    return [
        Concern(_told(one), fix=Fix.MOVE)
        for one in known
        if one.starts_at <= subject.at < one.ends_at
        and blackouts.covers(one, subject.calendar.id, subject.account.id)
    ]


def _told(one: Blackout) -> Problem:
    starts, ends = (moment.astimezone(current().zone) for moment in (one.starts_at, one.ends_at))
    return Problem(
        "blackout",
        DARK,
        {
            "starts": f"{starts:%Y-%m-%d %H:%M}",
            "ends": f"{ends:%Y-%m-%d %H:%M}",
            "reason": one.reason,
        },
    )


QUESTION = Question("blackout", _ask, _learn, WHEN_IT_LEAVES)
