"""The channel `feishu`: the custom robot of one Feishu or Lark group."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from cms.core.clock import now
from cms.core.errors import Problem, Refused, TryAgain
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from cms.core.text import Unit
from schedules import renditions, tokens, uploads
from schedules.channels import chat, pasted, verdicts
from schedules.channels.base import (
    Channel,
    Field,
    Limits,
    Receipt,
    Rendered,
)
from schedules.channels.calling import Line, Reply
from schedules.channels.multipart import File, multipart
from schedules.channels.verdicts import harmless, of_the_account, of_the_post, wait
from schedules.envelopes import Envelope, Outgoing, Picture, Way
from schedules.states import Outcome

SITE = "https://open.feishu.cn"
LARK = "https://open.larksuite.com"
HOOK = "/open-apis/bot/v2/hook/"
TOKEN = "/open-apis/auth/v3/tenant_access_token/internal"  # noqa: S105 - an address
IMAGES = "/open-apis/im/v1/images"
LONGEST_KEY = "img_v3_" + "0" * 60  # stands for a picture not uploaded yet
LONGEST_SIGN = {"timestamp": "0" * 10, "sign": "0" * 44}
STALE_TOKENS = (99991661, 99991663, 99991668)

NOT_AN_ADDRESS = N_(
    "This is no address of a Feishu robot. Copy it again from the group's settings."
)
NO_CHECK = N_(
    "The settings look right. Feishu offers no check that shows nothing to the group, so only a "
    "post will prove them."
)
NO_APP = N_("The pictures are left out: Feishu shows them only with the keys of an app.")
MENTION = N_("A mention typed as markup is shown as plain text, so nobody is called by mistake.")

TOO_MUCH = N_("Feishu is busy, or the robot has sent too much.")

CODES = {
    9499: of_the_post(N_("Feishu could not read the message.")),
    19002: of_the_post(N_("Feishu could not read the message.")),
    11232: wait(10, 60, TOO_MUCH),
    99991400: wait(10, 60, TOO_MUCH),
    19001: of_the_account(N_("Feishu does not know the robot. It may have been removed.")),
    19021: of_the_account(
        N_("Feishu refuses the signature. Check the signing secret and this server's clock.")
    ),
    19022: of_the_account(N_("Feishu's robot does not allow this server's IP address.")),
    19024: of_the_post(N_("The post has none of the keywords the Feishu robot demands.")),
}
WRONG_APP = (10003, 10014, 99991543)  # an id that is none, a wrong secret, either of them
NO_TOKEN = N_("Feishu gave the app no token, with code %(code)s; nothing was shown to readers.")
APP_REFUSED = N_("Feishu refuses the app's id or secret. Enter them again.")
PICTURE_REFUSED = N_("Feishu refused a picture with code %(code)s.")

_TAG = re.compile(r"<(?=/?at\b)", re.IGNORECASE)
_HARMLESS_TAG = "<\u2060"  # an unseen character: it reads the same and is no tag


class Feishu(Channel):
    """One JSON call per post. Pictures go along only with the keys of an app of the same company."""

    slug = "feishu"
    name = N_("Feishu group")
    speaks_by_calls = True
    limits = Limits(text=20_000, unit=Unit.BYTES, pictures=9, per_minute=100, per_second=5)
    gives = chat.GIVES
    untested = NO_CHECK
    needs = N_("In the group's settings, add a custom robot and copy its webhook address.")
    fields = (
        *pasted.robot_fields(),
        Field(
            "app_id",
            N_("App id for pictures"),
            N_(
                "An app of your company that may upload pictures. Without it, pictures are left out."
            ),
            is_required=False,
        ),
        Field(
            "app_secret",
            N_("App secret for pictures"),
            is_secret=True,
            is_required=False,
        ),
        pasted.site_field(SITE),
    )

    def realm(self, way: Way) -> str:
        return f"feishu:{way.settings.get('app_id') or way.account_id}"

    def render(self, outgoing: Outgoing) -> Rendered:
        """The whole body counts, with its signature; pictures count as the keys that stand for them."""
        pictures = outgoing.pictures if outgoing.settings.get("app_id") else ()
        text = _tamed(outgoing.text)
        body = _body(outgoing, [LONGEST_KEY] * len(pictures)) | LONGEST_SIGN
        return Rendered(
            text=text,
            used=len(json.dumps(body, ensure_ascii=False).encode()),
            limit=self.limits.text,
            unit=self.limits.unit,
            pictures=pictures,
            changes=self._changes(outgoing, pictures),
            problems=(
                *chat.nothing_left(outgoing, pictures),
                *pasted.keyword_problem(text, outgoing.settings, self.name),
            ),
        )

    def deliver(self, envelope: Envelope) -> Receipt:
        line, path = _line(envelope.way, envelope)
        drawn = self.render(envelope.outgoing)
        keys = self._keys(envelope, line, drawn.pictures)
        body = _body(envelope.outgoing, keys) | _signed(envelope.secrets)
        return _receipt(line.post(path, body))

    def prepare(self, envelope: Envelope) -> None:
        line, _ = _line(envelope.way, envelope)
        self._keys(envelope, line, self.render(envelope.outgoing).pictures)

    def warm_up(self, way: Way) -> None:
        if way.settings.get("app_id"):
            line, _ = _line(way)
            _token(way, line)

    def test(self, way: Way) -> str:
        line, _ = _line(way)
        if way.settings.get("app_id"):
            _fetched(way, line)
        return ""

    def _changes(self, outgoing: Outgoing, pictures: Sequence[Picture]) -> tuple[Problem, ...]:
        told = [*chat.link_added(outgoing), *renditions.changes(pictures, self.limits)]
        if len(pictures) < len(outgoing.pictures):
            told.append(Problem("pictures_left_out", NO_APP))
        if _TAG.search(outgoing.text):
            told.append(Problem("mention_tamed", MENTION))
        return tuple(told)

    def _keys(self, envelope: Envelope, line: Line, pictures: Sequence[Picture]) -> list[str]:
        """Feishu's names for the pictures, uploaded once for all accounts of the same app."""
        return [
            uploads.reference(
                self.realm(envelope.way),
                picture.sha256,
                "message",
                partial(self._uploaded, envelope.way, line, picture.sha256),
            )
            for picture in pictures
        ]

    def _uploaded(self, way: Way, line: Line, sha256: str) -> uploads.Uploaded:
        made = renditions.fitted(sha256, self.limits)
        file = File("image", made.filename, made.mime, made.content)
        said: dict[str, Any] = {}
        token = ""
        for _ in range(2):  # a token may have been withdrawn early: once more with a new one
            token = _token(way, line, stale=token)
            headers, body = multipart({"image_type": "message"}, file)
            headers["Authorization"] = f"Bearer {token}"
            said = _call_unseen(line, IMAGES, headers, body)
            if said.get("code") not in STALE_TOKENS:
                break
        data = said.get("data")  # a refusal may bring null
        key = data.get("image_key") if isinstance(data, dict) else None
        if said["code"] in STALE_TOKENS or (said["code"] == 0 and not key):
            raise TryAgain(verdicts.BROKE_UNSEEN)
        if said["code"] != 0:
            raise Refused(Sentence(PICTURE_REFUSED, {"code": said["code"]}))
        return uploads.Uploaded(str(key))


