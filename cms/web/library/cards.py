"""What the library's lists show of an asset, made ready for templates."""

from typing import Any

from flask import url_for

from cms.web.frame import name_of
from content_library import media
from content_library.models import AssetTag
from content_library.search.finder import FoundAsset


def hue_of(links: list[AssetTag]) -> int | None:
    """The colour of the first theme among the tags."""
    return next((link.tag.hue for link in links if link.tag.hue), None)


def tray_item(found: FoundAsset) -> dict[str, Any]:
    """The asset as the board's tray shows it; its link plans it where there is no dragging."""
    asset = found.asset
    names = [name_of(link.tag) for link in found.tags[:2]]
    return {
        "id": asset.id,
        "title": asset.title,
        "kind": asset.kind,
        "lang": "zh-CN" if asset.lang == "zh" else asset.lang,
        "hue": hue_of(found.tags),
        "thumb": media.address(found.picture.sha256, "thumb") if found.picture else None,
        "href": url_for("calendar.new_post", asset=asset.id),
        "detail": " · ".join(names),
    }
