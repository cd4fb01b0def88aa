"""How far the tasks of a mass message are: who has one, who has sent it, whom it reached."""

from collections.abc import Mapping
from typing import Any

from cms.core.i18n import N_
from schedules.channels.answers import EmployeeAnswer, Reached
from schedules.channels.wecom import Corporation, Question, moment
from schedules.channels.wecom_codes import NotReady
from schedules.envelopes import Envelope
from schedules.states import DeliveryState, HandOverState

TASK = "/cgi-bin/externalcontact/get_groupmsg_task"
RESULT = "/cgi-bin/externalcontact/get_groupmsg_send_result"
UNREACHABLE = N_("WeCom cannot reach this customer.")

FATES = {
    0: DeliveryState.WAITING,
    1: DeliveryState.SENT,
    2: DeliveryState.NOT_A_CONTACT,
    3: DeliveryState.QUOTA_USED,
}
DONE = (1, 2)  # the documents say 2; samples say 1


def tasks_of(envelope: Envelope) -> dict[str, str]:
    """The tasks that surely exist: employee → msgid."""
    return dict(envelope.facts.get("tasks") or {})


def refused_by(envelope: Envelope) -> dict[str, str]:
    """Employees for whom WeCom makes no task, and why."""
    return dict(envelope.facts.get("refused") or {})


def is_done(answer: EmployeeAnswer) -> bool:
    return answer.state is HandOverState.CONFIRMED


def answers(corporation: Corporation, sender: str, msgid: str) -> list[EmployeeAnswer]:
    """Who has the task; the one it was made for while WeCom cannot say yet."""
    try:
        rows = corporation.rows(TASK, {"msgid": msgid, "limit": 1000}, "task_list")
    except NotReady:
        return [EmployeeAnswer(sender, HandOverState.WAITING)]
    found = [_answer(row) for row in rows.found if row.get("userid")]
    return found or [EmployeeAnswer(sender, HandOverState.WAITING)]


def _answer(row: Mapping[str, Any]) -> EmployeeAnswer:
    if row.get("status") in DONE:
        at = moment(row.get("send_time"))
        return EmployeeAnswer(str(row["userid"]), HandOverState.CONFIRMED, at)
    return EmployeeAnswer(str(row["userid"]), HandOverState.WAITING)


def question(msgid: str, employee: str) -> Question:
    body = {"msgid": msgid, "userid": employee, "limit": 1000}
    return Question(employee, RESULT, body, "send_list")


def reached(employee: str, row: Mapping[str, Any]) -> Reached:
    recipient = str(row.get("external_userid") or row.get("chat_id") or "")
    state = FATES.get(int(row.get("status") or 0), DeliveryState.FAILED)
    return Reached(recipient, state, employee, moment(row.get("send_time")))


def unreached(envelope: Envelope) -> list[Reached]:
    named = envelope.facts.get("unreached") or []
    return [Reached(one, DeliveryState.FAILED, reason=UNREACHABLE) for one in named]
