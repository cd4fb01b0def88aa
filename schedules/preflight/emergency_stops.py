"""Whether sending is stopped just now: said beforehand, but no post is held for it, they wait."""

from collections.abc import Sequence

from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules import stops
from schedules.models import Stop
from schedules.preflight.asking import Asked, Concern, Level, Question, Subject
from schedules.warnings import Fix

STOPPED = N_("Sending has been stopped: %(reason)s. The post waits until somebody lifts the stop.")


def _learn(_subjects: Sequence[Subject], _asked: Asked) -> list[Stop]:
    return stops.in_force()


def _ask(subject: Subject, known: list[Stop]) -> list[Concern]:
    stop = stops.covering(known, subject.account)
    if stop is None:
        return []
    told = Problem("stopped", STOPPED, {"reason": stop.reason.rstrip(".。")})
    return [Concern(told, Level.WARNS, Fix.LIFT)]


QUESTION = Question("stop", _ask, _learn, frozenset({Asked.PLANNED}))
