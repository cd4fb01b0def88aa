"""Calls that demo carriers make to the product: sealed, signed, and repeated until they are answered."""

import http.client
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape

from cms.demo.carriers.book import Book
from schedules.callbacks.cipher import Envelope, sign

REPEATS = 3
REPEAT_AFTER = 5.0  # seconds without an answer
PATIENCE = 5.0

Post = Callable[[str, bytes], int]


def post(url: str, body: bytes) -> int:
    """One call over HTTP: its status, 0 when nobody answered in time."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=PATIENCE)
    try:
        line.request("POST", f"{parts.path}?{parts.query}", body, {"Content-Type": "text/xml"})
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()


class Caller:
    """Keeps what is to be told in the carrier's book and tells it, each at most four times."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.post: Post = post

    def configure(self, **settings: str) -> None:
        """`url`, `token`, `key` (empty: plain calls) and `receive_id`, as typed at the console."""
        self.book.put("callback", "settings", settings)

    def tell(self, moment: float, content: dict[str, Any]) -> None:
        """Have this told; nothing happens while no address is configured."""
        if self.book.get("callback", "settings"):
            number = f"{len(self.book.all('call')) + 1:06}"
            entry = {"content": content, "tries": 0, "next_at": moment, "answered": False}
            self.book.put("call", number, entry)

    def deliver(self, moment: float, *, order: list[str] | None = None) -> list[int]:
        """Make the calls that are due, in the order given or as they came; the answers' statuses."""
        settings = self.book.get("callback", "settings")
        calls = self.book.all("call")
        statuses = []
        for number in order or sorted(calls):
            call = calls[number]
            is_over = call["answered"] or call["tries"] > REPEATS
            if not settings or is_over or call["next_at"] > moment:
                continue
            status = self.post(*self._letter(settings, moment, call["content"]))
            call["tries"] += 1
            call["answered"], call["next_at"] = status == 200, moment + REPEAT_AFTER
            self.book.put("call", number, call)
            statuses.append(status)
        return statuses

    def again(self, moment: float, number: str) -> int:
        """Repeat a call although it was answered, as networks do."""
        settings = self.book.get("callback", "settings")
        content = self.book.get("call", number)["content"]
        return self.post(*self._letter(settings, moment, content))

    def _letter(
        self, settings: dict[str, str], moment: float, content: dict[str, Any]
    ) -> tuple[str, bytes]:
        stamp, nonce = str(int(moment)), secrets.token_hex(5)
        body = xml_of(content).encode()
        query = {"timestamp": stamp, "nonce": nonce, "openid": "carried-along"}
        query["signature"] = sign(settings["token"], stamp, nonce)
        if settings.get("key"):
            sealed = Envelope(settings["key"], settings["receive_id"]).seal(body)
            query["msg_signature"] = sign(settings["token"], stamp, nonce, sealed)
            query["encrypt_type"] = "aes"
            outer = {"ToUserName": content.get("ToUserName", ""), "Encrypt": sealed}
            body = xml_of(outer).encode()
        return f"{settings['url']}?{urlencode(query)}", body


def xml_of(content: dict[str, Any]) -> str:
    """As the carriers write it: words in CDATA, numbers bare, lists as repeated elements."""
    return f"<xml>{_inside(content)}</xml>"


def _inside(content: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{_value(one)}</{name}>"
        for name, value in content.items()
        for one in (value if isinstance(value, list) else [value])
    )


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return _inside(value)
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return escape(text) if "]]>" in text else f"<![CDATA[{text}]]>"
