"""The demo Slack: an incoming webhook, and the few methods an app needs to write, change and delete."""

import re
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from cms.demo.carriers.pacing import is_too_fast
from cms.demo.carriers.simulator import Simulator, route

HOOK = "T0DEMO/B0DEMO/demowebhooksecret"
TOKEN = "xoxb-demo-token"  # noqa: S105 - opens nothing but this
CONVERSATION = "C0DEMO"
MOST_BLOCKS = 50
MOST_SECTION = 3000
MOST_ALT = 2000
MOST_WORDS = 13_000  # about that much in all blocks of one message of an app

# What `_control/hook` can make of a webhook: status and word.
TROUBLES = {
    "removed": (404, "no_service"),
    "archived": (410, "channel_is_archived"),
    "prohibited": (403, "action_prohibited"),
    "gone_channel": (404, "channel_not_found"),
    "rollup": (500, "rollup_error"),
}
_CALLED = re.compile(r"<(![^>|]+|@[^>|]+)")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


class Slack(Simulator):
    """A webhook answers `ok` or a word; an app's methods answer JSON. One message a second each."""

    slug = "slack"
    name = "Slack"

    @route("POST", "/services/<team>/<service>/<secret>")
    def hook(self, request: Request, team: str, service: str, secret: str) -> Response:
        key = f"{team}/{service}/{secret}"
        trouble = self.book.get("hook", key) or ("" if key == HOOK else "removed")
        if trouble:
            status, word = TROUBLES[trouble]
            return Response(word, status)
        message = request.get_json(silent=True)
        if not isinstance(message, dict):
            return Response("invalid_payload", 400)
        word = _fault(message)
        if word:
            return Response(word, 400)
        if is_too_fast(self.book, key, self.now(), most=1, seconds=1):
            return Response("rate_limited", 429, {"Retry-After": "1"})
        self.book.show("message", self.now(), {"hook": key, **_read(message)})
        return Response("ok")

    @route("POST", "/api/auth.test")
    def auth_test(self, request: Request) -> Response:
        return self._unwelcome(request) or self.json({"ok": True, "team": "Demo", "user": "seed"})

    @route("POST", "/api/chat.postMessage")
    def post(self, request: Request) -> Response:
        message = request.get_json(silent=True) or {}
        refused = self._unwelcome(request) or self._unfit(message)
        if refused:
            return refused
        if is_too_fast(self.book, message["channel"], self.now(), most=1, seconds=1):
            said = {"ok": False, "error": "ratelimited"}
            return self.json(said, 429, **{"Retry-After": "1"})
        number = (self.book.get("count", "ts") or 0) + 1
        self.book.put("count", "ts", number)
        ts = f"{int(self.now())}.{number:06d}"
        read = _read(message)
        self.book.put("posted", ts, read)
        self.book.show("message", self.now(), {"channel": message["channel"], "ts": ts, **read})
        return self.json({"ok": True, "channel": message["channel"], "ts": ts})

    @route("POST", "/api/chat.update")
    def update(self, request: Request) -> Response:
        message = request.get_json(silent=True) or {}
        refused = self._unwelcome(request) or self._unfit(message) or self._unknown(message)
        if refused:
            return refused
        ts, read = message["ts"], _read(message)
        self.book.put("posted", ts, read)
        self.book.show("edit", self.now(), {"channel": message["channel"], "ts": ts, **read})
        return self.json({"ok": True, "channel": message["channel"], "ts": ts})

    @route("POST", "/api/chat.delete")
    def delete(self, request: Request) -> Response:
        message = request.get_json(silent=True) or {}
        refused = self._unwelcome(request) or self._unknown(message)
        if refused:
            return refused
        self.book.remove("posted", message["ts"])
        self.book.show("delete", self.now(), {"ts": message["ts"]})
        return self.json({"ok": True, "channel": message["channel"], "ts": message["ts"]})

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        match verb:
            case "hook":  # key, trouble: one of TROUBLES, or "" for none
                self.book.put("hook", given["key"], given["trouble"])
            case "revoke_token":
                self.book.put("token", TOKEN, "token_revoked")
            case "kick":
                self.book.put("kicked", given["channel"], True)
            case _:
                raise NotFound
        return self.json({"done": verb})

    def _unwelcome(self, request: Request) -> Response | None:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not bearer:
            return self.json({"ok": False, "error": "not_authed"})
        error = self.book.get("token", bearer) or ("" if bearer == TOKEN else "invalid_auth")
        return self.json({"ok": False, "error": error}) if error else None

    def _unfit(self, message: dict[str, Any]) -> Response | None:
        error = _fault(message)
        if message.get("channel") != CONVERSATION:
            error = "channel_not_found"
        elif not error and words_of(message) > MOST_WORDS:
            error = "msg_blocks_too_long"
        elif self.book.get("kicked", CONVERSATION):
            error = "not_in_channel"
        return self.json({"ok": False, "error": error}) if error else None

    def _unknown(self, message: dict[str, Any]) -> Response | None:
        if self.book.get("posted", str(message.get("ts"))) is not None:
            return None
        return self.json({"ok": False, "error": "message_not_found"})


def _fault(message: dict[str, Any]) -> str:
    blocks = message.get("blocks") or []
    if not message.get("text") and not blocks:
        return "no_text"
    if len(message.get("attachments") or []) > 100:
        return "too_many_attachments"
    if len(blocks) > MOST_BLOCKS or not all(_is_sound(block) for block in blocks):
        return "invalid_blocks"
    return ""


def words_of(message: dict[str, Any]) -> int:
    """How long all that is written in the blocks is together."""
    blocks = message.get("blocks") or []
    said = [(block.get("text") or {}).get("text", "") for block in blocks]
    return sum(map(len, [*said, *(block.get("alt_text", "") for block in blocks)]))


def _is_sound(block: dict[str, Any]) -> bool:
    if block.get("type") == "image":
        alt = block.get("alt_text", "")
        return 0 < len(alt) <= MOST_ALT and str(block.get("image_url", "")).startswith("http")
    text = (block.get("text") or {}).get("text", "")
    return block.get("type") == "section" and 0 < len(text) <= MOST_SECTION


def _read(message: dict[str, Any]) -> dict[str, Any]:
    """The message as readers see it: words, pictures, and who is called."""
    blocks = message.get("blocks") or []
    raw = [block["text"]["text"] for block in blocks if block.get("type") == "section"]
    said = "\n".join(raw or [str(message.get("text", ""))])
    called = _CALLED.findall(f"{said}\n{message.get('text', '')}")
    for entity, mark in _ENTITIES:
        said = said.replace(entity, mark)
    images = [block["image_url"] for block in blocks if block.get("type") == "image"]
    return {"text": said, "images": images, "called": called}
