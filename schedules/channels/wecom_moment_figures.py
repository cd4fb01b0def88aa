"""Likes and comments under the employees' Moments posts: every employee asked, in portions, then summed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from cms.core.clock import now
from schedules import steps
from schedules.channels import wecom
from schedules.channels.answers import Figure
from schedules.channels.wecom_codes import NotReady, RecipientRefused
from schedules.envelopes import Envelope

COMMENTS = "/cgi-bin/externalcontact/get_moment_comments"
PORTION = 200  # employees in one go, one call each
CARRIERS_DAY = ZoneInfo("Asia/Shanghai")
KEPT = "figuring"
LISTS = {"like": "like_list", "comment": "comment_list"}


@dataclass
class Count:
    """One count of all, over as many goes as it takes.

    It counts up to the day on which it began: what came later, only those asked last could tell.
    """

    moment_id: str
    until: date
    asked: list[str]
    days: dict[str, Counter[str]]

    @classmethod
    def gone_on_with(cls, facts: Mapping[str, Any], moment_id: str) -> "Count":
        kept = facts.get(KEPT) or {}
        if kept.get("moment_id") != moment_id:
            kept = {}
        until = date.fromisoformat(kept["until"]) if kept else _today()
        days = kept.get("days") or {}
        return cls(
            moment_id,
            until,
            list(kept.get("asked") or []),
            {metric: Counter(days.get(metric) or {}) for metric in LISTS},
        )

    def told(self) -> dict[str, Any]:
        return {
            "moment_id": self.moment_id,
            "until": self.until.isoformat(),
            "asked": self.asked,
            "days": {metric: dict(days) for metric, days in self.days.items()},
        }

    def take(self, employee: str, said: Mapping[str, Any]) -> None:
        self.asked.append(employee)
        for metric, name in LISTS.items():
            self.days[metric].update(_days(said.get(name)))

    def summed(self) -> tuple[Figure, ...]:
        """As counted up to each day, the last one included."""
        found = []
        for metric, by_day in self.days.items():
            events = {date.fromisoformat(day): number for day, number in by_day.items()}
            days = sorted({self.until, *(day for day in events if day <= self.until)})
            found += [
                Figure(metric, day, sum(events[one] for one in events if one <= day))
                for day in days
            ]
        return tuple(found)


def counted(
    corporation: wecom.Corporation, envelope: Envelope, moment_id: str, posted: Sequence[str]
) -> tuple[Figure, ...]:
    """The figures once all who have posted it were asked; nothing while some are left for later."""
    count = Count.gone_on_with(envelope.facts, moment_id)
    known = set(count.asked)
    waiting = [one for one in posted if one not in known]
    for employee in waiting[:PORTION]:
        try:
            said = corporation.ask(COMMENTS, {"moment_id": moment_id, "userid": employee})
        except (NotReady, RecipientRefused):  # not posted after all, or taken down since
            said = {}
        count.take(employee, said)
    is_whole = len(waiting) <= PORTION
    if not is_whole or known:
        steps.add(envelope, **{KEPT: None if is_whole else count.told()})
    return count.summed() if is_whole else ()


def _today() -> date:
    return now().astimezone(CARRIERS_DAY).date()


def _days(rows: Any) -> Iterable[str]:
    moments = [wecom.moment(row.get("create_time")) for row in wecom.dicts(rows)]
    return [one.astimezone(CARRIERS_DAY).date().isoformat() for one in moments if one]
