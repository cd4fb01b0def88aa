"""The demo Official Account's mass sending: once a key, its quotas, an administrator who confirms."""

from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from cms.demo.carriers.calling_back import Caller
from cms.demo.carriers.official_account_tokens import ZONE, Tokens
from cms.demo.carriers.simulator import route

SEND_SECONDS = 5.0
CONFIRM_SECONDS = 1_800.0
HURRY_SECONDS = 60.0
FOLLOWERS = 1_250
QUOTA = {"subscription": 1, "service": 100}  # of a day in the carrier's own calendar
PER_FOLLOWER = 4  # of a month, and of a service account only
KEY_LIVES = 86_400.0


class MassSending(Tokens):
    """Accepted first, sent a little later; with protection on only once somebody has confirmed."""

    caller: Caller

    def has_picture(self, name: str) -> bool:
        raise NotImplementedError

    @route("POST", "/cgi-bin/message/mass/sendall")
    def send_to_all(self, request: Request) -> Response:
        trouble = self.trouble(request, needs_verified=True)
        if trouble:
            return trouble
        given = request.get_json(silent=True) or {}
        key = str(given.get("clientmsgid", ""))
        if len(key.encode()) > 64:
            return self.error(45067, "clientmsgid size out of limit")
        known = self._known(key)
        if known:
            return self.json({"errcode": 45065, "errmsg": "clientmsgid exist", "msg_id": known})
        if key and self.now() - float(self.book.get("tried", key) or 0) < HURRY_SECONDS:
            return self.error(45066, "same clientmsgid retry too fast")
        if key:
            self.book.put("tried", key, self.now())
        fault = self._fault_in(given)
        if fault:
            return self.error(*fault)
        return self._accept(key, given)

    def _known(self, key: str) -> int | None:
        """The message that was sent with the key; past a day the key is forgotten."""
        kept = self.book.get("key", key) if key else None
        if not kept or self.now() - float(kept["at"]) >= KEY_LIVES:
            return None
        return int(kept["number"])

    def _fault_in(self, given: dict[str, Any]) -> tuple[int, str] | None:
        kind = given.get("msgtype")
        content = given.get("images" if kind == "image" else str(kind)) or {}
        if kind == "text" and not content.get("content"):
            return 44004, "empty content"
        if kind == "mpnews" and self.book.get("draft", str(content.get("media_id"))) is None:
            return 40007, "invalid media_id"
        if kind == "image" and not all(self.has_picture(one) for one in content["media_ids"]):
            return 40007, "invalid media_id"
        if kind not in ("text", "mpnews", "image"):
            return 40008, "invalid message type"
        return self._counted_against(str((given.get("filter") or {}).get("tag_id") or ""))

    def _counted_against(self, tag: str) -> tuple[int, str] | None:
        """The quotas: of the day, and of the month of each follower; what went to all is everybody's."""
        kind = self.book.get("console", "kind") or "subscription"
        today = self._date()
        rows = [one for one in self.book.get("quota", "sent") or [] if one["on"][:7] == today[:7]]
        of_today = [one for one in rows if one["on"] == today]
        theirs = [one for one in rows if one["tag"] in ("", tag)]
        if len(of_today) >= QUOTA[kind] or (kind == "service" and len(theirs) >= PER_FOLLOWER):
            return 45028, "has no masssend quota"
        self.book.put("quota", "sent", [*rows, {"on": today, "tag": tag}])
        return None

    def _date(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).astimezone(ZONE).date().isoformat()

    def _accept(self, key: str, given: dict[str, Any]) -> Response:
        number = 1_000_000_000 + len(self.book.all("message")) + 1
        is_held = bool(self.book.get("console", "protected")) and given["filter"].get("is_to_all")
        wait = CONFIRM_SECONDS if is_held else SEND_SECONDS
        kept = {
            "status": "SENDING",
            "ready_at": self.now() + wait,
            "is_held": bool(is_held),
            "kind": given["msgtype"],
            "draft": (given.get("mpnews") or {}).get("media_id", ""),
        }
        self.book.put("message", str(number), kept)
        if key:
            self.book.put("key", key, {"number": number, "at": self.now()})
        done = {"errcode": 0, "errmsg": "send job submission success", "msg_id": number}
        return self.json(done | ({"msg_data_id": number + 7} if kept["draft"] else {}))

    def settle_messages(self) -> None:
        for number, message in self.book.all("message").items():
            if message["status"] == "SENDING" and message["ready_at"] <= self.now():
                verdict = str(self.book.get("console", "mass_verdict") or "send success")
                self._end(number, message, "send fail" if message["is_held"] else verdict)

    def confirm_message(self, number: str) -> None:
        """The administrator says yes on the telephone."""
        message = self.book.get("message", number)
        kept = message | {"is_held": False, "ready_at": self.now() + SEND_SECONDS}
        self.book.put("message", number, kept)

    def _end(self, number: str, message: dict[str, Any], status: str) -> None:
        is_sent = status == "send success"
        message["status"] = "SEND_SUCCESS" if is_sent else "SEND_FAIL"
        unreached = min(FOLLOWERS, int(self.book.get("console", "unreached") or 0))
        sent = FOLLOWERS - unreached if is_sent else 0
        url = f"https://mp.demo.invalid/s?__biz=Demo&mid={int(number) + 7}&idx=1"
        if is_sent:
            draft = self.book.get("draft", message["draft"]) or {"news_item": [{"title": ""}]}
            title = draft["news_item"][0]["title"]
            self.book.remove("draft", message["draft"])
            self.book.show("mass_sent", self.now(), {"msg_id": number, "title": title})
            if message["draft"]:
                counted = {"title": title, "url": url, "at": self.now()}
                self.book.put("counted", f"{int(number) + 7}", counted)
        self.book.put("message", number, message)
        articles = {"Count": 1, "ResultList": {"item": [{"ArticleIdx": 1, "ArticleUrl": url}]}}
        self.caller.tell(
            self.now(),
            {
                "ToUserName": "gh_demo",
                "FromUserName": "mphelper",
                "CreateTime": int(self.now()),
                "MsgType": "event",
                "Event": "MASSSENDJOBFINISH",
                "MsgID": int(number),
                "Status": status,
                "TotalCount": FOLLOWERS,
                "FilterCount": FOLLOWERS,
                "SentCount": sent,
                "ErrorCount": FOLLOWERS - sent,
                "CopyrightCheckResult": {"Count": 0, "ResultList": "", "CheckState": 1},
                **({"ArticleUrlResult": articles} if is_sent and message["draft"] else {}),
            },
        )

    @route("POST", "/cgi-bin/message/mass/get")
    def get_message(self, request: Request) -> Response:
        trouble = self.trouble(request, needs_verified=True)
        if trouble:
            return trouble
        self.settle_messages()
        number = str((request.get_json(silent=True) or {}).get("msg_id", ""))
        message = self.book.get("message", number)
        if message is None:
            return self.error(40059, "invalid msg id")
        return self.json({"msg_id": int(number), "msg_status": message["status"]})

    @route("POST", "/cgi-bin/message/mass/delete")
    def delete_message(self, request: Request) -> Response:
        """The card stays in the chats; what it leads to is gone."""
        trouble = self.trouble(request, needs_verified=True)
        if trouble:
            return trouble
        number = str((request.get_json(silent=True) or {}).get("msg_id", ""))
        message = self.book.get("message", number)
        if message is None:
            return self.error(40059, "invalid msg id")
        self.book.put("message", number, message | {"status": "DELETE"})
        self.book.show("mass_removed", self.now(), {"msg_id": number})
        return self.json({"errcode": 0, "errmsg": "ok"})

    @route("POST", "/cgi-bin/message/mass/speed/get")
    def get_speed(self, request: Request) -> Response:
        trouble = self.trouble(request, needs_verified=True)
        return trouble or self.json({"errcode": 0, "speed": 3, "realspeed": 15})
