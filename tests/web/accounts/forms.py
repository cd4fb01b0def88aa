"""What the tests of accounts fill in, and what a page then says of the account."""

import re

from cms.core.db import session
from schedules.models import ChannelAccount
from tests.web.reading import read

LIST = "/settings/accounts"
NEW = "/settings/accounts/new"


def form(pool, **fields):
    values = {"name": "Groups", "persona_id": "0", "per_minute": "20"}
    return values | {"pool_ids": [pool.id]} | fields


def own(pool, **fields):
    given = {"own_app": "app-1", "own_secret": "hush hush", "own_kind": "b", "own_hours": "12"}
    return form(pool, **(given | {"own_base_url": "", "own_agents": "ann\nbob"} | fields))


def saved() -> ChannelAccount:
    return session.query(ChannelAccount).one()


def text_of(client, account) -> str:
    found = read(client, f"{LIST}/{account.id}").find("main")
    text = " ".join(found.get_text(" ", strip=True).split())
    return re.sub(r" (?=[;.,)])|(?<=[(]) ", "", text)
