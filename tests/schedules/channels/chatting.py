"""One chat carrier in a test: its demo, an account with it, and posts on their way."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cms.core import sealing
from cms.core.db import transaction
from cms.demo.carriers.simulator import Simulator
from schedules.addressing import way_of
from schedules.channels import CHANNELS
from schedules.channels.base import Channel, Rendered
from schedules.content import outgoing
from schedules.models import ChannelAccount, Publication
from tests import factories as make
from tests.schedules import ready
from tests.schedules.ready import approved


@dataclass
class Chat:
    """A running demo carrier and what it was made to show."""

    carrier: Simulator
    url: str

    @property
    def channel(self) -> Channel:
        return CHANNELS.get(self.carrier.slug)

    @property
    def shown(self) -> list[dict[str, Any]]:
        return self.carrier.book.shown("message")

    def account(self, settings: dict[str, Any] | None = None, **secrets: str) -> ChannelAccount:
        given = {"base_url": self.url, **(settings or {})}
        account = make.account(channel=self.carrier.slug, per_minute=6000, settings=given)
        with transaction():
            account.sealed = sealing.seal(secrets)
        return account

    def control(self, verb: str, **given: Any) -> None:
        with self.carrier.book.whole():
            self.carrier.control(verb, given)

    def script(self, suffix: str, *words: str) -> None:
        self.carrier.book.put("script", suffix, list(words))

    def advance(self, seconds: float) -> None:
        """Move the carrier's own clock."""
        known = float(self.carrier.book.get("clock", "offset") or 0)
        self.carrier.book.put("clock", "offset", known + seconds)

    def drawn(self, account: ChannelAccount, text: str, **fields: Any) -> Rendered:
        post = make.post(account=account, text=text, **fields)
        return self.channel.render(outgoing(post))

    def problems(self, account: ChannelAccount, text: str, **fields: Any) -> list[str]:
        post = make.post(account=account, text=text, **fields)
        return [problem.code for problem in self.channel.problems(outgoing(post))]

    def try_out(self, account: ChannelAccount) -> str:
        return self.channel.try_out(way_of(account))


def sent(account: ChannelAccount, **fields: Any) -> Publication:
    """A post that a worker has just tried to send."""
    return tried(approved(account=account, **fields))


def tried(publication: Publication) -> Publication:
    """Our own pace is not in the way: carriers are asked for theirs here."""
    with transaction():
        publication.account.tokens_at = None
    return ready.tried(publication)


def again(publication: Publication) -> Publication:
    """Its wait is over, and a worker comes by."""
    with transaction():
        publication.account.tokens_at = None
    return ready.again(publication)


def wait_of(publication: Publication, since: datetime) -> timedelta:
    blocked = publication.account.blocked_until
    assert blocked is not None
    return blocked - since


def log_of(publication: Publication) -> str:
    """All that is written down about its tries."""
    return json.dumps([attempt.detail for attempt in publication.attempts], ensure_ascii=False)
