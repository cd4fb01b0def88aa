"""Whether the carrier takes what would be sent, counted by its own rule."""

from typing import Any

from cms.core.errors import Problem
from cms.core.i18n import N_
from cms.core.text import is_blank
from schedules.channels import CHANNELS
from schedules.preflight.asking import Concern, Question, Subject

EMPTY = Problem("content_empty", N_("There is nothing to read here. Write something."))


def _ask(subject: Subject, _known: Any) -> list[Concern]:
    content = subject.content
    if content is None:
        return []
    found = []
    if is_blank(content.text) and not content.pictures and not content.link:
        found.append(Concern(EMPTY))
    problems = CHANNELS.get(subject.account.channel).problems(content)
    return found + [Concern(problem) for problem in problems]


QUESTION = Question("carrier", _ask)
