"""A demo corporation at WeCom: its apps and tokens, employees, customers, uploads, and its patience."""

import hashlib
import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from PIL import Image
from werkzeug.wrappers import Request, Response

from cms.demo.carriers.simulator import Simulator, route

CORPID, SECRET = "ww0000demo", "demo-secret-of-the-app"
EMPLOYEES = {
    "lina": "李娜",
    "wangwei": "王伟",
    "zhangmin": "张敏",
    "chenjing": "陈静",
    "liuyang": "刘洋",
    "zhaolei": "赵磊",
}
ROOT = 1  # the department that everybody is in
DEPARTMENTS = {2: ["lina", "wangwei"], 3: ["zhangmin", "chenjing"], 4: ["liuyang", "zhaolei"]}
SURNAMES, GIVEN = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨",
    ["小雨", "一鸣", "嘉怡", "子涵", "思远", "晓彤"],
)
CUSTOMERS_EACH = 8
TAGS = ("tag-parents", "tag-vip", "tag-new")
MOST_TAGS = 100
TOKEN_LIFE = 7200
UPLOAD_LIFE = 3 * 86_400
DISPATCH = 5.0  # seconds in which a task that was just made cannot be asked about
PER_MONTH = 30  # mass messages a customer may get
MOST_BYTES = 10_000_000
# How employees act by themselves: how slow beside the usual, how many forget, how much the slow ones need.
UNHURRIED = {"pace": 1.0, "forgetful": 0.1, "slow": 20}
DONE_BY_FAMILIES = ("confirm", "delete", "unfriend", "unreachable", "quota")


class Fault(Exception):
    """An errcode instead of an answer; the HTTP status stays 200."""

    def __init__(self, code: int, words: str = "demo") -> None:
        super().__init__(code, words)
        self.said = {"errcode": code, "errmsg": f"{words}, hint: [demo]"}


Handler = Callable[..., dict[str, Any]]


def api(method: str, path: str) -> Callable[[Handler], Callable[..., Response]]:
    """Mark a method as one call of WeCom: what it returns is answered beside errcode 0."""

    def mark(handler: Handler) -> Callable[..., Response]:
        @route(method, path)
        @wraps(handler)
        def answer(self: Simulator, request: Request) -> Response:
            scripted = self.scripted_errcode(request)
            try:
                if scripted:
                    raise Fault(scripted, "scripted")
                return self.json({"errcode": 0, "errmsg": "ok", **handler(self, request)})
            except Fault as fault:
                return self.json(fault.said)

        return answer

    return mark


