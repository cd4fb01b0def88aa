"""The channel `dingtalk`: the custom robot of one DingTalk group."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from cms.core.clock import now
from cms.core.errors import Refused
from cms.core.i18n import N_
from cms.core.text import Unit
from schedules.channels import chat, pasted, public_pictures, verdicts
from schedules.channels.base import Channel, Limits, Receipt, Rendered
from schedules.channels.calling import Line, Reply
from schedules.channels.verdicts import of_the_account, of_the_post, wait
from schedules.envelopes import Envelope, Outgoing, Way
from schedules.states import Outcome

SITE = "https://oapi.dingtalk.com"
SEND = "/robot/send"
BLOCKED_SECONDS = 600.0  # whoever sends more than twenty in a minute is locked out that long
LONGEST_TITLE = 60
BACKSLASHED = r"\\\1"

NOT_AN_ADDRESS = N_(
    "This is no address of a DingTalk robot. Copy it again from the group's settings."
)
NO_CHECK = N_(
    "The settings look right. DingTalk offers no check that shows nothing to the group, so only a "
    "post will prove them."
)
UNREADABLE = N_("DingTalk could not read the message.")
UNKNOWN_ROBOT = N_("DingTalk does not know the robot. It may have been removed.")
STOPPED = N_("The DingTalk robot has been stopped or removed, or its group is gone.")
TOO_FAST = N_("DingTalk blocks the robot for ten minutes: it has sent too much.")
UNSAFE = N_(
    "DingTalk's security check refuses the robot. Compare keywords, signing secret and allowed IPs."
)

CODES = {
    -1: wait(reason=N_("DingTalk is busy.")),
    40035: of_the_post(UNREADABLE),
    43004: of_the_post(UNREADABLE),
    400105: of_the_post(UNREADABLE),
    130101: wait(BLOCKED_SECONDS, BLOCKED_SECONDS + 60, TOO_FAST),
    410100: wait(BLOCKED_SECONDS, BLOCKED_SECONDS + 60, TOO_FAST),
    300001: of_the_account(UNKNOWN_ROBOT),
    300005: of_the_account(UNKNOWN_ROBOT),
    400101: of_the_account(UNKNOWN_ROBOT),
    310000: of_the_account(UNSAFE),
    400013: of_the_account(STOPPED),
    400102: of_the_account(STOPPED),
    400106: of_the_account(STOPPED),
}
# The one code for three faults tells them apart in words only.
UNSAFE_WORDS = (
    (
        "keyword|关键词",
        N_(
            "The DingTalk robot demands a keyword the post lacks. Enter it in the account's settings."
        ),
    ),
    (
        r"\bsign|签名|timestamp",
        N_("DingTalk refuses the signature. Check the signing secret and this server's clock."),
    ),
    (r"\bip\b", N_("The DingTalk robot does not allow this server's IP address.")),
)
_INLINE = re.compile(r"([\\`*_\[\]<~])")
_AT_START = re.compile(r"^(\s*)([#>+=-])")
_NUMBERED = re.compile(r"^(\s*\d+)([.)])")


class DingTalk(Channel):
    """One JSON call per post: text, or Markdown when there are pictures DingTalk can fetch."""

    slug = "dingtalk"
    name = N_("DingTalk group")
    speaks_by_calls = True
    limits = Limits(text=20_000, unit=Unit.BYTES, pictures=9, per_minute=20)
    gives = chat.GIVES
    untested = NO_CHECK
    needs = N_("In the group's settings, add a custom robot and copy its webhook address.")
    fields = (
        *pasted.robot_fields(),
        pasted.site_field(SITE),
    )

    def render(self, outgoing: Outgoing) -> Rendered:
        """The whole body counts."""
        body = _body(outgoing)
        pictures = outgoing.pictures if body["msgtype"] == "markdown" else ()
        return Rendered(
            text=outgoing.text,
            used=len(json.dumps(body, ensure_ascii=False).encode()),
            limit=self.limits.text,
            unit=self.limits.unit,
            pictures=pictures,
            changes=chat.link_added(outgoing) + public_pictures.change(outgoing, self.name),
            problems=(
                *chat.nothing_left(outgoing, pictures),
                *pasted.keyword_problem(_words_of(body), outgoing.settings, self.name),
            ),
        )

    def deliver(self, envelope: Envelope) -> Receipt:
        line, key = _line(envelope.way, envelope)
        query = {"access_token": key, **_signed(envelope.secrets)}
        return _receipt(line.post(SEND, _body(envelope.outgoing), **query))

    def test(self, way: Way) -> str:
        _line(way)
        return ""


def _line(way: Way, envelope: Envelope | None = None) -> tuple[Line, str]:
    """The way to the robot and its key. Raises Refused when what was pasted is no robot's address."""
    given = way.secrets.get("webhook", "")
    key = pasted.key_in(given, rf"(?:{SEND}\?(?:.*&)?access_token=)?(?P<key>\w{{8,}})(?:&.*)?")
    if not key:
        raise Refused(NOT_AN_ADDRESS, pauses_account=True)
    base = pasted.site(way.settings, SITE)
    line = Line.of(envelope, base) if envelope else Line(base, hush=tuple(way.secrets.values()))
    line.hush.append(key)
    return line, key


