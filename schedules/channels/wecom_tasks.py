"""How far the tasks of a mass message are: who has one, who has sent it, whom it reached."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cms.core.clock import now
from cms.core.errors import Refused, TryAgain
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from schedules.channels.answers import EmployeeAnswer, Reached, Receipt
from schedules.channels.wecom import GO_ON_AFTER, Corporation, moment
from schedules.channels.wecom_codes import NotReady
from schedules.channels.wecom_tally import Question
from schedules.envelopes import Envelope
from schedules.states import DeliveryState, HandOverState, Outcome

TASK = "/cgi-bin/externalcontact/get_groupmsg_task"
RESULT = "/cgi-bin/externalcontact/get_groupmsg_send_result"
REMIND = "/cgi-bin/externalcontact/remind_groupmsg_send"
NOTHING_TO_REMIND = N_("There is no task of which anybody could be reminded.")
NOT_ALL = N_("Not all of them could be reminded: %(why)s")
UNREACHABLE = N_("WeCom cannot reach this customer.")

FATES = {
    0: DeliveryState.WAITING,
    1: DeliveryState.SENT,
    2: DeliveryState.NOT_A_CONTACT,
    3: DeliveryState.QUOTA_USED,
}
RESULTS_COME = timedelta(days=3)  # after the employee has sent it
SOON = timedelta(minutes=5)
MOST_LOOKED_AT = 60  # tasks, one call each, so that a question ends within its claim
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


@dataclass(frozen=True)
class Look:
    """What was asked of the tasks in one go; `rest` is whose turn comes next ("": all had theirs)."""

    by_sender: dict[str, list[EmployeeAnswer]]
    rest: str
    wait: timedelta | None = None  # the carrier's own, when it had enough of us

    @property
    def employees(self) -> list[EmployeeAnswer]:
        return [one for answers in self.by_sender.values() for one in answers]


def look(corporation: Corporation, envelope: Envelope) -> Look:
    """Go on where the last look ended, past those of whom everything is known. Raises TryAgain."""
    tasks, facts = tasks_of(envelope), envelope.facts
    open_ones = [sender for sender in tasks if sender not in (facts.get("settled") or [])]
    start = str(facts.get("looking") or "")
    turn = open_ones[open_ones.index(start) :] if start in open_ones else open_ones
    found: dict[str, list[EmployeeAnswer]] = {}
    for sender in turn:
        if len(found) >= MOST_LOOKED_AT:
            return Look(found, sender)
        try:
            found[sender] = answers(corporation, sender, tasks[sender])
        except TryAgain as error:
            if not found:
                raise
            return Look(found, sender, error.after)
    return Look(found, "")


def settled(envelope: Envelope, seen: Look, counted: Collection[str]) -> list[str]:
    """Whose task is done and whose recipients are known."""
    known = list(envelope.facts.get("settled") or [])
    return known + [
        sender
        for sender, employees in seen.by_sender.items()
        if all(is_done(one) and one.employee in counted for one in employees)
    ]


def pressed(envelope: Envelope, seen: Look) -> list[str]:
    """Whose task is done, whatever is known of its recipients."""
    known = [*(envelope.facts.get("pressed") or []), *(envelope.facts.get("settled") or [])]
    done = [who for who, employees in seen.by_sender.items() if all(map(is_done, employees))]
    return list(dict.fromkeys([*known, *done]))


def _answer(row: Mapping[str, Any]) -> EmployeeAnswer:
    if row.get("status") in DONE:
        at = moment(row.get("send_time"))
        return EmployeeAnswer(str(row["userid"]), HandOverState.CONFIRMED, at)
    return EmployeeAnswer(str(row["userid"]), HandOverState.WAITING)


def question(msgid: str, done: EmployeeAnswer, since: datetime | None = None) -> Question:
    """Results come after the employee's button; what is still open days later stays so.

    `since` counts where WeCom does not say when the button was pressed.
    """
    body = {"msgid": msgid, "userid": done.employee, "limit": 1000}
    is_late = results_are_late(done.at or since)
    return Question(
        done.employee,
        RESULT,
        body,
        "send_list",
        is_open=lambda row: not is_late and fate(row) is DeliveryState.WAITING,
        is_late=is_late,
    )


def results_are_late(pressed: datetime | None) -> bool:
    """Whether nothing more is to be expected of what was sent then."""
    return pressed is not None and now() - pressed >= RESULTS_COME


def go_on(
    envelope: Envelope, *, is_round: bool, is_owed: bool, wait: timedelta | None = None
) -> timedelta | None:
    """When to ask on: at once within a round; for what is owed of a live post, at last hourly."""
    if not is_round:
        return wait or GO_ON_AFTER
    age = now() - envelope.live_since if envelope.live_since else timedelta()
    return min(max(age, SOON), timedelta(hours=1)) if is_owed else None


def fate(row: Mapping[str, Any]) -> DeliveryState:
    return FATES.get(int(row.get("status") or 0), DeliveryState.FAILED)


def reached(employee: str, row: Mapping[str, Any]) -> Reached:
    recipient = str(row.get("external_userid") or row.get("chat_id") or "")
    return Reached(recipient, fate(row), employee, moment(row.get("send_time")))


def unreached(envelope: Envelope) -> list[Reached]:
    named = envelope.facts.get("unreached") or []
    return [Reached(one, DeliveryState.FAILED, reason=UNREACHABLE) for one in named]


def remind(corporation: Corporation, envelope: Envelope) -> Receipt:
    """Remind the owners of open tasks, as far as the time of this claim reaches."""
    reminded, trouble = 0, ""
    settled = envelope.facts.get("settled") or []
    for sender, msgid in tasks_of(envelope).items():
        if sender in settled:
            continue
        try:
            if all(is_done(one) for one in answers(corporation, sender, msgid)):
                continue
            corporation.act(REMIND, {"msgid": msgid})
        except (TryAgain, Refused) as error:
            if not reminded:
                raise
            trouble = Sentence(NOT_ALL, {"why": str(error)})
            break
        reminded += 1
    if not reminded:
        raise Refused(NOTHING_TO_REMIND)
    return Receipt(Outcome.ACCEPTED, reason=trouble, detail={"reminded": reminded})
