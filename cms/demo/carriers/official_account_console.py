"""The demo Official Account's console: what a person or the platform does there, by hand."""

import secrets
from typing import Any

from werkzeug.wrappers import Response

from cms.demo.carriers.calling_back import Caller
from cms.demo.carriers.simulator import Simulator

# Switches: what each is set to stays until it is set to something else.
SWITCHES = frozenset(
    {
        "unverified",  # no publishing, no mass sending: 48001
        "blocks_address",  # 40164 for every call
        "protected",  # mass sending waits for the administrator
        "kind",  # subscription or service: the quotas
        "verdict",  # how publishing ends: 0, 2 originality, 3, 4 review refused
        "mass_verdict",  # how mass sending ends: send success, send fail, err(20008)
        "unreached",  # how many followers a mass message does not reach
        "submit",  # a code for every submit: 53503, 53504, 53505
        "delayed",  # statistics are behind
        "no_comments",
    }
)


class Console(Simulator):
    """`POST /_control/<verb>`; the real site has these only in a browser."""

    caller: Caller

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        if verb == "deliver":  # outside the book's lock: whoever is told may call back
            said = self.caller.deliver(self.now(), order=given.get("order"))
            return self.json({"done": verb, "said": said})
        if verb == "again":
            return self.json({"said": self.caller.again(self.now(), str(given["number"]))})
        act = getattr(self, f"control_{verb}", None)
        if act is None:
            return super().control(verb, given)
        with self.book.whole():
            said = act(given)
        return self.json({"done": verb, "said": said})

    def control_switch(self, given: dict[str, Any]) -> None:
        for name, value in given.items():
            if name not in SWITCHES:
                raise ValueError(name)
            self.book.put("console", name, value)

    def control_callback(self, given: dict[str, Any]) -> None:
        """The page on which address, token and key are entered."""
        self.caller.configure(**given)

    def control_void_token(self, given: dict[str, Any]) -> None:
        """The stable token stops working early; only a forced renewal gives another."""
        name = self.book.get("current", str(given.get("kind", "stable")))
        if name:
            self.book.put("token", name, self.book.get("token", name) | {"is_void": True})

    def control_settle(self, _given: dict[str, Any]) -> None:
        self.settle()

    def control_delete_article(self, given: dict[str, Any]) -> None:
        """A person removes it (5), or the platform blocks it (6): here the product is told."""
        for name, one in self.book.all("article").items():
            if given.get("article_id") in (None, name):
                self.remove_article(name, one, status=int(given.get("status", 5)))
                self.tell_of(one["job"], self.book.get("job", one["job"]))

    def control_delete_drafts(self, _given: dict[str, Any]) -> None:
        for name in self.book.all("draft"):
            self.book.remove("draft", name)

    def control_empty_library(self, _given: dict[str, Any]) -> None:
        for name in self.book.all("picture"):
            self.book.remove("picture", name)

    def control_confirm(self, given: dict[str, Any]) -> None:
        """The administrator confirms what waits."""
        for number, message in self.book.all("message").items():
            if message["is_held"] and given.get("msg_id") in (None, int(number)):
                self.confirm_message(number)

    def control_comment(self, given: dict[str, Any]) -> None:
        """A reader writes a comment."""
        number = str(given["msg_data_id"])
        rows = self.book.get("comments", number) or []
        row = {
            "user_comment_id": len(rows) + 1,
            "openid": f"o{secrets.token_hex(13)}",
            "create_time": int(self.now()),
            "content": str(given.get("content", "")),
            "comment_type": 0,
        }
        self.book.put("comments", number, [*rows, row])

    def control_event(self, given: dict[str, Any]) -> None:
        """Something a follower does: subscribe, SCAN, CLICK …"""
        base = {"ToUserName": "gh_demo", "CreateTime": int(self.now()), "MsgType": "event"}
        self.caller.tell(self.now(), base | given)

    def settle(self) -> None:
        raise NotImplementedError

    def remove_article(self, name: str, one: dict[str, Any], *, status: int) -> None:
        raise NotImplementedError

    def tell_of(self, number: str, job: dict[str, Any]) -> None:
        raise NotImplementedError

    def confirm_message(self, number: str) -> None:
        raise NotImplementedError
