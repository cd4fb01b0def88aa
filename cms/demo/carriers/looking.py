"""What each demo carrier's page shows, as plain values: phones, chats, articles, letters, messages."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from cms.demo.carriers import mail
from cms.demo.carriers.simulator import Simulator
from cms.demo.carriers.wecom import WeCom
from cms.demo.carriers.wecom_corp import CORPID

MOST_TASKS = 4  # on one employee's phone
MOST_SHOWN = 60
_TAG = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Task:
    """Something an employee is to send. `state`: waiting, done, ignored, gone."""

    name: str
    kind: str  # mass, moment
    text: str
    pictures: int
    card: str
    made_at: datetime
    state: str
    done_at: datetime | None = None
    reached: int = 0


@dataclass(frozen=True)
class Phone:
    """One employee with the newest tasks; `older` is how many are left out."""

    employee: str
    name: str
    tasks: list[Task]
    older: int

    @property
    def waiting(self) -> int:
        return sum(task.state == "waiting" for task in self.tasks)


@dataclass(frozen=True)
class Bubble:
    """One message in a chat."""

    at: datetime
    text: str
    pictures: int = 0
    cards: list[dict[str, Any]] = field(default_factory=list)
    is_gone: bool = False


def page_of(member: Simulator) -> dict[str, Any]:
    """What the carrier's template is given, the newest first."""
    return _SHOWS[member.slug](member)


def shown_count(member: Simulator) -> int:
    """How much has arrived there."""
    if isinstance(member, mail.Mailbox):
        return sum(1 for _ in mail.letters_folder().glob(f"*{mail.SUFFIX}"))
    return len(member.book.shown())


# --- WeCom


def _wecom(member: Any) -> dict[str, Any]:
    phones = [_phone(member, employee, name) for employee, name in member.employees(CORPID).items()]
    robot = [_robot_bubble(one) for one in _newest(member, "robot_message")]
    return {"phones": phones, "bubbles": robot}


def _phone(wecom: WeCom, employee: str, name: str) -> Phone:
    tasks = [*_mass_tasks(wecom, employee), *_moment_tasks(wecom, employee)]
    # What still waits must not be hidden by what is done.
    tasks.sort(key=lambda task: (task.state != "waiting", -task.made_at.timestamp()))
    return Phone(employee, name, tasks[:MOST_TASKS], max(0, len(tasks) - MOST_TASKS))


def _mass_tasks(wecom: WeCom, employee: str) -> Iterable[Task]:
    for msgid in wecom.book.all("mass"):
        task = wecom.mass_task(msgid)
        if task is None or task["sender"] != employee:
            continue
        is_gone = bool(task.get("cancelled") or task.get("deleted"))
        sent = sum(fate == 1 for _who, fate in task["results"])
        yield _task(wecom, msgid, employee, task, task["done_at"], is_gone=is_gone, reached=sent)


def _moment_tasks(wecom: WeCom, employee: str) -> Iterable[Task]:
    for moment_id in wecom.book.all("moment"):
        moment = wecom.moment(moment_id)
        if moment is None or employee not in moment["published"]:
            continue
        done, is_gone = moment["published"][employee], bool(moment.get("cancelled"))
        told = {**moment["asked"], "created": moment["created"]}
        yield _task(wecom, moment_id, employee, told, done, is_gone=is_gone and not done)


def _task(  # noqa: PLR0917 - the parts of one line on a phone
    wecom: WeCom,
    name: str,
    employee: str,
    told: dict[str, Any],
    done_at: float | None,
    *,
    is_gone: bool,
    reached: int = 0,
) -> Task:
    attachments = told.get("attachments") or []
    cards = [one["link"].get("title", "") for one in attachments if one.get("msgtype") == "link"]
    state = "gone" if is_gone else "waiting"
    if done_at:
        state = "done"
    elif not is_gone and wecom.does_ignore(name, employee):
        state = "ignored"
    return Task(
        name,
        "mass" if name.startswith("msg") else "moment",
        str((told.get("text") or {}).get("content", "")),
        sum(one.get("msgtype") == "image" for one in attachments),
        str(cards[0]) if cards else "",
        _moment(told["created"]),
        state,
        _moment(done_at) if done_at else None,
        reached,
    )


