"""Draws a post as its readers will see it, out of exactly what its channel would send."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _
from markupsafe import Markup

from audience.models import Pool, PoolKind
from cms.core import markdown
from cms.core.errors import Invalid
from cms.core.text import Unit
from cms.web import letter_preview
from cms.web.forms import say
from cms.web.frame import local
from content_library import media
from content_library.models import AssetVersion
from schedules.channels import CHANNELS
from schedules.channels.answers import Rendered
from schedules.channels.wecom_robot import Form as RobotForm
from schedules.channels.wecom_robot import form_of
from schedules.envelopes import Outgoing
from schedules.models import ChannelAccount, Post

LANGUAGES = {"zh": "zh-CN", "en": "en"}
NEAR = 0.9  # of its limit: from here on a counter warns

BY_POOL = ""  # a person or the sandbox puts it wherever the pool is
FRAMES: Mapping[str, str] = {
    "reader": "entry",
    "manual": BY_POOL,
    "sandbox": BY_POOL,
    "webhook": "payload",
    "wecom_robot": "group",
    "wecom_mass": "customer",
    "wecom_moments": "moments",
    "oa_publish": "official",
    "oa_mass": "official",
    "email": "letter",
    "feishu": "tool",
    "dingtalk": "tool",
    "slack": "tool",
    "telegram": "tool",
}
# What speaks there is a program that bears the account's name, not a person.
ROBOTS = frozenset({"wecom_robot", "feishu", "dingtalk", "slack", "telegram"})

# Headings carry anchors for the reader page; several previews on one sheet would repeat them.
_ANCHOR = re.compile(r'(<[a-z][a-z0-9]*\b[^>]*?)\sid="[^"]*"')


@dataclass(frozen=True)
class Scene:
    """Who says it, to whom, when, and out of which version."""

    account: ChannelAccount
    pool: Pool
    version: AssetVersion
    at: datetime


@dataclass(frozen=True)
class Meter:
    """How full a carrier's measure is, in the carrier's own unit."""

    used: int
    limit: int
    unit: Unit

    @property
    def tone(self) -> str:
        if self.used > self.limit:
            return "over"
        return "near" if self.used >= self.limit * NEAR else "fine"

    @property
    def words(self) -> str:
        return self._said(format_decimal(self.used))

    @property
    def pattern(self) -> str:
        """The same for scripts, which put their own count in."""
        return self._said("{used}")

    def _said(self, used: str) -> str:
        limit = format_decimal(self.limit)
        if self.unit is Unit.BYTES:
            return _("%(used)s / %(limit)s bytes", used=used, limit=limit)
        if self.unit is Unit.UTF16:
            return _(
                "%(used)s / %(limit)s characters (an emoji counts two)", used=used, limit=limit
            )
        return _("%(used)s / %(limit)s characters", used=used, limit=limit)


def of_post(post: Post, content: Outgoing) -> dict[str, Any]:
    """What the preview components take, for the post through its own account."""
    return drawn(content, Scene(post.account, post.pool, post.version, post.publish_at))


def drawn(content: Outgoing, scene: Scene) -> dict[str, Any]:
    """What the preview components take: the frame of the carrier and everything inside it."""
    shown = CHANNELS.get(content.channel).render(content)
    frame = FRAMES.get(content.channel, BY_POOL) or _frame_of(scene.pool)
    images = _images(scene.version, shown)
    return {
        "frame": frame,
        "channel": content.channel,
        "account": scene.account.name,
        "pool": {"name": scene.pool.name, "size": scene.pool.size},
        "head": _head(frame, content, scene),
        "persona": _speaker(content, scene),
        "parts": _parts(_words(shown), content.link),
        "text": _words(shown),
        "html": _html(frame, content, shown, images),
        "images": images,
        "link": _card(shown),
        "title": shown.title or content.title,
        "page": page_of(scene.version) if frame == "entry" else None,
        "payload": _payload(shown.payload),
        "time": f"{local(scene.at):%H:%M}",
        "lang": LANGUAGES.get(scene.version.lang, scene.version.lang),
        "meter": Meter(shown.used, shown.limit, shown.unit),
        "changes": [say(one) for one in shown.changes],
    }


def page_of(version: AssetVersion) -> dict[str, Any]:
    """The page that the link leads to, as the article preview takes it."""
    cover = _cover(version)
    return {
        "title": version.title,
        "cover": cover,
        "is_whole": any(link.role == "poster" for link in version.media_links),
        "html": _without_anchors(version.html),
        "lead": version.summary,
        "url": version.content.get("url", ""),
        "lang": LANGUAGES.get(version.lang, version.lang),
    }


def _frame_of(pool: Pool) -> str:
    return "moments" if pool.kind is PoolKind.MOMENTS else "group"


def _head(frame: str, content: Outgoing, scene: Scene) -> str:
    """What stands above: the group's name, or whom it is said to."""
    if frame == "customer" and content.settings.get("chat_type") != "group":
        return _("A customer, one to one")
    pool = scene.pool
    return f"{pool.name} ({pool.size})" if pool.size else pool.name


