"""The channel `wecom_moments`: WeCom tasks by which employees post to their customers' Moments."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from cms.core.clock import now
from cms.core.errors import Refused, TryAgain
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from schedules import renditions, steps
from schedules.channels import (
    plans,
    wecom,
    wecom_moment_figures,
    wecom_range,
    wecom_tally,
    wecom_tasks,
)
from schedules.channels.answers import Card, EmployeeAnswer, Figure, Reached
from schedules.channels.base import (
    CallsBack,
    Channel,
    Confirmation,
    Field,
    Gives,
    How,
    Limits,
    Progress,
    Receipt,
    Rendered,
    Repeat,
    Standing,
)
from schedules.channels.callback_fields import CALLBACK_FIELDS
from schedules.channels.calling import Silent
from schedules.channels.wecom_codes import NotReady, error_for
from schedules.envelopes import Envelope, Outgoing, Picture, Way
from schedules.states import DeliveryState, HandOverState, Outcome

CREATE = "/cgi-bin/externalcontact/add_moment_task"
JOB = "/cgi-bin/externalcontact/get_moment_task_result"
LIST = "/cgi-bin/externalcontact/get_moment_list"
TASK = "/cgi-bin/externalcontact/get_moment_task"
SEEN_BY = "/cgi-bin/externalcontact/get_moment_send_result"
CANCEL = "/cgi-bin/externalcontact/cancel_moment_task"

TITLE_BYTES = 64
JOB_DONE = 3
NOT_MADE_YET = N_("WeCom is still making the post; it can be stopped in a moment.")
JOB_FAILED = N_("WeCom could not make the tasks. The attempt log has its answer.")
LOOK_THERE = N_(
    "WeCom gave no answer when it was sent, and does not list it. Look at WeCom, Customer Moments, "
    "for a post with this link: %(link)s. Then say here whether it is there."
)
LOST = N_("WeCom knows neither the job nor the post any more.")


class WecomMoments(Channel):
    """One job makes a post for many employees; each puts it into Moments, or does not.

    Facts: `asking` (a job may exist whose name we do not know; surely none only when False), `jobid` (valid for a day),
    `moment_id`, `left_out` (whom WeCom does not take), `counted` and `counting` (whose viewers are
    known), `figuring` (whose likes are), `withdrawn`.
    """

    slug = "wecom_moments"
    name = N_("WeCom Moments")
    limits = Limits(text=2000, pictures=9, longest_edge=10_800, shorter_edge=1080, per_minute=10)
    repeat = Repeat.QUERY
    confirmation = Confirmation.EMPLOYEES
    settles_after = timedelta(minutes=5)
    polls = (timedelta(seconds=15), *plans.STAFF_POLLS)
    can_withdraw = True
    calls_back = CallsBack("corpid")
    gives: ClassVar[Mapping[Gives, How]] = {
        **{one: How.OWN_LINK for one in Gives},
        Gives.COMMENT: How.PULL,
        Gives.LIKE: How.PULL,
        Gives.DELIVERY: How.PULL,
    }
    fields = (
        *wecom.CORPORATION,
        Field(
            "senders",
            N_("Employees who post"),
            N_("WeCom user IDs; empty: everybody the app may use."),
            kind="list",
            is_required=False,
            check=wecom_range.names_problem,
        ),
        Field(
            "departments",
            N_("Departments that post"),
            N_("Numbers of departments at WeCom."),
            kind="list",
            is_required=False,
            check=wecom_range.departments_problem,
        ),
        Field(
            "tags",
            N_("Only customers with one of these tags"),
            N_("Tag IDs of the corporation; empty: all customers see it."),
            kind="list",
            is_required=False,
            check=wecom_range.tags_problem,
        ),
        wecom.CONFIRM_HOURS,
        *CALLBACK_FIELDS,
    )
    needs = N_(
        "An app with customer contact, this server as trusted IP, and the posters' user IDs."
    )

    # --- what is sent

    def render(self, outgoing: Outgoing) -> Rendered:
        card = _card(outgoing)
        text = outgoing.body if card else outgoing.text
        cover = [card.cover] if card and card.cover else []
        return Rendered(
            text=text,
            used=len(text),
            limit=self.limits.text,
            unit=self.limits.unit,
            pictures=outgoing.pictures,
            card=card,
            changes=(
                *wecom.link_changes(outgoing, is_card=bool(card), title_bytes=TITLE_BYTES),
                *renditions.changes([*outgoing.pictures, *cover], self.limits),
            ),
            problems=wecom_range.problems(outgoing.settings),
        )

    def realm(self, way: Way) -> str:
        return wecom.realm(way)

    def warm_up(self, way: Way) -> None:
        wecom.Corporation.of_way(way).token()

    def prepare(self, envelope: Envelope) -> None:
        drawn = self.render(envelope.outgoing)
        self._attachments(wecom.Corporation.of(envelope), drawn, anew=False)

    def test(self, way: Way) -> str:
        corporation = wecom.Corporation.of_way(way)
        corporation.ask(LIST, {"limit": 1, **wecom.window(now())})
        wecom_range.check(way.settings)
        return ""

    def deliver(self, envelope: Envelope) -> Receipt:
        if envelope.facts.get("jobid") or envelope.facts.get("moment_id"):
            return _known(envelope)
        # First of all: only this word proves later that the call never left.
        envelope = steps.note(envelope, asking=False)
        corporation = wecom.Corporation.of(envelope)
        drawn = self.render(envelope.outgoing)
        first = self._body(corporation, envelope, drawn, anew=False)

        def create(anew: bool) -> dict[str, Any]:
            body = self._body(corporation, envelope, drawn, anew=True) if anew else first
            return corporation.make(CREATE, body)

        # Everything harmless comes before the note; from there on, silence is a riddle.
        corporation.token()
        envelope = steps.note(envelope, asking=True)
        try:
            jobid = wecom.renewing_uploads(create).get("jobid")
        except (TryAgain, Refused):
            steps.note(envelope, asking=False)
            raise
        if not isinstance(jobid, str) or not jobid:
            raise Silent
        return _known(steps.note(envelope, jobid=jobid, asking=False))

    def _body(
        self, corporation: wecom.Corporation, envelope: Envelope, drawn: Rendered, *, anew: bool
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "visible_range": wecom_range.visible(envelope.settings),
            "attachments": self._attachments(corporation, drawn, anew=anew),
        }
        if drawn.text.strip():
            body["text"] = {"content": drawn.text}
        return body

    def _attachments(
        self, corporation: wecom.Corporation, drawn: Rendered, *, anew: bool
    ) -> list[dict[str, Any]]:
        def media_id(picture: Picture) -> str:
            return corporation.uploaded(picture, wecom.MOMENT, self.limits, anew=anew)

        if drawn.card and drawn.card.cover:
            link = {"title": drawn.card.title, "url": drawn.card.url}
            return [{"msgtype": "link", "link": link | {"media_id": media_id(drawn.card.cover)}}]
        return [
            {"msgtype": "image", "image": {"media_id": media_id(picture)}}
            for picture in drawn.pictures
        ]

    # --- what became of it

    def find(self, envelope: Envelope) -> Receipt:
        if envelope.facts.get("jobid") or envelope.facts.get("moment_id"):
            return _known(envelope)
        try:
            found = _in_list(wecom.Corporation.of(envelope), envelope)
        except wecom.CannotTell:
            found = ""
        if found:
            return _known(steps.note(envelope, moment_id=found, asking=False))
        if envelope.facts.get("asking") is False:
            return Receipt(Outcome.NOT_SENT)  # the call was never reached
        # A job that works is in no list, and nobody says how long one may work. A row without the
        # word was tried before there was one, or its worker died at once: no proof either way.
        reason = Sentence(LOOK_THERE, {"link": envelope.outgoing.link or "–"})
        return Receipt(Outcome.UNCERTAIN, reason=reason, is_unproven=True)

    def progress(self, envelope: Envelope) -> Progress:
        corporation = wecom.Corporation.of(envelope)
        envelope, waits = _with_moment(corporation, envelope)
        if waits:
            return waits
        moment_id = str(envelope.facts["moment_id"])
        try:
            employees = _answers(corporation, moment_id)
        except NotReady as error:
            facts = _facts(envelope)
            return Progress(Standing.WAITING, external_id=moment_id, reason=str(error), facts=facts)
        done = [one.employee for one in employees if one.state is HandOverState.CONFIRMED]
        questions = [_question(moment_id, one, envelope.live_since) for one in done]
        tally = wecom_tally.tally(corporation, questions, envelope.facts)
        is_over = bool(employees) and len(done) == len(employees)
        standing = Standing.LIVE if is_over else Standing.WAITING
        if envelope.facts.get("withdrawn") and tally.is_round:
            standing = Standing.WITHDRAWN
        is_owed = is_over and not tally.is_whole
        return Progress(
            standing,
            employees=(*employees, *_invalid(envelope)),
            reason=_left_out(envelope),
            reached=tuple(_seen(who, row) for who, row in tally.rows),
            external_id=moment_id,
            facts={**_facts(envelope), **tally.facts},
            after=wecom_tasks.go_on(envelope, is_round=tally.is_round, is_owed=is_owed),
        )

    def withdraw(self, envelope: Envelope) -> Receipt:
        """Cancel what is not posted yet. Cancelling twice changes nothing more."""
        corporation = wecom.Corporation.of(envelope)
        envelope, waits = _with_moment(corporation, envelope)
        if waits:
            if waits.standing is Standing.REFUSED:
                raise Refused(waits.reason)
            raise TryAgain(NOT_MADE_YET, after=timedelta(seconds=15))
        wecom.cancel(corporation, CANCEL, {"moment_id": envelope.facts["moment_id"]})
        steps.note(envelope, withdrawn=True)
        return Receipt(Outcome.ACCEPTED, reason=wecom.WHAT_WENT_STAYS)

    def figures(self, envelope: Envelope) -> tuple[Figure, ...]:
        """Likes and comments under the employees' posts, as counted up to each day something came."""
        corporation = wecom.Corporation.of(envelope)
        envelope, waits = _with_moment(corporation, envelope)
        if waits:
            return ()
        moment_id = str(envelope.facts["moment_id"])
        answers = _answers(corporation, moment_id)
        posted = [one.employee for one in answers if one.state is HandOverState.CONFIRMED]
        return wecom_moment_figures.counted(corporation, envelope, moment_id, posted)


