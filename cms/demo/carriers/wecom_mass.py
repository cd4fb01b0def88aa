"""The demo WeCom's mass messages: tasks for employees, whose sending reaches customers, or not."""

from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from cms.demo.carriers.wecom_corp import (
    DISPATCH,
    PER_MONTH,
    Corporation,
    Fault,
    api,
    judge_link,
    judge_tags,
)

SENT, NO_FRIEND, USED_UP = 1, 2, 3
DAY = 86_400
Task = dict[str, Any]


class MassMessages(Corporation):
    """Employees send when told by `_control/confirm`, or by themselves while `auto` is on."""

    @api("POST", "/cgi-bin/externalcontact/add_msg_template")
    def add_msg_template(self, request: Request) -> dict[str, Any]:
        corpid = self.caller(request)
        asked = self.body(request)
        sender = str(asked.get("sender") or "")
        self._judge_words(asked)
        self._judge_attachments(corpid, asked.get("attachments") or [])
        for group in (asked.get("tag_filter") or {}).get("group_list") or []:
            judge_tags(group.get("tag_list"))
        if sender not in self.employees(corpid):
            raise Fault(60111, "userid not found")
        recipients = self._recipients(corpid, sender, asked)
        if not recipients:
            raise Fault(41048, "no available customer")
        blocked = [one for one in recipients if self.book.get("unreachable", one)]
        number = self.count("mass")
        msgid = f"msgGCAAADemo{number:012d}"
        task = {
            "corpid": corpid,
            "sender": sender,
            "chat_type": asked.get("chat_type", "single"),
            "text": asked.get("text") or {},
            "attachments": asked.get("attachments") or [],
            "recipients": [one for one in recipients if one not in blocked],
            "created": self.now(),
            "done_at": None,
            "results": [],
        }
        self.book.put("mass", msgid, task)
        words = str((asked.get("text") or {}).get("content", ""))
        told = {"msgid": msgid, "sender": sender, "text": words, "corpid": corpid}
        self.book.show("mass_task", self.now(), told)
        return {"msgid": msgid, "fail_list": blocked}

    @api("POST", "/cgi-bin/externalcontact/get_groupmsg_list_v2")
    def get_groupmsg_list_v2(self, request: Request) -> dict[str, Any]:
        corpid = self.caller(request)
        asked = self.body(request)
        start, end = int(asked["start_time"]), int(asked["end_time"])
        if not 0 <= end - start <= 31 * DAY:
            raise Fault(40058, "time range")
        rows = [
            {
                "msgid": msgid,
                "create_time": str(int(task["created"])),
                "create_type": 0,
                "text": task["text"],
                "attachments": task["attachments"],
            }
            for msgid, task in self.book.all("mass").items()
            if task["corpid"] == corpid
            and task["chat_type"] == asked.get("chat_type")
            and start <= task["created"] <= end
        ]
        return self.page(rows, asked, 100, "group_msg_list")

    @api("POST", "/cgi-bin/externalcontact/get_groupmsg_task")
    def get_groupmsg_task(self, request: Request) -> dict[str, Any]:
        asked, task = self._of_task(request)
        row: dict[str, Any] = {"userid": task["sender"], "status": 2 if task["done_at"] else 0}
        if task["done_at"]:
            row["send_time"] = int(task["done_at"])
        return self.page([row], asked, 1000, "task_list")

    @api("POST", "/cgi-bin/externalcontact/get_groupmsg_send_result")
    def get_groupmsg_send_result(self, request: Request) -> dict[str, Any]:
        asked, task = self._of_task(request)
        if asked.get("userid") != task["sender"]:
            raise Fault(40058, "userid")
        name = "chat_id" if task["chat_type"] == "group" else "external_userid"
        fates = dict(task["results"]) if self._are_results_out(task) else {}
        rows = []
        for one in task["recipients"]:
            row = {name: one, "userid": task["sender"], "status": fates.get(one, 0)}
            if fates.get(one) == SENT:
                row["send_time"] = int(task["done_at"])
            rows.append(row)
        return self.page(rows, asked, 1000, "send_list")

    def _are_results_out(self, task: Task) -> bool:
        """Whom it reached may be known later than that the employee has sent it."""
        late = float(self.book.get("flag", "results_late") or 0)
        return task["done_at"] is not None and self.now() >= task["done_at"] + late

    @api("POST", "/cgi-bin/externalcontact/remind_groupmsg_send")
    def remind_groupmsg_send(self, request: Request) -> dict[str, Any]:
        asked, task = self._of_task(request)
        told = [at for at in task.get("reminders", []) if at > self.now() - DAY]
        if len(told) >= 3:
            raise Fault(41094, "remind too often")
        self.book.put("mass", asked["msgid"], task | {"reminders": [*told, self.now()]})
        self.book.show("mass_reminder", self.now(), {"msgid": asked["msgid"]})
        return {}

    @api("POST", "/cgi-bin/externalcontact/cancel_groupmsg_send")
    def cancel_groupmsg_send(self, request: Request) -> dict[str, Any]:
        asked, task = self._of_task(request, at_once=True)
        if task.get("cancelled"):
            raise Fault(41093, "already cancelled")
        self.book.put("mass", asked["msgid"], task | {"cancelled": True})
        return {}

    def _of_task(self, request: Request, *, at_once: bool = False) -> tuple[dict[str, Any], Task]:
        corpid = self.caller(request)
        asked = self.body(request)
        task = self.mass_task(str(asked.get("msgid")))
        if task is None or task["corpid"] != corpid:
            raise Fault(40058, "msgid")
        if not at_once and self.now() < task["created"] + DISPATCH:
            raise Fault(41063, "being dispatched")
        return asked, task

    def mass_task(self, msgid: str) -> Task | None:
        """The task as it is now: what was due meanwhile has been done."""
        task: Task | None = self.book.get("mass", msgid)
        if task is None or task["done_at"] or task.get("cancelled") or task.get("deleted"):
            return task
        due = self.auto_moment(task["created"], msgid, task["sender"])
        if due is None or due > self.now():
            return task
        return self._send(msgid, task, due)

    def _send(self, msgid: str, task: Task, at: float) -> Task:
        """The employee presses the button."""
        with self.book.whole():
            results = [[one, self._fate(task["corpid"], one)] for one in task["recipients"]]
        task = task | {"done_at": at, "results": results}
        self.book.put("mass", msgid, task)
        sent = [one for one, fate in results if fate == SENT]
        self.book.show("mass_sent", at, {"msgid": msgid, "sender": task["sender"], "to": sent})
        return task

    def _fate(self, corpid: str, customer: str) -> int:
        if self.book.get("unfriended", customer):
            return NO_FRIEND
        most = (self.corp(corpid) or {}).get("per_month", PER_MONTH)
        place = f"{customer}:{self.month()}"
        used = int(self.book.get("quota", place) or 0)
        if used >= most:
            return USED_UP
        self.book.put("quota", place, used + 1)
        return SENT

    def _recipients(self, corpid: str, sender: str, asked: dict[str, Any]) -> list[str]:
        if asked.get("chat_type") == "group":
            return self.groups(corpid, sender)
        groups = (asked.get("tag_filter") or {}).get("group_list") or []
        tags = [tag for group in groups for tag in group.get("tag_list", [])]
        return self.customers(corpid, sender, tags)

    def _judge_words(self, asked: dict[str, Any]) -> None:
        words = str((asked.get("text") or {}).get("content", ""))
        if len(words.encode()) > 4000:
            raise Fault(45002, "text too long")
        if not words and not asked.get("attachments"):
            raise Fault(44004, "empty content")

    def _judge_attachments(self, corpid: str, attachments: list[dict[str, Any]]) -> None:
        if len(attachments) > 9:
            raise Fault(40058, "attachments size")
        for one in attachments:
            content = one.get(str(one.get("msgtype"))) or {}
            match one.get("msgtype"):
                case "image" if not content.get("pic_url"):
                    self.media(corpid, content.get("media_id"), "media")
                case "image":
                    pass
                case "link":
                    judge_link(content, title=128, picurl=2048, desc=512, url=2048)
                case _:
                    raise Fault(40063, "msgtype")

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        match verb:
            case "confirm":
                self._each(given, lambda msgid, task: self._send(msgid, task, self.now()))
            case "results_late":  # by so many seconds after the employee's button
                self.book.put("flag", "results_late", given["seconds"])
                return self.json({"done": verb})
            case "delete":
                self._each(given, self._forget)
            case "unfriend":
                self.book.put("unfriended", given["customer"], True)
            case "unreachable":
                self.book.put("unreachable", given["customer"], True)
            case "quota":
                self.book.put("quota", f"{given['customer']}:{self.month()}", given["used"])
        return super().control(verb, given)

    def _forget(self, msgid: str, task: Task) -> None:
        self.book.put("mass", msgid, task | {"deleted": True})

    def _each(self, given: dict[str, Any], act: Callable[[str, Task], object]) -> None:
        """Every open task of the employee, or the one named."""
        for msgid in list(self.book.all("mass")):
            task = self.mass_task(msgid)
            is_open = task and not (task["done_at"] or task.get("cancelled") or task.get("deleted"))
            is_meant = given.get("task") in (msgid, None)
            if task and is_open and is_meant and given.get("employee") in (task["sender"], None):
                act(msgid, task)
