"""A demo corporation at WeCom for tests: accounts that reach it, its controls, its ledger of effects."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from cms.core import clock, sealing
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.demo.carriers.wecom import CORPID, ROBOT, SECRET, WeCom
from schedules import polling
from schedules.models import Attempt, ChannelAccount, EmployeeTask, Publication
from schedules.states import HandOverState
from tests import factories as make
from tests.demo_carriers import Start
from tests.schedules import ready
from tests.schedules.ready import approved, tried

OTHER = {
    "corpid": "ww1111other",
    "secret": "other-secret-of-that-app",
    "employees": {"lina": "李娜"},
}


@dataclass
class Corporation:
    """The running carrier as its console would show it."""

    wecom: WeCom
    url: str

    def account(
        self, channel: str, secret: str = SECRET, key: str = ROBOT, **settings: Any
    ) -> ChannelAccount:
        known = {"base_url": self.url, "corpid": CORPID, "senders": ["lina", "wangwei"]}
        made = make.account(channel=channel, settings=known | settings, per_minute=6000)
        secrets = {"key": key} if channel == "wecom_robot" else {"corpsecret": secret}
        with transaction():
            made.sealed = sealing.seal(secrets)
        return made

    def control(self, verb: str, **given: Any) -> None:
        self.wecom.control(verb, given)

    def script(self, path: str, *words: str) -> None:
        self.wecom.book.put("script", path, list(words))

    def advance(self, seconds: float) -> None:
        offset = float(self.wecom.book.get("clock", "offset") or 0)
        self.wecom.book.put("clock", "offset", offset + seconds)

    def shown(self, kind: str) -> list[dict[str, Any]]:
        return self.wecom.book.shown(kind)

    def senders(self) -> list[str]:
        """Who got a mass task, in order; a name twice would be a task made twice."""
        return [one["sender"] for one in self.shown("mass_task")]

    def counted(self, name: str) -> int:
        return int(self.wecom.book.get("count", name) or 0)


def running(start: Start) -> Corporation:
    carriers, url = start(WeCom)
    wecom = carriers.members["wecom"]
    assert isinstance(wecom, WeCom)
    return Corporation(wecom, f"{url}/wecom")


def sent(account: ChannelAccount, **fields: Any) -> Publication:
    """A post of the account after its first try."""
    return tried(approved(account=account, **fields))


def again(publication: Publication, later: float = 0) -> Publication:
    """Tried once more, so many seconds later."""
    with in_seconds(later):
        return ready.again(publication)


def asked(publication: Publication, later: float = 3600) -> Publication:
    """After the carrier was asked how far it is."""
    with in_seconds(later):
        polling.ask(publication.id)
    session.expire_all()
    return publication


@contextmanager
def in_seconds(seconds: float) -> Iterator[None]:
    with clock.holding(now() + timedelta(seconds=seconds)):
        yield


def employees(publication: Publication) -> dict[str, HandOverState]:
    """Each who was asked to post it, and what became of that."""
    rows = select(EmployeeTask).where(EmployeeTask.publication_id == publication.id)
    return {row.employee: row.state for row in session.scalars(rows)}


def newest(publication: Publication) -> Attempt:
    return publication.attempts[-1]


def told(publication: Publication) -> str:
    """All that the attempt log keeps."""
    return json.dumps([one.detail for one in publication.attempts], ensure_ascii=False)
