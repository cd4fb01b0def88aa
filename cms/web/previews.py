"""Draws a post as its readers will see it, out of exactly what would be sent."""

import re
from typing import Any

from markupsafe import Markup

from audience.models import PoolKind
from cms.web.frame import local
from content_library import media
from content_library.models import AssetVersion
from schedules.channels import CHANNELS
from schedules.envelopes import Outgoing
from schedules.models import Post

LANGUAGES = {"zh": "zh-CN", "en": "en"}

# Headings carry anchors for the reader page; several previews on one sheet would repeat them.
_ANCHOR = re.compile(r'(<[a-z][a-z0-9]*\b[^>]*?)\sid="[^"]*"')


def of_post(post: Post, content: Outgoing) -> dict[str, Any]:
    """What the preview components take: the frame of the pool's kind and the page behind the link."""
    lang = LANGUAGES.get(post.version.lang, post.version.lang)
    persona = post.account.persona
    appended = CHANNELS.get(content.channel).appends_link
    return {
        "frame": "moments" if post.pool.kind is PoolKind.MOMENTS else "group",
        "pool": {"name": post.pool.name, "size": post.pool.size},
        "persona": {"name": persona.name if persona else post.account.name, "picture": None},
        "text": content.text,
        "images": _images(post.version, content),
        "link": None if appended or not content.link else _card(post.version, content),
        "time": f"{local(post.publish_at):%H:%M}",
        "lang": lang,
    }


def page_of(version: AssetVersion) -> dict[str, Any]:
    """The page that the link leads to, as the article preview takes it."""
    cover = _cover(version)
    return {
        "title": version.title,
        "cover": cover,
        "html": Markup(_ANCHOR.sub(r"\1", version.html)),  # noqa: S704 - cleaned when it was saved
        "lead": version.summary,
        "url": version.content.get("url", ""),
        "lang": LANGUAGES.get(version.lang, version.lang),
    }


def _images(version: AssetVersion, content: Outgoing) -> list[tuple[str, str]]:
    words = {link.media_id: link.alt for link in version.media_links}
    return [
        (media.address(picture.sha256, "card"), words.get(picture.media_id, ""))
        for picture in content.pictures
    ]


def _card(version: AssetVersion, content: Outgoing) -> dict[str, Any]:
    cover = _cover(version)
    return {
        "title": content.title,
        "detail": version.summary[:60],
        "cover": cover[0] if cover else None,
    }


def _cover(version: AssetVersion) -> tuple[str, str] | None:
    for link in version.media_links:
        if link.role in ("cover", "poster"):
            return media.address(link.media.sha256, "card"), link.alt
    return None
