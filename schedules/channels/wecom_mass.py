"""The channel `wecom_mass`: WeCom tasks by which employees send a post to their customers or groups."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import structlog

from cms.core.clock import now
from cms.core.db import give_back
from cms.core.errors import Problem, Refused, TryAgain
from cms.core.i18n import N_
from cms.core.text import Unit, count
from schedules import renditions, steps
from schedules.channels import plans, wecom, wecom_range, wecom_tally, wecom_tasks
from schedules.channels.answers import Card, EmployeeAnswer
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
from schedules.envelopes import Envelope, Outgoing, Way
from schedules.obstacles import obstacle
from schedules.states import HandOverState, Outcome

log = structlog.get_logger(__name__)

CREATE = "/cgi-bin/externalcontact/add_msg_template"
LIST = "/cgi-bin/externalcontact/get_groupmsg_list_v2"
CANCEL = "/cgi-bin/externalcontact/cancel_groupmsg_send"

MOST_ATTACHMENTS = 9
TITLE_BYTES, DETAIL_BYTES = 128, 512
NO_SENDERS = N_("The account names no employees who send. Enter their user IDs.")
SOME_LEFT = N_("Some employees have their task, others not yet; it goes on by itself.")
NOBODY_KNOWS = N_("WeCom cannot say yet for whom the task it lists was made.")
SEVERAL_SENDERS = N_(
    "%(count)s employees send it, each to all their customers: whoever is a customer of several "
    "gets it several times."
)
TOO_MANY = N_("Too many pictures beside the link's card: %(count)s, at most %(limit)s.")


class WecomMass(Channel):
    """WeCom makes one task an employee; each is one effect, found again by the post's own link.

    Facts: `tasks` (employee → msgid), `asking` (whose task may or may not exist), `refused`
    (employee → why), `unreached` (customers WeCom named at once), `doubled` (tasks that should not
    be, cancelled), `counted`, `counting` and `lagging` (whose recipients are known, how far, whose
    results are still to come), `pressed` (who has sent it), `settled` (who is done for good), `looking` (whose task is asked about next), `withdrawn`.
    """

    slug = "wecom_mass"
    name = N_("WeCom mass message")
    limits = Limits(text=4000, unit=Unit.BYTES, pictures=MOST_ATTACHMENTS)
    repeat = Repeat.QUERY
    confirmation = Confirmation.EMPLOYEES
    settles_after = timedelta(seconds=60)
    polls = plans.STAFF_POLLS
    can_withdraw = True
    reminders_a_day = 3
    calls_back = CallsBack("corpid")
    gives: ClassVar[Mapping[Gives, How]] = {
        **{one: How.OWN_LINK for one in Gives},
        Gives.DELIVERY: How.PULL,
    }
    fields = (
        *wecom.CORPORATION,
        Field(
            "chat_type",
            N_("Sent to"),
            kind="choice",
            is_required=False,
            default="single",
            choices=(("single", N_("Customers")), ("group", N_("Customer groups"))),
        ),
        Field(
            "senders",
            N_("Employees who send"),
            N_(
                "WeCom user IDs. Each gets a task and reaches their own customers or groups. Whoever "
                "is a customer of several of them gets the message from each."
            ),
            kind="list",
            check=wecom_range.names_problem,
        ),
        Field(
            "tags",
            N_("Only customers with one of these tags"),
            N_("Tag IDs of the corporation; empty: all customers. Not for groups."),
            kind="list",
            is_required=False,
            check=wecom_range.tags_problem,
        ),
        Field(
            "link_as",
            N_("Appearance of the link"),
            kind="choice",
            is_required=False,
            default="text",
            choices=(("text", N_("Last line of the text")), ("card", N_("Card with the title"))),
        ),
        wecom.CONFIRM_HOURS,
        *CALLBACK_FIELDS,
    )
    needs = N_(
        "An app with customer contact, this server as trusted IP, and the senders' user IDs."
    )

    # --- what is sent

    def render(self, outgoing: Outgoing) -> Rendered:
        is_card = outgoing.settings.get("link_as") == "card" and bool(outgoing.link)
        text = outgoing.body if is_card else outgoing.text
        most = MOST_ATTACHMENTS - is_card
        problems = wecom_range.problems(outgoing.settings)
        if MOST_ATTACHMENTS >= len(outgoing.pictures) > most:
            params = {"count": len(outgoing.pictures), "limit": most}
            problems = (*problems, Problem("too_many_pictures", TOO_MANY, params))
        return Rendered(
            text=text,
            used=count(text, Unit.BYTES),
            limit=self.limits.text,
            unit=Unit.BYTES,
            pictures=outgoing.pictures,
            card=_card(outgoing) if is_card else None,
            changes=(
                *wecom.link_changes(outgoing, is_card=is_card, title_bytes=TITLE_BYTES),
                *renditions.changes(outgoing.pictures, self.limits),
                *_repeated(outgoing.settings),
            ),
            problems=problems,
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
        chat_type = _chat_type(way.settings)
        corporation.ask(LIST, {"chat_type": chat_type, "limit": 1, **wecom.window(now())})
        wecom_range.check(way.settings)
        return "" if _senders(way.settings) else NO_SENDERS

    def deliver(self, envelope: Envelope) -> Receipt:
        """One task after the other, each written down: a crash leaves one in doubt at most."""
        senders = _senders(envelope.settings)
        if not senders:
            raise Refused(NO_SENDERS, pauses_account=True)
        wecom_range.check(envelope.settings)
        corporation = wecom.Corporation.of(envelope)
        before = wecom_tasks.tasks_of(envelope)
        if not before:
            envelope = replace(envelope, facts={**envelope.facts, "refused": {}})
        for sender in _missing(envelope):
            try:
                _check_way(envelope)
                envelope = self._create(corporation, envelope, sender)
            except (TryAgain, Refused) as error:
                made = wecom_tasks.tasks_of(envelope)
                if not made:
                    raise
                return _half_done(error, has_moved=made != before)
        return _made(envelope)

    def _create(self, corporation: wecom.Corporation, envelope: Envelope, sender: str) -> Envelope:
        # Everything harmless comes before the note; from there on, silence is a riddle about one.
        first = self._body(corporation, envelope, sender, anew=False)
        corporation.token()
        envelope = steps.note(envelope, asking=sender)

        def create(anew: bool) -> dict[str, Any]:
            body = self._body(corporation, envelope, sender, anew=True) if anew else first
            return corporation.make(CREATE, body)

        try:
            said = wecom.renewing_uploads(create)
        except Refused as error:
            if error.pauses_account:
                raise
            return steps.note(
                envelope, asking="", refused=wecom_tasks.refused_by(envelope) | {sender: str(error)}
            )
        if not isinstance(said.get("msgid"), str):
            raise Silent
        unreached = [*envelope.facts.get("unreached", []), *wecom.listed(said.get("fail_list"))]
        tasks = wecom_tasks.tasks_of(envelope) | {sender: said["msgid"]}
        return steps.note(envelope, asking="", tasks=tasks, unreached=unreached)

    def _body(
        self, corporation: wecom.Corporation, envelope: Envelope, sender: str, *, anew: bool
    ) -> dict[str, Any]:
        drawn = self.render(envelope.outgoing)
        body: dict[str, Any] = {
            "chat_type": _chat_type(envelope.settings),
            "sender": sender,
            "attachments": self._attachments(corporation, drawn, anew=anew),
        }
        if drawn.text.strip():
            body["text"] = {"content": drawn.text}
        tags = wecom.listed(envelope.settings.get("tags"))
        if tags and body["chat_type"] == "single":
            body["tag_filter"] = {"group_list": [{"tag_list": tags}]}
        return body

    def _attachments(
        self, corporation: wecom.Corporation, drawn: Rendered, *, anew: bool
    ) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        for picture in drawn.pictures:
            media_id = corporation.uploaded(picture, wecom.MEDIA, self.limits, anew=anew)
            made.append({"msgtype": "image", "image": {"media_id": media_id}})
        if drawn.card:
            link = {"title": drawn.card.title, "url": drawn.card.url, "desc": drawn.card.detail}
            if drawn.card.cover:
                link["picurl"] = corporation.uploaded(
                    drawn.card.cover, wecom.LASTING, self.limits, anew=anew
                )
            made.append({"msgtype": "link", "link": link})
        return made

    # --- what became of it

    def find(self, envelope: Envelope) -> Receipt:
        """Which tasks exist that no fact speaks of: whose they are, WeCom says itself."""
        if wecom_tasks.tasks_of(envelope) and not _missing(envelope):
            return _made(envelope)
        corporation = wecom.Corporation.of(envelope)
        try:
            strange = self._strange(corporation, envelope)
        except wecom.CannotTell as error:
            return Receipt(Outcome.UNCERTAIN, reason=str(error), is_unproven=True)
        if not strange:
            return Receipt(Outcome.NOT_SENT)
        envelope = self._adopt(corporation, envelope, strange)
        if _missing(envelope):
            # The sender that comes next must know what was just found: it reads it next time.
            return _going_on(Receipt(Outcome.ACCEPTED))
        return _made(envelope)

    def _strange(self, corporation: wecom.Corporation, envelope: Envelope) -> list[str]:
        """Tasks of this post that no fact speaks of."""
        body = {"chat_type": _chat_type(envelope.settings), "limit": 100}
        search = wecom.Search(LIST, body, "group_msg_list", "msgid")
        known = {*wecom_tasks.tasks_of(envelope).values(), *envelope.facts.get("doubled", [])}
        return search.made(corporation, envelope, known)

    def _adopt(
        self, corporation: wecom.Corporation, envelope: Envelope, msgids: list[str]
    ) -> Envelope:
        tasks, doubled = wecom_tasks.tasks_of(envelope), list(envelope.facts.get("doubled", []))
        asking = str(envelope.facts.get("asking") or "")
        for msgid in msgids:
            answers = wecom_tasks.answers(corporation, asking if len(msgids) == 1 else "", msgid)
            owner = answers[0].employee
            if not owner:
                raise TryAgain(NOBODY_KNOWS)
            if tasks.setdefault(owner, msgid) != msgid:
                log.error("wecom_task_doubled", publication=envelope.publication_id, msgid=msgid)
                doubled.append(msgid)
                wecom.cancel(corporation, CANCEL, {"msgid": msgid})
        return steps.note(envelope, asking="", tasks=tasks, doubled=doubled)

    def progress(self, envelope: Envelope) -> Progress:
        corporation = wecom.Corporation.of(envelope)
        tasks, seen = wecom_tasks.tasks_of(envelope), wecom_tasks.look(corporation, envelope)
        questions = [
            wecom_tasks.question(tasks[sender], one, envelope.live_since)
            for sender, answers in seen.by_sender.items()
            for one in answers
            if wecom_tasks.is_done(one)
        ]
        tally = wecom_tally.tally(corporation, questions, envelope.facts)
        settled = wecom_tasks.settled(envelope, seen, tally.facts["counted"])
        pressed = wecom_tasks.pressed(envelope, seen)
        is_round = tally.is_round and not seen.rest
        is_over = bool(tasks) and tasks.keys() <= set(pressed)
        standing = Standing.LIVE if is_over else Standing.WAITING
        if envelope.facts.get("withdrawn") and is_round:
            standing = Standing.WITHDRAWN
        is_owed = is_over and not tasks.keys() <= set(settled)
        declined = [
            EmployeeAnswer(one, HandOverState.DECLINED) for one in wecom_tasks.refused_by(envelope)
        ]
        return Progress(
            standing,
            employees=(*seen.employees, *declined),
            reached=(
                *wecom_tasks.unreached(envelope),
                *(wecom_tasks.reached(who, row) for who, row in tally.rows),
            ),
            facts=tally.facts | {"settled": settled, "pressed": pressed, "looking": seen.rest},
            after=wecom_tasks.go_on(envelope, is_round=is_round, is_owed=is_owed, wait=seen.wait),
        )

    def is_in_hand(self, facts: Mapping[str, Any]) -> bool:
        return bool(facts.get("tasks")) and not facts.get("withdrawn")

    def withdraw(self, envelope: Envelope) -> Receipt:
        """Cancel what is not sent yet. Cancelling twice changes nothing more."""
        corporation = wecom.Corporation.of(envelope)
        if envelope.facts.get("asking"):  # whose task may exist: left alone, it would go out
            envelope = self._adopt(corporation, envelope, self._found(corporation, envelope))
        for msgid in wecom_tasks.tasks_of(envelope).values():
            wecom.cancel(corporation, CANCEL, {"msgid": msgid})
        steps.note(envelope, withdrawn=True)
        return Receipt(Outcome.ACCEPTED, reason=wecom.WHAT_WENT_STAYS)

    def _found(self, corporation: wecom.Corporation, envelope: Envelope) -> list[str]:
        """The same, once WeCom has had the time to list them. Raises TryAgain."""
        found, tried = self._strange(corporation, envelope), envelope.tried_at
        if not found and tried and now() - tried < self.settles_after:
            raise TryAgain(NOBODY_KNOWS, after=self.settles_after)
        return found

    def remind(self, envelope: Envelope) -> Receipt:
        return wecom_tasks.remind(wecom.Corporation.of(envelope), envelope)


def _check_way(envelope: Envelope) -> None:
    """Between two employees: a stop reaches the next task. Raises TryAgain."""
    if not wecom_tasks.tasks_of(envelope):
        return
    reason = obstacle(envelope)
    give_back()
    if reason:
        raise TryAgain(reason)


def _missing(envelope: Envelope) -> list[str]:
    settled = {*wecom_tasks.tasks_of(envelope), *wecom_tasks.refused_by(envelope)}
    return [sender for sender in _senders(envelope.settings) if sender not in settled]


def _made(envelope: Envelope) -> Receipt:
    tasks, refused = wecom_tasks.tasks_of(envelope), wecom_tasks.refused_by(envelope)
    if not tasks:
        raise Refused(next(iter(refused.values()), NO_SENDERS))
    told = {"tasks": tasks} | ({"refused": refused} if refused else {})
    return Receipt(Outcome.ACCEPTED, external_id=next(iter(tasks.values())), detail=told)


def _half_done(error: TryAgain | Refused, *, has_moved: bool) -> Receipt:
    """Some employees have theirs, so it is not "not sent": it goes on with those who lack theirs.

    A round in which nobody got one counts as a try, so that it does not go on for ever.
    """
    if isinstance(error, TryAgain):
        outcome = Outcome.ACCEPTED if has_moved else Outcome.UNCERTAIN
        after = error.after or wecom.GO_ON_AFTER
        return _going_on(Receipt(outcome, after=after, detail={"because": str(error)}))
    pauses = error.pauses_account
    detail = {"because": str(error)}
    return _going_on(Receipt(Outcome.UNCERTAIN, pauses_account=pauses, detail=detail))


def _going_on(receipt: Receipt) -> Receipt:
    return replace(receipt, reason=SOME_LEFT, goes_on=receipt.outcome is Outcome.ACCEPTED)


def _card(outgoing: Outgoing) -> Card:
    title = wecom.cut(outgoing.title, TITLE_BYTES)
    return Card(title, outgoing.link, wecom.cut(outgoing.summary, DETAIL_BYTES), outgoing.cover)


def _repeated(settings: Mapping[str, Any]) -> list[Problem]:
    """One task a sender: WeCom spares nobody who is a customer of two of them."""
    senders = _senders(settings)
    if len(senders) < 2 or _chat_type(settings) == "group":
        return []
    return [Problem("several_senders", SEVERAL_SENDERS, {"count": len(senders)})]


def _senders(settings: Mapping[str, Any]) -> list[str]:
    return wecom.listed(settings.get("senders"))


def _chat_type(settings: Mapping[str, Any]) -> str:
    return "group" if settings.get("chat_type") == "group" else "single"
