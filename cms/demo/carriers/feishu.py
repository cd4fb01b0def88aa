"""The demo Feishu: custom robots of groups, and an app that may upload pictures."""

import base64
import hashlib
import hmac
import re
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from cms.demo.carriers.pacing import is_too_fast
from cms.demo.carriers.simulator import Simulator, route

ROBOT = "demo-robot-0001"
APP = ("cli_demo", "demo-app-secret")
MOST_BYTES = 20 * 1024
SKEW = 3600
TOKEN_LIFE = 7200
KINDS = {"text", "post", "image", "share_chat", "interactive"}

SAID = {
    9499: "Bad Request",
    11232: "frequency limited",
    99991400: "request trigger frequency limit",
    19001: "param invalid: incoming webhook access token invalid",
    19002: "params error, msg_type need",
    19021: "sign match fail or timestamp is not within one hour from current time",
    19022: "Ip Not Allowed",
    19024: "Key Words Not Found",
    10014: "app secret invalid",
    99991663: "Invalid access token for authorization. Please make a test attempt",
    234001: "Invalid request param",
    234006: "The file size exceed the max value",
}
_AT = re.compile(r'<at\s+user_id="([^"]*)"')


class Feishu(Simulator):
    """Answers HTTP 200 to everything; only the code tells. A robot is set up with `_control/robot`."""

    slug = "feishu"
    name = "Feishu"

    @route("POST", "/open-apis/bot/v2/hook/<key>")
    def hook(self, request: Request, key: str) -> Response:
        scripted = self._scripted(request)
        if scripted:
            return scripted
        code = self._judged(request, key)
        if code:
            return self._refused(code)
        body = request.get_json()
        size = len(request.get_data())
        self.book.show("message", self.now(), {"robot": key, "bytes": size, **_read(body)})
        said = {
            "StatusCode": 0,
            "StatusMessage": "success",
            "code": 0,
            "data": {},
            "msg": "success",
        }
        return self.json(said)

    @route("POST", "/open-apis/auth/v3/tenant_access_token/internal")
    def token(self, request: Request) -> Response:
        scripted = self._scripted(request)
        if scripted:
            return scripted
        asked = request.get_json(silent=True) or {}
        apps = self.book.all("app") or {APP[0]: APP[1]}
        if apps.get(asked.get("app_id", "")) != asked.get("app_secret"):
            return self._refused(10014)
        number = (self.book.get("count", "token") or 0) + 1
        self.book.put("count", "token", number)
        made = f"t-demo{number:08d}"
        self.book.put("token", made, self.now() + TOKEN_LIFE)
        said = {"code": 0, "msg": "ok", "tenant_access_token": made, "expire": TOKEN_LIFE}
        return self.json(said)

    @route("POST", "/open-apis/im/v1/images")
    def upload(self, request: Request) -> Response:
        scripted = self._scripted(request)
        if scripted:
            return scripted
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if (self.book.get("token", bearer) or 0) <= self.now():
            return self._refused(99991663)
        image = request.files.get("image")
        if image is None or request.form.get("image_type") != "message":
            return self._refused(234001)
        content = image.read()
        key = f"img_v3_{hashlib.sha256(content).hexdigest()[:36]}"
        self.book.put("image", key, len(content))
        return self.json({"code": 0, "msg": "success", "data": {"image_key": key}})

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        match verb:
            case "robot":  # key, and any of secret, keywords, ip_refused
                self.book.put("robot", given["key"], given)
            case "remove_bot":
                self.book.put("robot", given["key"], {"removed": True})
            case "revoke_tokens":
                for one in self.book.all("token"):
                    self.book.remove("token", one)
            case _:
                raise NotFound
        return self.json({"done": verb})

    def _scripted(self, request: Request) -> Response | None:
        """What a script has it answer: a code, with or without a 429, and no data."""
        code = self.scripted_errcode(request)
        if code is None:
            return self.scripted_limit(request, "code", data=None, msg="limited")
        return self.json({"code": code, "data": None, "msg": SAID.get(code, "error")})

    def _robot(self, key: str) -> dict[str, Any] | None:
        known = self.book.get("robot", key) or ({} if key == ROBOT else None)
        return None if known is None or known.get("removed") else known

    def _judged(self, request: Request, key: str) -> int:
        """The code of what is wrong; 0 for nothing."""
        robot = self._robot(key)
        if robot is None:
            return 19001
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or len(request.get_data()) > MOST_BYTES:
            return 9499
        if robot.get("ip_refused"):
            return 19022
        if robot.get("secret") and not self._is_signed(body, robot["secret"]):
            return 19021
        return self._judged_message(key, robot, body)

    def _judged_message(self, key: str, robot: dict[str, Any], body: dict[str, Any]) -> int:
        kind = body.get("msg_type")
        if kind not in KINDS:
            return 19002
        read = _read(body)
        if not read["text"] and not read["images"]:
            return 9499
        if any(self.book.get("image", image) is None for image in read["images"]):
            return 9499
        words = robot.get("keywords") or []
        if words and not any(word in read["text"] for word in words):
            return 19024
        return 11232 if self._is_too_fast(key) else 0

    def _is_too_fast(self, key: str) -> bool:
        moment = self.now()
        return is_too_fast(self.book, f"{key}/s", moment, most=5, seconds=1) or is_too_fast(
            self.book, f"{key}/m", moment, most=100, seconds=60
        )

    def _is_signed(self, body: dict[str, Any], secret: str) -> bool:
        given = str(body.get("timestamp", ""))
        if not given.isdigit() or abs(self.now() - int(given)) > SKEW:
            return False
        made = hmac.new(f"{given}\n{secret}".encode(), digestmod=hashlib.sha256).digest()
        return base64.b64encode(made).decode() == body.get("sign")

    def _refused(self, code: int) -> Response:
        return self.json({"code": code, "data": {}, "msg": SAID.get(code, "error")})


def _read(body: dict[str, Any]) -> dict[str, Any]:
    """The message as the group sees it: words, pictures, links, and who is called."""
    content = body.get("content") or {}
    if body.get("msg_type") == "text":
        text = str(content.get("text", ""))
        return {"text": text, "images": [], "links": [], "called": _AT.findall(text)}
    posts: dict[str, Any] = content.get("post") or {}
    post: dict[str, Any] = next(iter(posts.values()), {}) or {}
    tags = [tag for line in post.get("content", []) for tag in line]
    lines = ["".join(str(tag.get("text", "")) for tag in line) for line in post.get("content", [])]
    return {
        "text": "\n".join([*([post["title"]] if post.get("title") else []), *lines]).strip("\n"),
        "images": [tag["image_key"] for tag in tags if tag.get("tag") == "img"],
        "links": [tag["href"] for tag in tags if tag.get("tag") == "a"],
        "called": [tag.get("user_id", "") for tag in tags if tag.get("tag") == "at"],
    }
