"""What an Official Account counts of an article: aggregates a day late, cumulative, for thirty days."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from cms.core.clock import now
from schedules.channels.answers import Figure
from schedules.channels.oa_codes import ZONE
from schedules.channels.official_account import Api
from schedules.envelopes import Envelope

PATH = "/datacube/getarticletotaldetail"
METRICS: Mapping[str, str] = {
    "read": "read_user",
    "share": "share_user",
    "like": "like_user",
    "recommend": "zaikan_user",
    "comment": "comment_count",
    "collect": "collection_user",
}
_MESSAGE = re.compile(r"(?:^|&)mid=(\d+)")


def of_article(api: Api, envelope: Envelope) -> tuple[Figure, ...]:
    """The whole series of one article; nothing while the carrier says that it is behind."""
    if envelope.live_since is None:
        return ()
    live_on = envelope.live_since.astimezone(ZONE).date()
    yesterday = now().astimezone(ZONE).date() - timedelta(days=1)
    # We may have learnt of it after its own midnight.
    for day in (live_on, live_on - timedelta(days=1)):
        if day > yesterday:
            continue
        told = api.need(PATH, {"begin_date": day.isoformat(), "end_date": day.isoformat()})
        if told.get("is_delay"):
            return ()
        article = _ours(_rows(told.get("list")), envelope)
        if article is not None:
            return tuple(_figures(article))
    return ()


def _figures(article: Mapping[str, Any]) -> list[Figure]:
    found = []
    for row in _rows(article.get("detail_list")):
        try:
            on = date.fromisoformat(str(row.get("stat_date")))
        except ValueError:
            continue
        for metric, name in METRICS.items():
            value = row.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                found.append(Figure(metric, on, value))
    return found


def _ours(articles: list[dict[str, Any]], envelope: Envelope) -> dict[str, Any] | None:
    """By the carrier's number of the message, be it noted or read off the article's address; else
    by a title that only one article of the day has."""
    address = str(envelope.facts.get("article_url", ""))
    numbers = {str(envelope.facts.get("msg_data_id", "")), _message_of(address)} - {""}
    for article in articles:
        if str(article.get("msgid", "")).partition("_")[0] in numbers:
            return article
    titled = [one for one in articles if one.get("title") == envelope.outgoing.title]
    return titled[0] if len(titled) == 1 and not numbers else None


def _message_of(address: str) -> str:
    found = _MESSAGE.search(urlsplit(address).query)
    return found[1] if found else ""


def _rows(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