def _body(outgoing: Outgoing) -> dict[str, Any]:
    """Nobody is called: `at` decides that here, whatever stands in the text."""
    nobody: dict[str, Any] = {"atMobiles": [], "atUserIds": [], "isAtAll": False}
    addresses = public_pictures.addresses(outgoing)
    if not addresses:
        return {"msgtype": "text", "text": {"content": outgoing.text}, "at": nobody}
    lines = outgoing.text.split("\n")
    text = "  \n".join(_drawn(line, outgoing.link) for line in lines)
    text += "".join(f"\n\n![]({address})" for address in addresses)
    title = (outgoing.title or lines[0])[:LONGEST_TITLE]
    return {"msgtype": "markdown", "markdown": {"title": title, "text": text}, "at": nobody}


def _drawn(line: str, link: str) -> str:
    """The line as Markdown that shows it unchanged, our own link as one to tap."""
    if line and line == link:
        return f"[{_INLINE.sub(BACKSLASHED, line)}]({line})"
    escaped = _AT_START.sub(r"\1\\\2", _INLINE.sub(BACKSLASHED, line))
    return _NUMBERED.sub(r"\1\\\2", escaped)


def _words_of(body: dict[str, Any]) -> str:
    """All the robot looks for its keywords in."""
    return "\n".join(str(one) for one in body[body["msgtype"]].values())


def _signed(secrets: Mapping[str, str]) -> dict[str, str]:
    secret = secrets.get("secret", "").strip()
    if not secret:
        return {}
    timestamp = int(now().timestamp() * 1000)
    return {"timestamp": str(timestamp), "sign": signature(timestamp, secret)}


def signature(timestamp: int, secret: str) -> str:
    """Moment and secret signed with the secret as the key; Feishu does it otherwise."""
    message = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def _receipt(reply: Reply) -> Receipt:
    """HTTP 200 says nothing here: only the code does."""
    said = reply.json()
    code = said.get("errcode")
    if reply.status >= 500 or type(code) is not int:
        return verdicts.by_status(reply)
    if code == 0:
        return Receipt(Outcome.ACCEPTED) if reply.status == 200 else verdicts.by_status(reply)
    if code == 310000 and reply.status != 429:
        return _unsafe(str(said.get("errmsg", "")).lower())
    return verdicts.by_answer(reply, code, CODES)


def _unsafe(words: str) -> Receipt:
    reason = next((reason for mark, reason in UNSAFE_WORDS if re.search(mark, words)), UNSAFE)
    return of_the_account(reason).receipt()
