"""Posts that readers can see, and browsers of readers."""

import re
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from cms.core.clock import now
from cms.core.db import transaction
from feedback import outward
from schedules import links
from schedules.models import Publication, ReaderEntry
from schedules.states import PublicationState
from tests import factories as make

PHONE = (
    "Mozilla/5.0 (Linux; Android 14; 23127PN0CC) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/126.0.6478.188 Mobile Safari/537.36 XWEB/1260117 MMWEBSDK/20240404 MicroMessenger/8.0.49"
)


def publication(**fields: Any) -> Publication:
    """A post that is live, by default since an hour."""
    at = fields.pop("published_at", now() - timedelta(hours=1))
    reach = fields.pop("reach", 200)
    post = make.post(state=PublicationState.PUBLISHED, publish_at=at, **fields)
    with transaction():
        post.publication.published_at, post.publication.reach = at, reach
        outward.ensure(post.publication)
    return post.publication


def entry(of: Publication, **fields: Any) -> ReaderEntry:
    """The publication's line in its pool's feed."""
    values = {
        "key": of.idempotency_key,
        "publication_id": of.id,
        "pool_id": of.pool_id,
        "title": of.post.version.title,
        "text": of.post.text,
        "published_at": of.published_at,
    }
    row = ReaderEntry(**(values | fields))
    with transaction() as session:
        session.add(row)
    return row


class Reader:
    """A reader's browser: keeps its cookie, calls itself a phone."""

    def __init__(self, client: FlaskClient, *, agent: str = PHONE, address: str = "203.0.113.7"):
        self.client = client
        self.headers = {"User-Agent": agent}
        self.environ = {"REMOTE_ADDR": address}
        self.page = ""

    def get(self, url: str, **headers: str) -> Any:
        answer = self.client.get(url, headers=self.headers | headers, environ_base=self.environ)
        self.page = answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""
        return answer

    def tap(self, of: Publication) -> Any:
        """Follow the post's own link to its page, as a tap does."""
        code = links.own_link(of).code
        answer = self.get(f"/l/{code}")
        return self.get(answer.location) if answer.status_code == 302 else answer

    def fields(self, act: str) -> dict[str, str]:
        """The hidden fields of the page's form for that act."""
        found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', self.page))
        return {name: text for name, text in found.items() if name != "once" or act == "comment"}

    def post(self, of: Publication, act: str, data: dict[str, str] | None = None, **headers: str):
        return self.client.post(
            f"/p/{of.public_id}/{act}",
            data=self.fields(act) | (data or {}),
            headers=self.headers | headers,
            environ_base=self.environ,
        )