class Corporation(Simulator):
    """What all of WeCom's families stand on. Corporations other than the demo's are made by control."""

    @api("GET", "/cgi-bin/gettoken")
    def gettoken(self, request: Request) -> dict[str, Any]:
        corpid, secret = request.args.get("corpid", ""), request.args.get("corpsecret", "")
        corp = self.corp(corpid)
        if corp is None:
            raise Fault(40013, "invalid corpid")
        if secret != corp["secret"]:
            raise Fault(40001, "invalid credential")
        self.count("gettoken")
        known = self.book.get("live", corpid)
        if known and self._is_alive(known):
            left = self.book.get("token", known)["until"] - self.now()
            return {"access_token": known, "expires_in": int(left)}
        made = hashlib.sha256(f"{corpid}{self.count('token')}".encode()).hexdigest() * 2
        self.book.put("token", made, {"corpid": corpid, "until": self.now() + TOKEN_LIFE})
        self.book.put("live", corpid, made)
        return {"access_token": made, "expires_in": TOKEN_LIFE}

    @api("POST", "/cgi-bin/media/upload")
    def upload(self, request: Request) -> dict[str, Any]:
        if request.args.get("type") != "image":
            raise Fault(40004, "invalid media type")
        media_id = self._kept(request, "media")
        return {"type": "image", "media_id": media_id, "created_at": str(int(self.now()))}

    @api("POST", "/cgi-bin/media/upload_attachment")
    def upload_attachment(self, request: Request) -> dict[str, Any]:
        if request.args.get("media_type") != "image":
            raise Fault(40004, "invalid media type")
        if request.args.get("attachment_type") != "1":
            raise Fault(40058, "attachment_type")
        media_id = self._kept(request, "moment")
        return {"type": "image", "media_id": media_id, "created_at": int(self.now())}

    @api("POST", "/cgi-bin/media/uploadimg")
    def uploadimg(self, request: Request) -> dict[str, Any]:
        media_id = self._kept(request, "lasting")
        return {"url": f"https://wework.qpic.cn/wwpic/{media_id}/0"}

    def _kept(self, request: Request, kind: str) -> str:
        corpid = self.caller(request)
        file = request.files.get("media")
        content = file.read() if file else b""
        size = _size(content)
        if kind == "moment" and (max(size) > 10_800 or min(size) > 1080):
            raise Fault(40009, f"invalid image size {size[0]}x{size[1]}")
        number = self.count("upload")
        media_id = hashlib.sha256(content + str(number).encode()).hexdigest()
        until = self.now() + UPLOAD_LIFE
        kept = {"corpid": corpid, "kind": kind, "until": until, "bytes": len(content)}
        self.book.put("upload", media_id, kept)
        return media_id

    # --- what the families ask

    def caller(self, request: Request) -> str:
        """The corporation whose token it is."""
        token = request.args.get("access_token", "")
        if not token:
            raise Fault(41001, "access_token missing")
        known = self.book.get("token", token)
        if known is None:
            raise Fault(40014, "invalid access_token")
        if not self._is_alive(token):
            raise Fault(42001 if known["until"] <= self.now() else 40014, "access_token expired")
        return str(known["corpid"])

    def _is_alive(self, token: str) -> bool:
        known = self.book.get("token", token)
        return bool(known) and known["until"] > self.now() and not known.get("void")

    def body(self, request: Request) -> dict[str, Any]:
        try:
            found = json.loads(request.get_data())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Fault(47001, "data format error")
        return found

    def corp(self, corpid: str) -> dict[str, Any] | None:
        default = {"secret": SECRET, "employees": EMPLOYEES} if corpid == CORPID else None
        return self.book.get("corp", corpid) or default

    def employees(self, corpid: str) -> dict[str, str]:
        return dict((self.corp(corpid) or {}).get("employees", {}))

    def department(self, corpid: str, number: Any) -> list[str] | None:
        """Who is in the department, none where there is no such."""
        everybody = self.employees(corpid)
        if number == ROOT:
            return list(everybody)
        default = DEPARTMENTS if corpid == CORPID else {}
        known = (self.corp(corpid) or {}).get("departments") or default
        found = {int(name): people for name, people in known.items()}.get(number)
        return found if isinstance(number, int) else None

    def customers(self, corpid: str, employee: str, tags: list[str] | None = None) -> list[str]:
        """The employee's customers, those with one of the tags when some are given."""
        number = (self.corp(corpid) or {}).get("customers_each", CUSTOMERS_EACH)
        found = [_opaque("wm", corpid, employee, n) for n in range(number)]
        shared = list(self.book.get("befriended", f"{corpid}/{employee}") or [])
        if not tags:
            return [*found, *shared]
        return [one for n, one in enumerate(found) if TAGS[n % len(TAGS)] in tags]

    def groups(self, corpid: str, employee: str) -> list[str]:
        return [_opaque("wr", corpid, employee, n) for n in range(2)]

    def customer_name(self, customer: str) -> str:
        dice = random.Random(customer)
        return dice.choice(SURNAMES) + dice.choice(GIVEN)

    def media(self, corpid: str, media_id: Any, kind: str) -> None:
        """Raise unless the corporation may use the upload for that now."""
        known = self.book.get("upload", str(media_id))
        if known is None or known["corpid"] != corpid or known["until"] <= self.now():
            raise Fault(40007, "invalid media_id")
        if known["kind"] != kind:
            raise Fault(41072, "media of another kind")

    def page(self, rows: list[Any], asked: dict[str, Any], most: int, name: str) -> dict[str, Any]:
        """One page of a list; the cursor is opaque to callers."""
        limit = int(asked.get("limit") or most)
        if not 1 <= limit <= most:
            raise Fault(40058, "limit")
        start = int(str(asked.get("cursor") or "c0")[1:])
        rest = f"c{start + limit}" if start + limit < len(rows) else ""
        return {name: rows[start : start + limit], "next_cursor": rest}

    def count(self, name: str) -> int:
        number = int(self.book.get("count", name) or 0) + 1
        self.book.put("count", name, number)
        return number

    def auto_moment(self, made_at: float, *parts: str) -> float | None:
        """When this employee would do it of their own accord, if they ever do and it is switched on."""
        auto = self.book.get("flag", "auto")
        if not auto or self.does_ignore(*parts):
            return None
        dice = random.Random("/".join(parts))
        if dice.random() < auto["forgetful"]:
            return None  # never gets round to it
        slow = auto["slow"] if dice.random() < 0.15 else 1
        return made_at + DISPATCH + auto["pace"] * dice.uniform(10, 200) * slow

    def does_ignore(self, *parts: str) -> bool:
        """Whether the employee ignores everything, or this task (its name, theirs)."""
        keys = (parts[-1], "/".join(parts))
        return any(self.book.get("ignores", key) for key in keys)

    def month(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).strftime("%Y%m")

    def _void_tokens(self) -> None:
        for token, known in self.book.all("token").items():
            self.book.put("token", token, known | {"void": True})

    def _lose_uploads(self) -> None:
        for media_id in self.book.all("upload"):
            self.book.remove("upload", media_id)

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        match verb:
            case "corp":
                self.book.put("corp", given["corpid"], given)
            case "auto":
                how = {**UNHURRIED, **{k: v for k, v in given.items() if k in UNHURRIED}}
                self.book.put("flag", "auto", how if given.get("on", True) else None)
            case "ignore":  # employee, and the task when it is not to be all of them
                key = (
                    f"{given['task']}/{given['employee']}" if "task" in given else given["employee"]
                )
                self.book.put("ignores", key, True)
            case "befriend":  # a customer of another employee becomes this one's as well
                place = f"{given.get('corpid', CORPID)}/{given['employee']}"
                known = self.book.get("befriended", place) or []
                self.book.put("befriended", place, [*known, given["customer"]])
            case "void_token":
                self._void_tokens()
            case "lose_uploads":
                self._lose_uploads()
            case _ if verb not in DONE_BY_FAMILIES:
                return super().control(verb, given)
        return self.json({"done": verb})


def judge_link(link: dict[str, Any], **most: int) -> None:
    """Raise when a part of the link is longer than so many bytes, or its address is missing."""
    too_long = [name for name, size in most.items() if len(str(link.get(name, "")).encode()) > size]
    if too_long or not link.get("title") or not link.get("url"):
        raise Fault(40058, f"invalid link {' '.join(too_long)}")


def judge_tags(tags: Any) -> None:
    if not isinstance(tags, list) or len(tags) > MOST_TAGS:
        raise Fault(40058, "tag_list size")


def _opaque(prefix: str, *parts: Any) -> str:
    return prefix + hashlib.sha256(repr(parts).encode()).hexdigest()[:26]


def _size(content: bytes) -> tuple[int, int]:
    if not 5 < len(content) <= MOST_BYTES:
        raise Fault(40009, "invalid media size")
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format not in ("JPEG", "PNG"):
                raise Fault(40005, "invalid file type")
            return image.size
    except OSError:
        raise Fault(40005, "invalid file type") from None
