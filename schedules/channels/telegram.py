"""The channel `telegram`: a bot that writes into one Telegram chat or channel."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from cms.accounts import audit
from cms.core.db import session, transaction
from cms.core.errors import Problem, Refused, TryAgain
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from cms.core.text import Unit, count
from schedules import limits as pace
from schedules import renditions, steps
from schedules.channels import chat, pasted, verdicts
from schedules.channels.base import Channel, Field, Limits, Receipt, Rendered
from schedules.channels.calling import Line, Reply
from schedules.channels.multipart import File, multipart
from schedules.channels.verdicts import harmless, of_the_account, of_the_post, wait
from schedules.envelopes import Envelope, Outgoing, Picture, Way
from schedules.models import ChannelAccount
from schedules.states import Outcome

SITE = "https://api.telegram.org"
LONGEST_CAPTION = 1024  # under pictures; a text alone may be `limits.text` long
MOST_RATIO = 20  # of a picture's longer side to its shorter one
AT_ONCE = timedelta(seconds=1)

NO_TOKEN = N_("This is no token of a Telegram bot. Copy it again from BotFather.")
NO_CHAT = N_("Enter the chat: @name of a public channel, or the number of a group.")
BAD_TOKEN = N_("Telegram does not know the bot. Enter its new token.")
SHUT_OUT = N_("The bot has been removed from the Telegram chat, or may not write there.")
UNKNOWN_CHAT = N_("Telegram does not know the chat. Check its name or number, and add the bot.")
UNREADABLE = N_("Telegram refused the message.")
TWO_SERVERS = N_("Telegram says that another server uses the bot at this moment.")
MOVED = N_("The group has become a supergroup; its number is now %(chat)s. It is sent there.")
NOT_ADMINISTRATOR = N_(
    "The bot is in the Telegram channel but may not write: make it administrator."
)
NO_MESSAGE = N_("It is not known which Telegram message the post is.")
GONE = N_("The message is no longer in Telegram.")
TOO_OLD = N_("Telegram lets a bot take back messages for 48 hours only. Delete it by hand.")
TOO_THIN = N_(
    "Picture %(number)s is too long and thin for Telegram: %(was)s pixels. The longer side may be "
    "%(limit)s times the shorter one. Crop it."
)
NOT_EDITABLE = N_("Telegram does not let the bot change this message any more.")
OTHER_PICTURES = N_(
    "Telegram lets a bot change the words of a post with pictures, not the pictures."
)

CODES = {
    400: of_the_post(UNREADABLE),
    401: of_the_account(BAD_TOKEN),
    403: of_the_account(SHUT_OUT),
    404: of_the_account(BAD_TOKEN),
    409: wait(5, 15, TWO_SERVERS),
    413: of_the_post(UNREADABLE),
}
# One code for many faults: the description tells them apart.
WORDS = (
    ("chat not found", of_the_account(UNKNOWN_CHAT)),
    ("not enough rights", of_the_account(SHUT_OUT)),
    ("chat_write_forbidden", of_the_account(SHUT_OUT)),
    ("need administrator rights", of_the_account(SHUT_OUT)),
    ("message can't be deleted", of_the_post(TOO_OLD)),
    ("message can't be edited", of_the_post(NOT_EDITABLE)),
    ("message to edit not found", of_the_post(GONE)),
    ("no text in the message to edit", of_the_post(OTHER_PICTURES)),
)
NOTHING_TO_DO = ("message is not modified", "message to delete not found")
_CHAT = re.compile(r"(?:https://)?(?:t\.me/|@)(\w{4,})/?|(-?\d+)")


class Telegram(Channel):
    """One call per post: a text, a photo with a caption, or an album. No markup, so nothing to escape."""

    slug = "telegram"
    name = N_("Telegram")
    speaks_by_calls = True
    limits = Limits(
        text=4096,
        # The documentation says characters, entities are placed by UTF-16 units: of two ways to
        # count, the one that never lets through what would be refused.
        unit=Unit.UTF16,
        pictures=10,
        picture_bytes=10_000_000,
        longest_edge=5000,  # width and height together may be 10,000
        per_minute=20,
        per_second=1,
    )
    gives = chat.GIVES
    needs = N_("Make a bot with BotFather and add it to the chat; in a channel, as administrator.")
    fields = (
        Field("token", N_("Bot token"), N_("As BotFather tells it."), is_secret=True),
        Field(
            "chat",
            N_("Chat"),
            N_("@name of a public channel or group, or the number of a private one."),
        ),
        pasted.site_field(SITE),
    )
    can_amend = True
    can_withdraw = True

    def render(self, outgoing: Outgoing) -> Rendered:
        """Words under pictures may be a quarter as long as words alone."""
        return Rendered(
            text=outgoing.text,
            used=count(outgoing.text, Unit.UTF16),
            limit=LONGEST_CAPTION if outgoing.pictures else self.limits.text,
            unit=Unit.UTF16,
            pictures=outgoing.pictures,
            changes=(
                *chat.link_added(outgoing),
                *renditions.changes(outgoing.pictures, self.limits),
            ),
            problems=_too_thin(outgoing.pictures),
        )

    def deliver(self, envelope: Envelope) -> Receipt:
        desk = _Desk(envelope.way, envelope)
        text, pictures = envelope.outgoing.text, envelope.outgoing.pictures
        method, headers, body = self._form(desk.chat, text, pictures)
        shown = _shown(pictures)
        if shown != envelope.facts.get("pictures", []):
            steps.note(envelope, pictures=shown)  # an amendment must know what it amends
        reply = desk.call(method, headers, body)
        _follow(envelope, reply)
        return _receipt(reply)

    def amend(self, envelope: Envelope) -> Receipt:
        desk = _Desk(envelope.way, envelope)
        conversation, messages = _messages(envelope)
        if _shown(envelope.outgoing.pictures) != envelope.facts.get("pictures", []):
            raise Refused(OTHER_PICTURES)
        has_pictures = bool(envelope.outgoing.pictures)
        method = "editMessageCaption" if has_pictures else "editMessageText"
        words = {"caption" if has_pictures else "text": envelope.outgoing.text}
        message = {"chat_id": conversation, "message_id": messages[0], **words}
        return _done(desk.post(method, message), envelope)

    def withdraw(self, envelope: Envelope) -> Receipt:
        desk = _Desk(envelope.way, envelope)
        conversation, messages = _messages(envelope)
        if len(messages) == 1:
            message = {"chat_id": conversation, "message_id": messages[0]}
            return _done(desk.post("deleteMessage", message), envelope)
        album = {"chat_id": conversation, "message_ids": messages}
        return _done(desk.post("deleteMessages", album), envelope)

    def test(self, way: Way) -> str:
        """Whether Telegram knows the bot and the chat, and lets the one write into the other."""
        desk = _Desk(way)
        me = harmless(lambda: desk.post("getMe", {}))
        if not _is_ok(me):
            return _receipt(me).reason
        found = harmless(lambda: desk.post("getChat", {"chat_id": desk.chat}))
        if not _is_ok(found):
            return _receipt(found).reason
        kind = found.json()["result"].get("type")
        if kind == "private":
            return ""
        bot = {"chat_id": desk.chat, "user_id": me.json()["result"].get("id")}
        member = harmless(lambda: desk.post("getChatMember", bot))
        if not _is_ok(member) and _receipt(member).outcome is not Outcome.REJECTED:
            return _receipt(member).reason
        if _may_write(kind, member.json().get("result")):
            return ""
        return NOT_ADMINISTRATOR if kind == "channel" else SHUT_OUT

    def _form(
        self, conversation: str, text: str, pictures: Sequence[Picture]
    ) -> tuple[str, dict[str, str], bytes]:
        """The one call that shows the whole post."""
        if not pictures:
            return "sendMessage", *_json({"chat_id": conversation, "text": text})
        made = [renditions.fitted(picture.sha256, self.limits) for picture in pictures]
        if len(made) == 1:
            photo = File("photo", made[0].filename, made[0].mime, made[0].content)
            return "sendPhoto", *multipart({"chat_id": conversation, "caption": text}, photo)
        files = [
            File(f"photo{number}", one.filename, one.mime, one.content)
            for number, one in enumerate(made, start=1)
        ]
        album = [{"type": "photo", "media": f"attach://{file.name}"} for file in files]
        album[0]["caption"] = text
        fields = {"chat_id": conversation, "media": json.dumps(album, ensure_ascii=False)}
        return "sendMediaGroup", *multipart(fields, *files)


class _Desk:
    """One account at Telegram: its bot and its chat."""

    def __init__(self, way: Way, envelope: Envelope | None = None) -> None:
        given = way.secrets.get("token", "")
        self.token = pasted.key_in(given, r"(?:/?bot)?(?P<key>\d+:[\w-]{10,})(?:/\w*)?")
        self.chat = chat_in(str(way.settings.get("chat") or ""))
        if not self.token:
            raise Refused(NO_TOKEN, pauses_account=True)
        if not self.chat:
            raise Refused(NO_CHAT, pauses_account=True)
        base = pasted.site(way.settings, SITE)
        hush = tuple(way.secrets.values())
        self.line = Line.of(envelope, base) if envelope else Line(base, hush=hush)
        self.line.hush.append(self.token)

    def post(self, method: str, body: dict[str, Any]) -> Reply:
        return self.call(method, *_json(body))

    def call(self, method: str, headers: dict[str, str], body: bytes) -> Reply:
        return self.line.call("POST", f"/bot{self.token}/{method}", headers=headers, body=body)


def chat_in(pasted_text: str) -> str:
    """@name or number out of what people paste; "" when there is neither."""
    found = _CHAT.fullmatch(pasted_text.strip())
    if not found:
        return ""
    return f"@{found[1]}" if found[1] else str(found[2])


def _may_write(kind: str, member: Any) -> bool:
    """Whether what Telegram says of the bot in such a chat lets it post there."""
    role = member.get("status") if isinstance(member, dict) else None
    if role in ("administrator", "creator"):
        return True
    if kind == "channel" or role not in ("member", "restricted"):
        return False
    return role == "member" or member.get("can_send_messages") is True


def _too_thin(pictures: Sequence[Picture]) -> tuple[Problem, ...]:
    """Pictures that no smaller size would mend; all else about their sides is cut to measure."""
    return tuple(
        Problem(
            "picture_too_thin",
            TOO_THIN,
            {"number": number, "was": f"{one.width} × {one.height}", "limit": MOST_RATIO},
        )
        for number, one in enumerate(pictures, start=1)
        if max(one.width, one.height) > MOST_RATIO * min(one.width, one.height)
    )


def _json(body: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return headers, json.dumps(body, ensure_ascii=False).encode()


def _shown(pictures: Sequence[Picture]) -> list[str]:
    return [picture.sha256 for picture in pictures]


def _is_ok(reply: Reply) -> bool:
    return reply.status == 200 and reply.json().get("ok") is True


def _receipt(reply: Reply) -> Receipt:
    said = reply.json()
    if _is_ok(reply):
        return _accepted(said.get("result"))
    code = said.get("error_code")
    if 429 in (reply.status, code):
        after = _parameter(said, "retry_after")
        named = str(after) if after is not None else reply.headers.get("retry-after")
        return Receipt(Outcome.NOT_SENT, reason=verdicts.BUSY, after=pace.retry_after(named))
    if said.get("ok") is not False or type(code) is not int or max(code, reply.status) >= 500:
        return verdicts.by_status(reply)
    words = str(said.get("description", "")).lower()
    meaning = next((meaning for mark, meaning in WORDS if mark in words), None)
    return meaning.receipt() if meaning else verdicts.by_code(code, CODES)


def _parameter(said: dict[str, Any], name: str) -> Any:
    """What the carrier adds to a refusal for machines."""
    parameters = said.get("parameters")
    return parameters.get(name) if isinstance(parameters, dict) else None


def _accepted(result: Any) -> Receipt:
    """Chat and message numbers, and the address of a public one. A plain `true` names none."""
    messages = result if isinstance(result, list) else [result]
    ids = [str(one["message_id"]) for one in messages if isinstance(one, dict)]
    if not ids:
        return Receipt(Outcome.ACCEPTED)
    where = messages[0].get("chat", {})
    public = where.get("username")
    url = f"https://t.me/{public}/{ids[0]}" if public else ""
    return Receipt(Outcome.ACCEPTED, f"{where.get('id')}:{','.join(ids)}", url)


def _messages(envelope: Envelope) -> tuple[str, list[int]]:
    conversation, _, ids = envelope.external_id.rpartition(":")
    if not conversation or not re.fullmatch(r"\d+(,\d+)*", ids):
        raise Refused(NO_MESSAGE)
    return conversation, [int(one) for one in ids.split(",")]


def _done(reply: Reply, envelope: Envelope) -> Receipt:
    """For what may be asked twice: what is so already counts as done. The names stay as they were."""
    words = str(reply.json().get("description", "")).lower()
    if _is_ok(reply) or any(mark in words for mark in NOTHING_TO_DO):
        return Receipt(Outcome.ACCEPTED, envelope.external_id)
    return _receipt(reply)


def _follow(envelope: Envelope, reply: Reply) -> None:
    """A group that became a supergroup has a new number: nothing was sent, so it is sent there."""
    moved = _parameter(reply.json(), "migrate_to_chat_id")
    if _is_ok(reply) or not isinstance(moved, int):
        return
    with transaction():
        account = session.scalars(
            select(ChannelAccount).where(ChannelAccount.id == envelope.account_id).with_for_update()
        ).one()
        account.settings = {**account.settings, "chat": str(moved)}
        audit.record("account.changed", account, by=None, chat=str(moved))
    raise TryAgain(Sentence(MOVED, {"chat": str(moved)}), AT_ONCE)
