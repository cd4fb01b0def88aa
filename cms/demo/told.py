"""What carriers answered in the demo world's past: written into the ledger and their books, uncalled."""

import random
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cms.core.clock import now
from cms.core.db import session
from cms.demo.carriers import feishu, telegram, wecom
from cms.demo.carriers.official_account import message_of
from cms.demo.carriers.serving import Carriers
from schedules import progress, steps
from schedules.channels.answers import EmployeeAnswer, Progress, Reached, Receipt, Standing
from schedules.envelopes import Envelope
from schedules.models import Publication
from schedules.states import DeliveryState, HandOverState, Outcome

CHATS = ("wecom_robot", "feishu", "telegram")
FIRST_JOB, FIRST_MESSAGE = 2_247_000_000, 1_000_000_000


class Answers:
    """Speaks for the carriers while the past is told; their books hold it as if they had been asked."""

    def __init__(self, carriers: Carriers, seed: int) -> None:
        self.members: dict[str, Any] = dict(carriers.members)
        self.seed = seed
        self._speak: dict[str, Callable[[Envelope], Receipt]] = {
            "wecom_moments": self._moment,
            "wecom_mass": self._mass,
            "oa_publish": self._article,
            "oa_mass": self._message,
            **dict.fromkeys(CHATS, self._said),
        }

    def knows(self, channel: str) -> bool:
        """Whether the past of that channel can be told."""
        return channel in self._speak

    def speak(self, envelope: Envelope) -> Receipt:
        """What the carrier answered when it was given the post."""
        return self._speak[envelope.outgoing.channel](envelope)

    def waits(self, channel: str) -> timedelta | None:
        """How long afterwards the carrier said that it was live; None when its answer said so."""
        if channel.startswith("wecom_m"):
            return timedelta(minutes=48)
        return timedelta(seconds=14) if channel.startswith("oa_") else None

    def end(self, publication_id: int) -> None:
        """Everybody has done it, or the carrier has: now."""
        publication = session.get_one(Publication, publication_id)
        facts = publication.carrier_facts
        match publication.account.channel:
            case "wecom_moments":
                said = self._posted(str(facts["moment_id"]))
            case "wecom_mass":
                said = self._sent(dict(facts["tasks"]))
            case "oa_publish":
                said = self._published(str(facts["publish_id"]))
            case _:
                said = self._delivered(str(facts["msg_id"]))
        progress.apply(publication_id, said)
        session.refresh(publication)
        publication.poll_at = None  # nothing is left to ask

    # --- WeCom

    def _moment(self, envelope: Envelope) -> Receipt:
        office, at = self.members["wecom"], _stamp()
        number = f"{office.count('job'):012d}"
        jobid, moment_id = f"job{number}", f"mom{number}"
        senders = list(envelope.settings["senders"])
        asked = {"text": {"content": envelope.outgoing.text}}
        base = {"corpid": wecom.CORPID, "created": at, "asked": asked}
        result = {"errcode": 0, "errmsg": "ok", "moment_id": moment_id}
        office.book.put("job", jobid, {**base, "result": result})
        waiting = {"published": dict.fromkeys(senders), "visible_type": 1}
        office.book.put("moment", moment_id, {**base, **waiting})
        shown = {"jobid": jobid, "corpid": wecom.CORPID, "text": envelope.outgoing.text}
        office.book.show("moment_task", at, shown)
        steps.note(envelope, jobid=jobid, moment_id=moment_id)
        return Receipt(Outcome.ACCEPTED, external_id=moment_id)

    def _posted(self, moment_id: str) -> Progress:
        office = self.members["wecom"]
        moment = office.book.get("moment", moment_id)
        times = self._spread(moment_id, list(moment["published"]), moment["created"])
        office.book.put("moment", moment_id, {**moment, "published": times})
        for who, at in times.items():
            office.book.show("moment_posted", at, {"moment_id": moment_id, "userid": who})
        return self._by_employees(times, external_id=moment_id)

    def _mass(self, envelope: Envelope) -> Receipt:
        office, tasks = self.members["wecom"], {}
        for sender in envelope.settings["senders"]:
            tasks[sender] = f"msgGCAAADemo{office.count('mass'):012d}"
            task = {
                "corpid": wecom.CORPID,
                "sender": sender,
                "chat_type": "single",
                "text": {"content": envelope.outgoing.text},
                "attachments": [],
                "recipients": office.customers(wecom.CORPID, sender),
                "created": _stamp(),
                "done_at": None,
                "results": [],
            }
            office.book.put("mass", tasks[sender], task)
        steps.note(envelope, tasks=tasks, asking="", unreached=[])
        return Receipt(Outcome.ACCEPTED, external_id=next(iter(tasks.values())))

    def _sent(self, tasks: dict[str, str]) -> Progress:
        office = self.members["wecom"]
        times = self._spread("".join(tasks.values()), list(tasks), None)
        for sender, msgid in tasks.items():
            task = office.book.get("mass", msgid)
            results = [[one, 1] for one in task["recipients"]]
            office.book.put("mass", msgid, {**task, "done_at": times[sender], "results": results})
            told = {"msgid": msgid, "sender": sender, "to": task["recipients"]}
            office.book.show("mass_sent", times[sender], told)
        return self._by_employees(times)

    def _by_employees(self, times: dict[str, float], external_id: str = "") -> Progress:
        office = self.members["wecom"]
        done = HandOverState.CONFIRMED
        moments = {who: datetime.fromtimestamp(at, UTC) for who, at in times.items()}
        return Progress(
            Standing.LIVE,
            employees=tuple(EmployeeAnswer(who, done, at) for who, at in moments.items()),
            reached=tuple(
                Reached(customer, DeliveryState.SENT, who, at)
                for who, at in moments.items()
                for customer in office.customers(wecom.CORPID, who)
            ),
            external_id=external_id,
            facts={"counted": list(times), "counting": []},
        )

    def _spread(self, purpose: str, who: list[str], start: float | None) -> dict[str, float]:
        """When each of them did it, between the task and now."""
        dice, end = random.Random(f"{self.seed}:{purpose}"), _stamp()
        begun = end - 2400 if start is None else start
        return {one: dice.uniform(begun + 30, end) for one in who}

    # --- Official Account

    def _article(self, envelope: Envelope) -> Receipt:
        house, at = self.members["oa"], _stamp()
        number = str(FIRST_JOB + len(house.book.all("job")) + 1)
        out = envelope.outgoing
        item = {"title": out.title, "digest": out.body, "content_source_url": out.link}
        kept = {"news_item": [item], "update_time": int(at)}
        job = {"draft": secrets.token_urlsafe(24), "kept": kept, "status": 1, "ready_at": at + 8}
        house.book.put("job", number, job)
        steps.note(envelope, publish_id=number, msg_data_id=message_of(number))
        return Receipt(Outcome.ACCEPTED, external_id=number)

    def _published(self, number: str) -> Progress:
        house, at = self.members["oa"], _stamp()
        job = house.book.get("job", number)
        name = secrets.token_urlsafe(48)
        url = f"https://mp.demo.invalid/s?__biz=Demo&mid={message_of(number)}&idx=1"
        item = {**job["kept"]["news_item"][0], "url": url, "is_deleted": False}
        house.book.put(
            "article", name, {"news_item": [item], "update_time": int(at), "job": number}
        )
        house.book.put("job", number, {**job, "status": 0, "article_id": name, "url": url})
        house.book.show("published", at, {"publish_id": number, "title": item["title"]})
        facts = {"article_id": name, "article_url": url}
        return Progress(Standing.LIVE, url=url, facts=facts)

    def _message(self, envelope: Envelope) -> Receipt:
        house, at = self.members["oa"], _stamp()
        number = str(FIRST_MESSAGE + len(house.book.all("message")) + 1)
        told = {"status": "SEND_SUCCESS", "ready_at": at + 5, "is_held": False, "draft": ""}
        house.book.put("message", number, {**told, "kind": "mpnews"})
        title = envelope.outgoing.title
        house.book.show("mass_sent", at, {"msg_id": number, "title": title})
        data = str(int(number) + 7)
        url = f"https://mp.demo.invalid/s?__biz=Demo&mid={data}&idx=1"
        house.book.put("counted", data, {"title": title, "url": url, "at": at})
        steps.note(envelope, msg_id=number, msg_data_id=data, article_url=url)
        return Receipt(Outcome.ACCEPTED, external_id=number)

    def _delivered(self, number: str) -> Progress:
        url = f"https://mp.demo.invalid/s?__biz=Demo&mid={int(number) + 7}&idx=1"
        return Progress(Standing.LIVE, url=url, facts={"article_url": url})

    # --- chats

    def _said(self, envelope: Envelope) -> Receipt:
        text, at = envelope.outgoing.text, _stamp()
        match envelope.outgoing.channel:
            case "wecom_robot":
                said = {"robot": wecom.ROBOT, "msgtype": "text", "content": text}
                self.members["wecom"].book.show("robot_message", at, said)
            case "feishu":
                message = {"robot": feishu.ROBOT, "text": text, "images": [], "links": []}
                self.members["feishu"].book.show("message", at, {**message, "called": []})
            case _:
                return self._telegram(text, at)
        return Receipt(Outcome.ACCEPTED)

    def _telegram(self, text: str, at: float) -> Receipt:
        house = self.members["telegram"]
        number = int(house.book.get("count", "message") or 0) + 1
        house.book.put("count", "message", number)
        chat = int(next(iter(telegram.CHATS)))
        house.book.put("message", f"{chat}/{number}", {"chat": chat, "at": at, "text": text})
        shown = {"chat": chat, "messages": [number], "text": text, "photos": []}
        house.book.show("message", at, shown)
        return Receipt(Outcome.ACCEPTED, external_id=f"{chat}:{number}")


def _stamp() -> float:
    return now().timestamp()