def _line(way: Way, envelope: Envelope | None = None) -> tuple[Line, str]:
    """The way to the robot and its path. Raises Refused when what was pasted is no robot's address."""
    given = way.secrets.get("webhook", "")
    key = pasted.key_in(given, rf"(?:{HOOK})?(?P<key>[\w-]{{8,}})/?")
    if not key:
        raise Refused(NOT_AN_ADDRESS, pauses_account=True)
    base = pasted.site(way.settings, SITE, given, known=LARK)
    line = Line.of(envelope, base) if envelope else Line(base, hush=tuple(way.secrets.values()))
    line.hush.append(key)
    return line, HOOK + key


def _body(outgoing: Outgoing, keys: Sequence[str]) -> dict[str, Any]:
    """Plain text; with pictures, paragraphs followed by them, all one message."""
    text = _tamed(outgoing.text)
    if not keys:
        return {"msg_type": "text", "content": {"text": text}}
    lines: list[list[dict[str, str]]] = [
        [{"tag": "a", "text": line, "href": line}]
        if line == outgoing.link
        else [{"tag": "text", "text": line}]
        for line in text.split("\n")
    ]
    lines += [[{"tag": "img", "image_key": key}] for key in keys]
    return {"msg_type": "post", "content": {"post": {"zh_cn": {"title": "", "content": lines}}}}


def _tamed(text: str) -> str:
    return _TAG.sub(_HARMLESS_TAG, text)


def _signed(secrets: Mapping[str, str]) -> dict[str, str]:
    secret = secrets.get("secret", "").strip()
    if not secret:
        return {}
    timestamp = int(now().timestamp())
    return {"timestamp": str(timestamp), "sign": signature(timestamp, secret)}


def signature(timestamp: int, secret: str) -> str:
    """An empty message signed with moment and secret as the key; DingTalk does it otherwise."""
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _receipt(reply: Reply) -> Receipt:
    """HTTP 200 says nothing here: only the code does."""
    said = reply.json()
    code = said.get("code", said.get("StatusCode"))
    if reply.status >= 500 or type(code) is not int:
        return verdicts.by_status(reply)
    if code == 0:
        return Receipt(Outcome.ACCEPTED) if reply.status == 200 else verdicts.by_status(reply)
    return verdicts.by_answer(reply, code, CODES)


def _token(way: Way, line: Line, stale: str = "") -> str:
    """The app's token, renewed once for all workers."""
    secret = way.secrets.get("app_secret", "")
    mark = hashlib.sha256(secret.encode()).hexdigest()[
        :12
    ]  # a new secret must not get an old token
    realm = f"feishu:{way.settings.get('app_id')}:{mark}"
    token = tokens.token(realm, lambda: _fetched(way, line), stale=stale)
    line.hush.append(token)
    return token


def _fetched(way: Way, line: Line) -> tokens.Fresh:
    asked = {"app_id": way.settings.get("app_id"), "app_secret": way.secrets.get("app_secret", "")}
    headers = {"Content-Type": "application/json; charset=utf-8"}
    said = _call_unseen(line, TOKEN, headers, json.dumps(asked).encode())
    if said["code"] in WRONG_APP:
        raise Refused(APP_REFUSED, pauses_account=True)
    if said["code"] != 0 or not said.get("tenant_access_token"):
        raise TryAgain(Sentence(NO_TOKEN, {"code": said["code"]}))
    line.hush.append(str(said["tenant_access_token"]))
    return tokens.Fresh(
        str(said["tenant_access_token"]), timedelta(seconds=float(said.get("expire", 0)))
    )


def _call_unseen(line: Line, path: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """A call that shows readers nothing, so that everything but a plain answer means: again later."""
    reply = harmless(lambda: line.call("POST", path, headers=headers, body=body))
    said = reply.json()
    if type(said.get("code")) is not int or reply.status >= 500:
        raise verdicts.again(reply)
    receipt = verdicts.by_answer(reply, said["code"], CODES)
    if receipt.outcome is Outcome.NOT_SENT:
        raise TryAgain(receipt.reason, receipt.after)
    return said
