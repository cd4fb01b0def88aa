"""Writes a pool's feed as RSS 2.0."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from flask_babel import gettext as _

from audience.models import Pool
from content_library.models import Media
from schedules import links

ATOM = "http://www.w3.org/2005/Atom"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"

# XML 1.0 has no place for these, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

register_namespace("atom", ATOM)
register_namespace("dc", DUBLIN_CORE)


@dataclass(frozen=True)
class Item:
    """One line of the feed."""

    public_id: str
    title: str
    text: str
    lang: str
    speaker: str
    at: datetime
    url: str
    cover: Media | None


def written(pool: Pool, items: Sequence[Item]) -> bytes:
    """The whole document; the same bytes as long as nothing in it has changed."""
    root = Element("rss", {"version": "2.0"})
    channel = SubElement(root, "channel")
    _say(channel, "title", pool.name)
    _say(channel, "link", links.feed_url(pool))
    _say(channel, "description", _("Posts for %(name)s", name=pool.name))
    own = {"href": links.feed_url(pool, rss=True), "rel": "self", "type": "application/rss+xml"}
    SubElement(channel, f"{{{ATOM}}}link", own)
    if items:
        _say(channel, "lastBuildDate", format_datetime(items[0].at, usegmt=True))
    for item in items:
        _add(channel, pool, item)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _add(channel: Element, pool: Pool, item: Item) -> None:
    entry = SubElement(channel, "item")
    _say(entry, "title", item.title)
    _say(entry, "link", item.url)
    _say(entry, "description", item.text)
    guid = SubElement(entry, "guid", {"isPermaLink": "false"})
    guid.text = f"seedbed:{item.public_id}"
    _say(entry, "pubDate", format_datetime(item.at, usegmt=True))
    _say(entry, f"{{{DUBLIN_CORE}}}creator", item.speaker)
    if item.cover is not None:
        base = links.feed_url(pool).rsplit("/f/", 1)[0]
        url = f"{base}/m/{item.public_id}/{item.cover.sha256}/full"
        told = {"url": url, "length": str(item.cover.size), "type": item.cover.mime}
        SubElement(entry, "enclosure", told)


def _say(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _FORBIDDEN.sub("", text)
