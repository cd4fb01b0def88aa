"""The demo Telegram: one bot, a few chats, messages that can be changed and, for two days, deleted."""

import json
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from cms.core import image_header
from cms.demo.carriers.pacing import is_too_fast
from cms.demo.carriers.simulator import Simulator, route

TOKEN = "1000001:demo-bot-token"  # noqa: S105 - opens nothing but this
BOT_ID = 1_000_001
CHANNEL = "@seedbed_demo"
CHATS: dict[str, dict[str, Any]] = {
    "-1001000000001": {"type": "channel", "title": "Demo", "username": "seedbed_demo"},
    "-1000002": {"type": "group", "title": "Demo group"},
}
MOST_TEXT = 4096
MOST_CAPTION = 1024
MOST_PHOTO = 10_000_000
MOST_SIDES = 10_000  # width and height together
MOST_RATIO = 20
DELETABLE_SECONDS = 48 * 3600


class Refusal(Exception):
    """An answer that says no."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


class Telegram(Simulator):
    """Speaks the Bot API; `_control/` adds chats, kicks the bot, turns a group into a supergroup."""

    slug = "telegram"
    name = "Telegram"

    @route("POST", "/bot<token>/<method>")
    def call(self, request: Request, token: str, method: str) -> Response:
        try:
            if self.book.get("token", token) == "revoked" or token != TOKEN:
                raise Refusal(401, "Unauthorized")
            result = self._result(method, _given(request), request)
        except Refusal as no:
            said = {"ok": False, "error_code": no.code, "description": no.description}
            said |= {"parameters": no.parameters} if no.parameters else {}
            return self.json(said, no.code)
        return self.json({"ok": True, "result": result})

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        match verb:
            case "chat":  # chat: its number; type, title, username
                self.book.put("chat", str(given.pop("chat")), given)
            case "kick":
                self.book.put("kicked", str(given["chat"]), True)
            case "demote":
                self.book.put("demoted", str(given["chat"]), True)
            case "leave":
                self.book.put("left", str(given["chat"]), True)
            case "migrate":  # chat, to
                self.book.put("moved", str(given["chat"]), int(given["to"]))
                self.book.put("chat", str(given["to"]), {"type": "supergroup", "title": "Demo"})
            case "revoke_token":
                self.book.put("token", TOKEN, "revoked")
            case _:
                raise NotFound
        return self.json({"done": verb})

    def _result(self, method: str, given: dict[str, Any], request: Request) -> Any:
        match method:
            case "getMe":
                return {"id": BOT_ID, "is_bot": True, "username": "seedbed_demo_bot"}
            case "getChat":
                return self._chat(given)
            case "getChatMember":
                return self._membership(self._chat(given))
            case "sendMessage":
                text = _words(given.get("text"), MOST_TEXT, "message text is empty")
                return self._send(given, [{"text": text}])[0]
            case "sendPhoto":
                photo = _photo(request, "photo")
                caption = _words(given.get("caption", ""), MOST_CAPTION)
                return self._send(given, [{"caption": caption, "photo": photo}])[0]
            case "sendMediaGroup":
                return self._send(given, _album(given, request))
        return self._changed(method, given)

    def _changed(self, method: str, given: dict[str, Any]) -> Any:
        match method:
            case "editMessageText":
                text = _words(given.get("text"), MOST_TEXT, "message text is empty")
                return self._edit(given, "text", text)
            case "editMessageCaption":
                caption = _words(given.get("caption", ""), MOST_CAPTION)
                return self._edit(given, "caption", caption)
            case "deleteMessage":
                if not self._delete(given, given.get("message_id")):
                    raise Refusal(400, "Bad Request: message to delete not found")
                return True
            case "deleteMessages":
                for number in given.get("message_ids") or []:
                    self._delete(given, number)
                return True
        raise Refusal(404, "Not Found")

    def _chat(self, given: dict[str, Any]) -> dict[str, Any]:
        """The chat meant, if the bot may speak there."""
        wanted = str(given.get("chat_id", ""))
        moved = self.book.get("moved", wanted)
        if moved:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, words, migrate_to_chat_id=moved)
        for number, chat in (CHATS | self.book.all("chat")).items():
            if wanted in (number, f"@{chat.get('username')}"):
                if self.book.get("kicked", number):
                    raise Refusal(403, f"Forbidden: bot was kicked from the {chat['type']} chat")
                return {"id": int(number), **chat}
        raise Refusal(400, "Bad Request: chat not found")

    def _membership(self, chat: dict[str, Any]) -> dict[str, Any]:
        """What the bot may do in a chat that it can see."""
        if self.book.get("left", str(chat["id"])):
            return {"status": "left"}
        is_channel = chat["type"] == "channel"
        if not self.book.get("demoted", str(chat["id"])):
            return {"status": "administrator" if is_channel else "member"}
        if is_channel:
            return {"status": "member"}
        return {"status": "restricted", "is_member": True, "can_send_messages": False}

    def _send(self, given: dict[str, Any], contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        chat = self._chat(given)
        if self.book.get("left", str(chat["id"])):
            raise Refusal(403, f"Forbidden: bot is not a member of the {chat['type']} chat")
        if self.book.get("demoted", str(chat["id"])):
            raise Refusal(400, "Bad Request: need administrator rights in the channel chat")
        self._paced(str(chat["id"]))
        made = []
        for content in contents:
            number = (self.book.get("count", "message") or 0) + 1
            self.book.put("count", "message", number)
            kept = {"chat": chat["id"], "at": self.now(), **content}
            self.book.put("message", f"{chat['id']}/{number}", kept)
            made.append({"message_id": number, "date": int(self.now()), "chat": chat, **content})
        shown = {"chat": chat["id"], "messages": [one["message_id"] for one in made]}
        words = contents[0].get("text") or contents[0].get("caption") or ""
        photos = [content["photo"] for content in contents if content.get("photo")]
        self.book.show("message", self.now(), {**shown, "text": words, "photos": photos})
        return made

    def _paced(self, chat: str) -> None:
        moment = self.now()
        if is_too_fast(self.book, f"{chat}/s", moment, most=1, seconds=1):
            raise Refusal(429, "Too Many Requests: retry after 1", retry_after=1)
        if is_too_fast(self.book, f"{chat}/m", moment, most=20, seconds=60):
            raise Refusal(429, "Too Many Requests: retry after 40", retry_after=40)

    def _edit(self, given: dict[str, Any], field: str, words: str) -> dict[str, Any]:
        chat = self._chat(given)
        key = f"{chat['id']}/{given.get('message_id')}"
        known = self.book.get("message", key)
        if known is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        if field not in known:
            raise Refusal(400, f"Bad Request: there is no {field} in the message to edit")
        if known[field] == words:
            raise Refusal(400, "Bad Request: message is not modified: they are exactly the same")
        self.book.put("message", key, {**known, field: words})
        self.book.show("edit", self.now(), {"chat": chat["id"], "text": words})
        return {"message_id": given["message_id"], "chat": chat, field: words}

    def _delete(self, given: dict[str, Any], number: Any) -> bool:
        chat = self._chat(given)
        key = f"{chat['id']}/{number}"
        known = self.book.get("message", key)
        if known is None:
            return False
        if self.now() - known["at"] > DELETABLE_SECONDS:
            raise Refusal(400, "Bad Request: message can't be deleted")
        self.book.remove("message", key)
        self.book.show("delete", self.now(), {"chat": chat["id"], "message": number})
        return True


def _given(request: Request) -> dict[str, Any]:
    """Parameters come as JSON or as fields of a form."""
    if request.is_json:
        body = request.get_json(silent=True)
        return body if isinstance(body, dict) else {}
    return dict(request.form.items())


def _words(text: Any, most: int, empty: str = "") -> str:
    words = str(text or "")
    if empty and not words.strip():
        raise Refusal(400, f"Bad Request: {empty}")
    if len(words.encode("utf-16-le")) // 2 > most:
        what = "message is too long" if most == MOST_TEXT else "message caption is too long"
        raise Refusal(400, f"Bad Request: {what}")
    return words


def _photo(request: Request, name: str) -> int:
    """How large the uploaded photo is."""
    file = request.files.get(name)
    if file is None:
        raise Refusal(400, "Bad Request: there is no photo in the request")
    content = file.read()
    if len(content) > MOST_PHOTO:
        raise Refusal(413, "Request Entity Too Large")
    if not content.startswith((b"\xff\xd8", b"\x89PNG")):
        raise Refusal(400, "Bad Request: IMAGE_PROCESS_FAILED")
    if not is_in_shape(content):
        raise Refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    return len(content)


def is_in_shape(content: bytes) -> bool:
    """Whether Telegram draws a picture of such sides as a photo."""
    try:
        header = image_header.read(content)
    except image_header.Damaged:
        return False
    if header is None:
        return False
    short, long = sorted((header.width, header.height))
    return short + long <= MOST_SIDES and long <= short * MOST_RATIO


def _album(given: dict[str, Any], request: Request) -> list[dict[str, Any]]:
    try:
        media = json.loads(given.get("media") or "")
    except ValueError:
        raise Refusal(400, "Bad Request: can't parse media JSON object") from None
    if not 2 <= len(media) <= 10:
        raise Refusal(400, "Bad Request: wrong number of items in the album")
    return [
        {
            "caption": _words(one.get("caption", ""), MOST_CAPTION),
            "photo": _photo(request, str(one.get("media", "")).removeprefix("attach://")),
        }
        for one in media
    ]