def _known(envelope: Envelope) -> Receipt:
    name = envelope.facts.get("moment_id") or envelope.facts.get("jobid")
    return Receipt(Outcome.ACCEPTED, external_id=str(name))


def _facts(envelope: Envelope) -> dict[str, Any]:
    kept = ("moment_id", "left_out")
    return {name: envelope.facts[name] for name in kept if name in envelope.facts}


def _with_moment(
    corporation: wecom.Corporation, envelope: Envelope
) -> tuple[Envelope, Progress | None]:
    """The envelope that knows the post's own name; or how far the job is that makes it."""
    if envelope.facts.get("moment_id"):
        return envelope, None
    try:
        said = corporation.ask(JOB, jobid=str(envelope.facts.get("jobid") or ""))
    except Refused:  # a job is forgotten after a day; the post is in the list
        found = _in_list(corporation, replace(envelope, asked_since=wecom.long_ago()))
        if not found:
            return envelope, Progress(Standing.UNKNOWN, reason=LOST)
        return replace(envelope, facts={**envelope.facts, "moment_id": found}), None
    if said.get("status") != JOB_DONE:
        return envelope, Progress(Standing.WAITING, after=timedelta(seconds=15))
    return _from_result(envelope, said.get("result"))


def _from_result(envelope: Envelope, result: Any) -> tuple[Envelope, Progress | None]:
    result = result if isinstance(result, dict) else {}
    code, moment_id = result.get("errcode"), result.get("moment_id")
    left_out = wecom_range.left_out(result)
    envelope = replace(envelope, facts={**envelope.facts, "left_out": left_out})
    if isinstance(code, int) and code:
        why = _left_out(envelope) or str(error_for(code))
        return envelope, Progress(Standing.REFUSED, reason=why)
    if not moment_id:
        return envelope, Progress(Standing.UNKNOWN, reason=JOB_FAILED)
    facts = {**envelope.facts, "moment_id": str(moment_id)}
    return replace(envelope, facts=facts), None


