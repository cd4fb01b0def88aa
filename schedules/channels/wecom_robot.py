"""The channel `wecom_robot`: a robot in an internal WeCom group. One post is one message there."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, ClassVar

from cms.core.errors import Problem, Refused
from cms.core.i18n import N_
from cms.core.text import Unit, count, is_blank
from schedules import renditions
from schedules.channels import pasted, public_pictures, wecom
from schedules.channels.answers import Card
from schedules.channels.base import (
    Channel,
    Field,
    Gives,
    How,
    Limits,
    Receipt,
    Rendered,
    Repeat,
    Takes,
)
from schedules.channels.calling import Line, Silent
from schedules.channels.multipart import File, multipart
from schedules.channels.wecom_codes import Busy
from schedules.envelopes import Envelope, Outgoing, Picture, Way
from schedules.states import Outcome

KEY = r"(?:.*[?&]key=)?(?P<key>[0-9A-Za-z_-]{8,80})(?:&.*)?"
SEND, UPLOAD = "/cgi-bin/webhook/send", "/cgi-bin/webhook/upload_media"
NO_KEY = N_("The robot's address holds no key. Copy it again from the group's robot.")
NO_ANSWER = N_("WeCom gave no whole answer to a test file.")
LEFT_OUT = N_("The pictures are left out: a robot's text takes none.")
ONLY_FIRST = N_("Only the first picture is shown on the card.")
BUSY = N_("WeCom said that it was busy, which leaves open whether the group has the message.")
NO_LINK = N_("The link is left out: a robot's picture goes alone. Write something to have both.")
TITLE_NOT_REPEATED = N_("The first line is the title, so it stands only in the card's title.")
NO_CARD = N_("Without a link there can be no card; it goes as text.")


class Form(StrEnum):
    """As what a post appears in the group."""

    TEXT = "text"
    MARKDOWN = "markdown"
    RICH = "markdown_v2"
    CARD = "news"
    PICTURE = "image"


AUTO = "auto"
# What each form takes of words, in bytes; a card's title has a limit of its own.
LONGEST = {Form.TEXT: 2048, Form.MARKDOWN: 4096, Form.RICH: 4096, Form.CARD: 512, Form.PICTURE: 0}
TITLE_BYTES = 128


class WecomRobot(Channel):
    """No message id, no look-up, no recall: what is silent after leaving is for a person to judge."""

    slug = "wecom_robot"
    name = N_("WeCom group robot")
    speaks_by_calls = True
    limits = Limits(text=2048, unit=Unit.BYTES, pictures=9, picture_bytes=2_000_000, per_minute=20)
    repeat = Repeat.NEVER
    takes = frozenset({Takes.TEXT, Takes.PICTURES, Takes.ARTICLE, Takes.LINK})
    gives: ClassVar[Mapping[Gives, How]] = {
        one: How.OWN_LINK for one in Gives if one is not Gives.DELIVERY
    }
    fields = (
        Field(
            "key",
            N_("Robot's address or key"),
            N_("In the group: the robot's card, Webhook address. Whoever has it can post there."),
            is_secret=True,
        ),
        Field(
            "style",
            N_("Appearance"),
            N_("A card shows 512 bytes of words, a text 2048, Markdown 4096."),
            kind="choice",
            is_required=False,
            default=AUTO,
            choices=(
                (AUTO, N_("A card when there is a picture and the words fit, else text")),
                (Form.TEXT.value, N_("Text")),
                (Form.CARD.value, N_("Card")),
                (Form.MARKDOWN.value, N_("Markdown")),
                (Form.RICH.value, N_("Markdown with pictures (WeCom 4.1.38 or newer)")),
            ),
        ),
        pasted.site_field(wecom.SITE),
    )
    needs = N_("Add a robot to the WeCom group and copy its Webhook address.")

    def render(self, outgoing: Outgoing) -> Rendered:
        form = form_of(outgoing)
        text = _words(outgoing, form)
        drawn = Rendered(
            text=text,
            used=count(text, Unit.BYTES),
            limit=LONGEST[form],
            unit=Unit.BYTES,
            pictures=_shown(outgoing, form),
            changes=self._changes(outgoing, form),
        )
        if form is Form.CARD:
            title = wecom.cut(outgoing.title, TITLE_BYTES)
            card = Card(title, outgoing.link, text, next(iter(drawn.pictures), None))
            return replace(drawn, card=card)
        if form is Form.PICTURE:
            return replace(drawn, limit=LONGEST[Form.TEXT])
        return drawn

    def deliver(self, envelope: Envelope) -> Receipt:
        key = _key(envelope.secrets)
        line = Line.of(envelope, wecom.base_of(envelope.settings))
        line.hush.append(key)
        form = form_of(envelope.outgoing)
        message = self._message(form, envelope.outgoing)
        reply = line.post(SEND, {"msgtype": form.value, form.value: message}, key=key)
        try:
            wecom.read(reply)
        except Busy as error:
            raise Silent(BUSY) from error
        return Receipt(Outcome.ACCEPTED)

    def test(self, way: Way) -> str:
        """A file that is uploaded and never sent: it proves the key, and nobody in the group sees it."""
        key = _key(way.secrets)
        line = Line(wecom.base_of(way.settings), hush=(*way.secrets.values(), key))
        headers, body = multipart({}, File("media", "test.txt", "text/plain", b"Connection test"))
        query = {"key": key, "type": "file"}
        try:
            wecom.read(line.call("POST", UPLOAD, query=query, headers=headers, body=body))
        except Silent:
            return NO_ANSWER
        return ""

    def _message(self, form: Form, outgoing: Outgoing) -> dict[str, Any]:
        drawn = self.render(outgoing)
        if form is Form.PICTURE:
            content = renditions.fitted(drawn.pictures[0].sha256, self.limits).content
            digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
            return {"base64": base64.b64encode(content).decode(), "md5": digest}
        if form is not Form.CARD or drawn.card is None:
            return {"content": drawn.text}
        cover = public_pictures.addresses(replace(outgoing, pictures=drawn.pictures))
        article = {"title": drawn.card.title, "description": drawn.text, "url": drawn.card.url}
        return {"articles": [article | ({"picurl": cover[0]} if cover else {})]}

    def _changes(self, outgoing: Outgoing, form: Form) -> tuple[Problem, ...]:
        shown = _shown(outgoing, form)
        told = wecom.link_changes(outgoing, is_card=form is Form.CARD, title_bytes=TITLE_BYTES)
        if form is Form.PICTURE:
            told = [Problem("link_left_out", NO_LINK)] if outgoing.link else []
            told += renditions.changes(shown, self.limits)
        elif outgoing.pictures and form in (Form.TEXT, Form.MARKDOWN):
            told.append(Problem("pictures_left_out", LEFT_OUT))
        elif shown:
            told += public_pictures.change(replace(outgoing, pictures=shown), self.name)
        if len(outgoing.pictures) > len(shown) == 1:
            told.append(Problem("pictures_left_out", ONLY_FIRST))
        if form is Form.CARD and _begins_with_title(outgoing):
            told.append(Problem("title_not_repeated", TITLE_NOT_REPEATED))
        if _style(outgoing) == Form.CARD and form is Form.TEXT:
            told.append(Problem("no_card", NO_CARD))
        return tuple(told)


def form_of(outgoing: Outgoing) -> Form:
    """As what the post appears: what the account wishes, as far as the post allows."""
    style = _style(outgoing)
    if style == AUTO:
        style = Form.CARD if _suits_a_card(outgoing) else Form.TEXT
    if style == Form.CARD and not (outgoing.link and outgoing.title):
        style = Form.TEXT
    if is_blank(outgoing.body) and outgoing.pictures and style in (Form.TEXT, Form.MARKDOWN):
        return Form.PICTURE
    return Form(style)


def _style(outgoing: Outgoing) -> str:
    style = str(outgoing.settings.get("style") or AUTO)
    return style if style in [form.value for form in Form] else AUTO


def _suits_a_card(outgoing: Outgoing) -> bool:
    shown = _shown(outgoing, Form.CARD)
    can_be_fetched = bool(public_pictures.addresses(replace(outgoing, pictures=shown)))
    fits = count(_words(outgoing, Form.CARD), Unit.BYTES) <= LONGEST[Form.CARD]
    return bool(outgoing.link and outgoing.title and can_be_fetched and fits)


def _shown(outgoing: Outgoing, form: Form) -> tuple[Picture, ...]:
    if form is Form.CARD:
        return (*outgoing.pictures, *filter(None, [outgoing.cover]))[:1]
    if form is Form.PICTURE:
        return outgoing.pictures[:1]
    return outgoing.pictures if form is Form.RICH else ()


def _words(outgoing: Outgoing, form: Form) -> str:
    if form is Form.PICTURE:
        return ""
    if form is Form.CARD:
        body = outgoing.body.strip()
        return body[len(outgoing.title.strip()) :].strip() if _begins_with_title(outgoing) else body
    if form not in (Form.MARKDOWN, Form.RICH):
        return outgoing.text
    link = f"[{outgoing.title or outgoing.link}]({outgoing.link})" if outgoing.link else ""
    pictures = [
        f"![]({address})" for address in public_pictures.addresses(outgoing) if form is Form.RICH
    ]
    return "\n\n".join(part for part in (outgoing.body, *pictures, link) if part)


def _begins_with_title(outgoing: Outgoing) -> bool:
    """Whether the first line is the title, which stands whole above the card's words already."""
    title = outgoing.title.strip()
    first = outgoing.body.strip().split("\n", 1)[0].strip()
    return first == title and len(title.encode()) <= TITLE_BYTES


def _key(secrets: Mapping[str, str]) -> str:
    key = pasted.key_in(str(secrets.get("key") or ""), KEY)
    if not key:
        raise Refused(NO_KEY, pauses_account=True)
    return key
