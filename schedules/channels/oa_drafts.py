"""Drafts in an Official Account: steps no reader sees, before the one that publishes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cms.core.errors import Refused, TryAgain
from schedules import steps
from schedules.channels.oa_codes import BUSY, TOO_LONG, Means, needed
from schedules.channels.oa_pieces import Form, Piece, fits, shown_with
from schedules.channels.official_account import Api
from schedules.envelopes import Envelope, Picture


def made(api: Api, envelope: Envelope, piece: Piece) -> tuple[Envelope, str]:
    """The media id of the draft that holds the piece: the one made before, or a new one.

    A draft shows nothing to a reader; one that is left over harms nobody.
    """
    sign = _sign(api, piece)
    known = str(envelope.facts.get("draft", ""))
    if known and envelope.facts.get("draft_of") == sign:
        return envelope, known
    said = api.ask("/cgi-bin/draft/add", _body(api, piece, anew=False))
    if said.means is Means.GONE:  # somebody emptied the account's library: put the pictures back
        said = api.ask("/cgi-bin/draft/add", _body(api, piece, anew=True))
    named = str(needed(said).get("media_id", ""))
    if not named:
        raise TryAgain(BUSY)
    return steps.note(envelope, draft=named, draft_of=sign), named


def upload(api: Api, piece: Piece) -> None:
    """Put the piece's pictures into the account's library ahead of its minute."""
    _content(api, piece)
    for picture in piece.library:
        api.picture(picture.sha256)


def material(api: Api, picture: Picture, *, anew: bool = False) -> str:
    """The picture's media id; `anew` when the account does not know the one we kept."""
    known = api.picture(picture.sha256)
    return api.picture(picture.sha256, stale=known) if anew else known


def comments(settings: Mapping[str, Any]) -> dict[str, int]:
    """Who may comment, in the carrier's own marks."""
    whose = str(settings.get("open_comments", "no"))
    return {
        "need_open_comment": int(whose in ("all", "fans")),
        "only_fans_can_comment": int(whose == "fans"),
    }


def _body(api: Api, piece: Piece, *, anew: bool) -> dict[str, Any]:
    settings = api.way.settings
    article: dict[str, Any] = {
        "article_type": "newspic" if piece.form is Form.PICTURES else "news",
        "title": piece.title,
        "author": str(settings.get("author", "")),
        "content": _content(api, piece),
        **comments(settings),
    }
    if piece.form is Form.PICTURES:
        ids = [material(api, picture, anew=anew) for picture in piece.pictures]
        article["image_info"] = {"image_list": [{"image_media_id": one} for one in ids]}
        return {"articles": [article]}
    cover = material(api, piece.cover, anew=anew) if piece.cover else piece.standing_cover
    article |= {"content_source_url": piece.link, "thumb_media_id": cover}
    if piece.form is Form.ARTICLE:
        article["digest"] = piece.text
    return {"articles": [article]}


def _content(api: Api, piece: Piece) -> str:
    if piece.form is Form.PICTURES:
        return piece.text
    html = shown_with(piece.html, api.inline_picture)
    if not fits(html):
        raise Refused(TOO_LONG)
    return html


def _sign(api: Api, piece: Piece) -> str:
    """What the draft depends on: approved anew with other content, another draft is made."""
    settings = api.way.settings
    parts = [
        piece.form.value,
        piece.title,
        piece.text,
        piece.html,
        piece.link,
        piece.standing_cover,
        *(picture.sha256 for picture in piece.library),
        str(settings.get("author", "")),
        str(settings.get("open_comments", "no")),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
