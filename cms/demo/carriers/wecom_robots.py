"""The demo WeCom's group robots: twenty messages a minute, limits in bytes, no ids, no recall."""

import base64
import binascii
import hashlib
from typing import Any

from werkzeug.wrappers import Request, Response

from cms.demo.carriers.pacing import is_too_fast
from cms.demo.carriers.wecom_corp import UPLOAD_LIFE, Corporation, Fault, api

ROBOT = "demo-robot-0000-0001"
PER_MINUTE = 20
WORDS = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}  # bytes
GONE = {"removed": 93000, "disabled": 93004}


class Robots(Corporation):
    """A robot is known by its key alone; `_control/robot` adds one, `kill_robot` removes it."""

    @api("POST", "/cgi-bin/webhook/send")
    def robot_send(self, request: Request) -> dict[str, Any]:
        key = self._robot(request)
        body = self.body(request)
        if is_too_fast(self.book, f"robot:{key}", self.now(), most=PER_MINUTE, seconds=60):
            raise Fault(45009, "api freq out of limit")
        kind = str(body.get("msgtype", ""))
        content = body.get(kind)
        if not isinstance(content, dict):
            raise Fault(40008, "invalid message type")
        shown = self._judged(key, kind, content)
        self.book.show("robot_message", self.now(), {"robot": key, "msgtype": kind, **shown})
        return {}

    @api("POST", "/cgi-bin/webhook/upload_media")
    def robot_upload(self, request: Request) -> dict[str, Any]:
        key = self._robot(request)
        if request.args.get("type") != "file":
            raise Fault(40004, "invalid media type")
        file = request.files.get("media")
        content = file.read() if file else b""
        if not 5 <= len(content) <= 20_000_000:
            raise Fault(40006, "invalid file size")
        media_id = hashlib.sha256(f"{key}{self.count('upload')}".encode()).hexdigest()
        kept = {"robot": key, "until": self.now() + UPLOAD_LIFE}
        self.book.put("robot_media", media_id, kept)
        return {"type": "file", "media_id": media_id, "created_at": str(int(self.now()))}

    def _robot(self, request: Request) -> str:
        key = request.args.get("key", "")
        state = self.book.get("robot", key) or ("alive" if key == ROBOT else "removed")
        if state != "alive":
            raise Fault(GONE[state], "invalid webhook url")
        return key

    def _judged(self, key: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        match kind:
            case "text" | "markdown" | "markdown_v2":
                return {"content": _words(str(content.get("content") or ""), WORDS[kind])}
            case "image":
                return {"md5": _image(content), "bytes": len(content["base64"]) * 3 // 4}
            case "news":
                return {"articles": _articles(content.get("articles"))}
            case "file":
                media = self.book.get("robot_media", str(content.get("media_id")))
                if media is None or media["robot"] != key or media["until"] <= self.now():
                    raise Fault(40007, "invalid media_id")
                return {"media_id": content["media_id"]}
        raise Fault(40008, "invalid message type")

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        match verb:
            case "robot":
                self.book.put("robot", given["key"], "alive")
            case "kill_robot":
                self.book.put("robot", given.get("key", ROBOT), "removed")
            case "disable_robot":
                self.book.put("robot", given.get("key", ROBOT), "disabled")
            case _:
                return super().control(verb, given)
        return self.json({"done": verb})


def _words(text: str, most: int) -> str:
    if not text:
        raise Fault(44004, "empty content")
    if len(text.encode()) > most:
        raise Fault(45002, "content exceed max length")
    return text


def _image(content: dict[str, Any]) -> str:
    try:
        raw = base64.b64decode(str(content.get("base64")), validate=True)
    except binascii.Error:
        raise Fault(40058, "base64") from None
    if not raw.startswith((b"\xff\xd8", b"\x89PNG")):
        raise Fault(40005, "invalid file type")
    if len(raw) > 2 * 1024 * 1024:
        raise Fault(40009, "invalid image size")
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    if digest != content.get("md5"):
        raise Fault(301019, "md5 not match")
    return digest


def _articles(given: Any) -> list[dict[str, Any]]:
    """Titles and texts that are too long are cut in silence, as the real site does."""
    if not isinstance(given, list) or not 1 <= len(given) <= 8:
        raise Fault(40058, "articles")
    shown = []
    for one in given:
        if not one.get("title") or not one.get("url"):
            raise Fault(40058, "title and url")
        shown.append(
            {
                "title": _cut(one["title"], 128),
                "description": _cut(one.get("description", ""), 512),
                "url": one["url"],
                "picurl": one.get("picurl", ""),
            }
        )
    return shown


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode("utf-8", "ignore")