def _speaker(content: Outgoing, scene: Scene) -> dict[str, Any]:
    account = scene.account
    is_robot = content.channel in ROBOTS
    speaks = None if is_robot or content.settings.get("sender_name") else account.persona
    own_name = str(content.settings.get("sender_name") or account.name)  # of letters
    return {
        "name": speaks.name if speaks else own_name,
        "picture": None,
        "badge": _("robot") if is_robot else "",
    }


def _words(shown: Rendered) -> str:
    """A card that says the words itself leaves none beside it."""
    return "" if shown.card and shown.card.detail == shown.text else shown.text


def _parts(text: str, link: str) -> list[tuple[str, bool]]:
    """The text with our own link marked as what people can tap."""
    if not link or link not in text:
        return [(text, False)] if text else []
    before, _link, after = text.rpartition(link)
    return [part for part in ((before, False), (link, True), (after, False)) if part[0]]


def _html(frame: str, content: Outgoing, shown: Rendered, images: list[tuple[str, str]]) -> Markup:
    """Words that are laid out: an article, a letter, a robot's Markdown."""
    if frame == "letter":
        return letter_preview.body(shown.html, [src for src, _alt in images])
    if frame == "group" and content.channel == "wecom_robot":
        return _marked_up(content, shown)
    return _without_anchors(shown.html)


def _marked_up(content: Outgoing, shown: Rendered) -> Markup:
    if form_of(content) not in (RobotForm.MARKDOWN, RobotForm.RICH):
        return Markup("")
    try:
        made = markdown.render(shown.text)
    except Invalid:  # too long, or too many open marks: then the marks themselves are shown
        return Markup("")
    return _without_anchors(made.html)


def _without_anchors(html: str) -> Markup:
    return Markup(_ANCHOR.sub(r"\1", html))  # noqa: S704 - cleaned when it was saved or rendered


def _images(version: AssetVersion, shown: Rendered) -> list[tuple[str, str]]:
    words = {link.media_id: link.alt for link in version.media_links}
    return [
        (media.address(picture.sha256, "card"), words.get(picture.media_id, ""))
        for picture in shown.pictures
        if picture.sha256 and not (shown.card and picture == shown.card.cover)
    ]


def _card(shown: Rendered) -> dict[str, Any] | None:
    if shown.card is None:
        return None
    cover = shown.card.cover
    return {
        "title": shown.card.title,
        "detail": shown.card.detail,
        "cover": media.address(cover.sha256, "card") if cover and cover.sha256 else None,
    }


def _payload(payload: str) -> str:
    """What machines get, laid out for people: the same values in the same order."""
    return json.dumps(json.loads(payload), ensure_ascii=False, indent=2) if payload else ""


def _cover(version: AssetVersion) -> tuple[str, str] | None:
    for link in version.media_links:
        if link.role in ("cover", "poster"):
            return media.address(link.media.sha256, "card"), link.alt
    return None