def _robot_bubble(one: dict[str, Any]) -> Bubble:
    cards = list(one.get("articles") or [])
    pictures = int(one["msgtype"] == "image")
    return Bubble(_moment(one["at"]), str(one.get("content", "")), pictures, cards)


# --- Official Account


def _official(member: Any) -> dict[str, Any]:
    articles = sorted(member.book.all("article").values(), key=lambda one: -one["update_time"])
    messages = _newest(member, "mass_sent")
    calls = member.book.all("call").values()
    return {
        "articles": [_article(one) for one in articles[:MOST_SHOWN]],
        "messages": [{"at": _moment(one["at"]), "title": one["title"]} for one in messages],
        "reviewing": sum(job["status"] == 1 for job in member.book.all("job").values()),
        "calls": len(calls),
        "answered": sum(bool(one["answered"]) for one in calls),
    }


def _article(one: dict[str, Any]) -> dict[str, Any]:
    item = one["news_item"][0]
    return {
        "at": _moment(one["update_time"]),
        "title": item.get("title", ""),
        "digest": item.get("digest", ""),
        "words": _plain(str(item.get("content", ""))),
        "link": item.get("content_source_url", ""),
        "is_gone": bool(item.get("is_deleted")),
    }


# --- chats


def _feishu(member: Any) -> dict[str, Any]:
    return {
        "bubbles": [
            Bubble(_moment(one["at"]), one["text"], len(one["images"]), _links(one))
            for one in _newest(member, "message")
        ]
    }


def _dingtalk(member: Any) -> dict[str, Any]:
    return {"bubbles": [Bubble(_moment(o["at"]), o["text"]) for o in _newest(member, "message")]}


def _slack(member: Any) -> dict[str, Any]:
    """As they are now: some have been changed or deleted since."""
    bubbles = []
    for one in _newest(member, "message"):
        known = member.book.get("posted", one["ts"]) if "ts" in one else one
        now = known or one
        pictures = len(now.get("images") or [])
        bubbles.append(Bubble(_moment(one["at"]), now["text"], pictures, is_gone=known is None))
    return {"bubbles": bubbles}


def _telegram(member: Any) -> dict[str, Any]:
    messages = sorted(member.book.all("message").values(), key=lambda one: -one["at"])
    return {
        "bubbles": [
            Bubble(
                _moment(one["at"]),
                str(one.get("text") or one.get("caption") or ""),
                int("photo" in one),
            )
            for one in messages[:MOST_SHOWN]
        ]
    }


def _links(one: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that do not stand in the words anyway."""
    hidden = [address for address in one["links"] if address not in one["text"]]
    return [{"title": address, "url": address} for address in hidden]


# --- mail and webhooks


def _mailbox(_member: Any) -> dict[str, Any]:
    return {"letters": [_letter(one) for one in islice(mail.kept(mail.letters_folder()), 100)]}


def _letter(one: mail.Kept) -> dict[str, Any]:
    stem = one.name.removesuffix(mail.SUFFIX)
    return {
        "name": one.name,
        "at": _moment(int(stem) / 1e9) if stem.isdigit() else None,
        "subject": str(one.message["Subject"] or ""),
        "sender": str(one.message["From"] or ""),
        "to": one.to,
        "has_page": one.message.get_body(("html",)) is not None,
    }


def _receiver(member: Any) -> dict[str, Any]:
    messages = [
        {"at": _moment(one["at"]), "kind": one["kind"], "data": one.get("data") or {}}
        for one in _newest(member)
    ]
    return {"messages": messages}


def _newest(member: Simulator, kind: str = "") -> list[dict[str, Any]]:
    return member.book.shown(kind)[-MOST_SHOWN:][::-1]


def _plain(html: str) -> str:
    return _SPACE.sub(" ", _TAG.sub(" ", html)).strip()[:300]


def _moment(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


_SHOWS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "wecom": _wecom,
    "oa": _official,
    "feishu": _feishu,
    "dingtalk": _dingtalk,
    "slack": _slack,
    "telegram": _telegram,
    "mail": _mailbox,
    "receiver": _receiver,
}