def _in_list(corporation: wecom.Corporation, envelope: Envelope) -> str:
    search = wecom.Search(LIST, {"limit": 20}, "moment_list", "moment_id", pages=50)
    found = search.made(corporation, envelope)
    return found[0] if found else ""


def _answers(corporation: wecom.Corporation, moment_id: str) -> list[EmployeeAnswer]:
    body = {"moment_id": moment_id, "limit": 1000}
    rows = corporation.rows(TASK, body, "task_list", pages=100)
    return [_answer(row) for row in rows.found if row.get("userid")]


def _answer(row: Mapping[str, Any]) -> EmployeeAnswer:
    is_live = row.get("publish_status") == 1
    state = HandOverState.CONFIRMED if is_live else HandOverState.WAITING
    return EmployeeAnswer(str(row["userid"]), state)


def _invalid(envelope: Envelope) -> list[EmployeeAnswer]:
    names = (envelope.facts.get("left_out") or {}).get("user_list") or []
    return [EmployeeAnswer(name, HandOverState.DECLINED) for name in names]


def _left_out(envelope: Envelope) -> str:
    return wecom_range.told(envelope.facts.get("left_out") or {})


def _question(moment_id: str, employee: str, since: datetime | None) -> wecom_tally.Question:
    body = {"moment_id": moment_id, "userid": employee, "limit": 3000}
    is_late = wecom_tasks.results_are_late(since)
    return wecom_tally.Question(employee, SEEN_BY, body, "customer_list", is_late=is_late)


def _seen(employee: str, row: Mapping[str, Any]) -> Reached:
    return Reached(str(row.get("external_userid") or ""), DeliveryState.SENT, employee)


def _card(outgoing: Outgoing) -> Card | None:
    """A link needs a cover and cannot stand beside pictures; without either it goes as text."""
    if outgoing.pictures or not outgoing.link or outgoing.cover is None:
        return None
    return Card(wecom.cut(outgoing.title, TITLE_BYTES), outgoing.link, cover=outgoing.cover)
