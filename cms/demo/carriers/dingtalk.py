"""The demo DingTalk: custom robots of groups, with the lock-out of whoever sends too fast."""

import base64
import hashlib
import hmac
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from cms.demo.carriers.pacing import is_too_fast
from cms.demo.carriers.simulator import Simulator, route

ROBOT = "demo0001robot"
MOST_BYTES = 20_000
SKEW = 3600
BLOCKED_SECONDS = 600

SAID = {
    -1: "system busy",
    40035: "missing parameter json",
    43004: "require contentType application/json",
    400105: "unsupported message type",
    130101: "send too fast, exceed 20 times per minute",
    300001: "token is not exist",
    400013: "group has been disbanded",
    400102: "robot is stopped",
    400106: "robot not found",
}
SHAPES = {
    "text": ("content",),
    "markdown": ("title", "text"),
    "link": ("title", "text", "messageUrl"),
    "actionCard": ("title", "text"),
    "feedCard": ("links",),
}
Fault = tuple[int, str]


class DingTalk(Simulator):
    """Answers HTTP 200 to everything; only errcode tells. `_control/robot` sets up or breaks a robot."""

    slug = "dingtalk"
    name = "DingTalk"

    @route("POST", "/robot/send")
    def send(self, request: Request) -> Response:
        limited = self.scripted_limit(request, "errcode", errmsg="limited", data=None)
        if limited:
            return limited
        scripted = self.scripted_errcode(request)
        fault = (scripted, "") if scripted else self._judged(request)
        if fault:
            code, words = fault
            return self.json({"errcode": code, "errmsg": words or SAID.get(code, "error")})
        body = request.get_json()
        content = body[body["msgtype"]]
        called = body.get("at") or {}
        message = {
            "robot": request.args["access_token"],
            "kind": body["msgtype"],
            "bytes": len(request.get_data()),
            "text": _words(content),
            "all_called": bool(called.get("isAtAll")),
            "called": [*called.get("atMobiles", []), *called.get("atUserIds", [])],
        }
        self.book.show("message", self.now(), message)
        return self.json({"errcode": 0, "errmsg": "ok"})

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        match verb:
            case "robot":  # key, and any of secret, keywords, ip_refused, errcode
                self.book.put("robot", given["key"], given)
            case "remove_bot":
                self.book.put("robot", given["key"], {"errcode": 400106})
            case "stop_bot":
                self.book.put("robot", given["key"], {"errcode": 400102})
            case "dissolve_group":
                self.book.put("robot", given["key"], {"errcode": 400013})
            case _:
                raise NotFound
        return self.json({"done": verb})

    def _judged(self, request: Request) -> Fault | None:
        key = request.args.get("access_token", "")
        robot = self.book.get("robot", key) or ({} if key == ROBOT else None)
        if robot is None:
            return (300001, "")
        if robot.get("errcode"):
            return (robot["errcode"], "")
        if not request.is_json:
            return (43004, "")
        return self._unsafe(request, robot) or self._unreadable(request) or self._too_fast(key)

    def _unsafe(self, request: Request, robot: dict[str, Any]) -> Fault | None:
        if robot.get("ip_refused"):
            return (310000, f"ip {request.remote_addr} not in whitelist")
        if robot.get("secret"):
            given = request.args.get("timestamp", "")
            if not given.isdigit() or abs(self.now() - int(given) / 1000) > SKEW:
                return (310000, "invalid timestamp")
            if request.args.get("sign") != _sign(given, robot["secret"]):
                return (310000, "sign not match")
        words = robot.get("keywords") or []
        said = _words((request.get_json(silent=True) or {}).get(_kind(request)) or {})
        if words and not any(word in said for word in words):
            return (310000, "keywords not in content")
        return None

    def _unreadable(self, request: Request) -> Fault | None:
        kind = _kind(request)
        body = request.get_json(silent=True) or {}
        if not kind or len(request.get_data()) > MOST_BYTES:
            return (40035, "")
        if kind not in SHAPES:
            return (400105, "")
        content = body.get(kind) or {}
        return None if all(content.get(name) for name in SHAPES[kind]) else (40035, "")

    def _too_fast(self, key: str) -> Fault | None:
        """One call too many, and for ten minutes nothing is taken, not even politely spaced calls."""
        moment = self.now()
        if (self.book.get("blocked", key) or 0) > moment:
            return (130101, "")
        if is_too_fast(self.book, key, moment, most=20, seconds=60):
            self.book.put("blocked", key, moment + BLOCKED_SECONDS)
            return (130101, "")
        return None


def _kind(request: Request) -> str:
    body = request.get_json(silent=True)
    return str(body.get("msgtype") or "") if isinstance(body, dict) else ""


def _words(content: dict[str, Any]) -> str:
    return "\n".join(str(value) for value in content.values())


def _sign(timestamp: str, secret: str) -> str:
    message = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()
