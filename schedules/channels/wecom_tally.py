"""Whom each employee has reached at WeCom: asked employee by employee, a bounded number of calls a go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schedules.channels.wecom import Corporation, Rows
from schedules.channels.wecom_codes import NotReady, RecipientRefused

Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """How to ask whom one employee has reached; `is_open` tells rows of which more is to come.

    `is_late`: what cannot be asked by now is not waited for any more.
    """

    employee: str
    path: str
    body: Mapping[str, Any]
    name: str
    is_open: Callable[[Row], bool] = lambda _row: False
    is_late: bool = False


@dataclass(frozen=True)
class Tally:
    """Recipients asked for, employee by employee."""

    rows: list[tuple[str, Row]]  # employee, what WeCom says
    facts: dict[str, Any]  # to be kept: whom we have asked, and how far
    is_round: bool  # everybody has had a turn; the next round asks those who are not counted
    is_whole: bool  # everybody is counted


class _Going:
    """How far one round is: who is `counted` for good, who had a turn and `lags`, where to go on."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.counted = list(facts.get("counted") or [])
        self.lagging = list(facts.get("lagging") or [])
        self.place = list(facts.get("counting") or [])

    def knows(self, employee: str) -> bool:
        return employee in self.counted or employee in self.lagging

    def cursor(self, employee: str) -> str:
        return str(self.place[1]) if self.place and self.place[0] == employee else ""

    def take(self, question: Question, read: Rows) -> None:
        was_open = self.cursor(question.employee) and self.place[2:] == [True]
        is_open = bool(was_open) or any(question.is_open(row) for row in read.found)
        if read.rest:
            self.place = [question.employee, read.rest, is_open]
            return
        self.place = []
        (self.lagging if is_open else self.counted).append(question.employee)

    def leave(self, question: Question) -> None:
        """It cannot be asked now: that costs this employee a turn, and nobody else's."""
        if self.cursor(question.employee):
            self.place = []
        (self.counted if question.is_late else self.lagging).append(question.employee)

    def facts(self, *, is_round: bool) -> dict[str, Any]:
        """Who lags is asked again in the next round, after all the others had their turn."""
        lagging = [] if is_round else self.lagging
        return {"counted": self.counted, "counting": self.place, "lagging": lagging}


def tally(
    corporation: Corporation,
    questions: Sequence[Question],
    facts: Mapping[str, Any],
    *,
    calls: int = 40,
) -> Tally:
    """Go on asking where the last time ended."""
    going = _Going(facts)
    rows: list[tuple[str, Row]] = []
    is_round = True
    for question in questions:
        if going.knows(question.employee):
            continue
        if calls <= 0:
            is_round = False
            break
        body = {**question.body, "cursor": going.cursor(question.employee)}
        try:
            read = corporation.rows(question.path, body, question.name, pages=calls)
        except (NotReady, RecipientRefused):
            calls -= 1
            going.leave(question)
            continue
        rows += [(question.employee, row) for row in read.found]
        calls -= read.calls
        going.take(question, read)
        if read.rest:
            is_round = False
            break
    is_whole = {question.employee for question in questions} <= set(going.counted)
    return Tally(rows, going.facts(is_round=is_round), is_round, is_whole)
