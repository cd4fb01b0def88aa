"""The kind `article`: Markdown, rendered once when saved."""

import re
from collections.abc import Mapping
from typing import Any

from cms.core import markup
from cms.core.i18n import N_
from cms.core.markdown import render
from cms.core.text import check_filled
from content_library import media
from content_library.kinds.base import AssetFields, Composed, Kind, MediaUse

_OWN = re.compile(r"/media/([0-9a-f]{64})(?:/\w+)?")
_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(\s*<?(?P<address>[^)\s>]+)")


class Article(Kind):
    slug = "article"
    label = N_("Article")
    new_label = N_("New article")
    icon = "file-text"

    def _compose(self, fields: AssetFields, *, title: str, summary: str) -> Composed:
        check_filled("body", fields.body)
        shas = {sha for sha in fields.images.values()} | set(_OWN.findall(fields.body))
        known = media.by_shas(shas)
        used: dict[str, str] = {}

        def resolve(address: str) -> str | None:
            sha = _sha_of(address, fields.images)
            if sha not in known:
                return None
            used[address] = sha
            return media.address(sha)

        rendered = render(fields.body, resolve_image=resolve)
        words = {match["address"]: match["alt"] for match in _IMAGE.finditer(fields.body)}
        pictures = {
            sha: MediaUse(known[sha], "inline", words.get(address, ""))
            for address, sha in used.items()
        }
        cover = (fields.cover,) if fields.cover else ()
        return Composed(
            title=title,
            summary=summary or rendered.excerpt,
            lang=fields.lang,
            body=fields.body,
            html=rendered.html,
            content={
                "images": {key: sha for key, sha in used.items() if key in fields.images},
                "reading_minutes": rendered.reading_minutes,
            },
            media=(*cover, *pictures.values()),
            told=rendered.removed,
        )

    def plain_text(self, version_html: str, content: Mapping[str, Any]) -> str:
        return markup.read(version_html).plain_text


def _sha_of(address: str, images: Mapping[str, str]) -> str:
    own = _OWN.fullmatch(address)
    return own[1] if own else images.get(address, "")
