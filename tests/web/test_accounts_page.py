"""Channel accounts: added, changed, paused; the channel of an account never changes."""

import pytest

from cms.accounts.models import Role
from cms.core.db import session
from schedules.models import ChannelAccount
from tests import factories
from tests.signing_in import sign_in


@pytest.fixture
def admin(client):
    user = factories.user(Role.ADMINISTRATOR)
    sign_in(client, user)
    return user


def form(pool, **fields):
    values = {"name": "Groups", "channel": "reader", "persona_id": "0", "per_minute": "30"}
    return values | {"pool_ids": [pool.id]} | fields


def test_an_account_is_added_with_its_pools(client, admin):
    pool = factories.pool()
    assert client.post("/settings/accounts/new", data=form(pool)).status_code == 302
    account = session.query(ChannelAccount).one()
    assert (account.name, account.per_minute, account.pools) == ("Groups", 30, [pool])
    assert "Groups" in client.get("/settings/accounts").text


def test_an_account_keeps_its_channel(client, admin):
    pool = factories.pool()
    account = factories.account(pool)
    answer = client.post(f"/settings/accounts/{account.id}", data=form(pool, channel="manual"))
    assert answer.status_code == 422
    assert account.channel == "reader"


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1000000"])
def test_bad_limits_are_refused(client, admin, limit):
    answer = client.post("/settings/accounts/new", data=form(factories.pool(), per_minute=limit))
    assert answer.status_code == 422
    assert session.query(ChannelAccount).count() == 0


def test_pausing_and_resuming(client, admin):
    account = factories.account()
    client.post(f"/settings/accounts/{account.id}/pause")
    assert account.is_paused
    client.post(f"/settings/accounts/{account.id}/resume")
    assert not account.is_paused


def test_the_page_asks_few_questions(client, admin, count_queries):
    for _ in range(20):
        factories.account(factories.pool())
    with count_queries() as statements:
        client.get("/settings/accounts")
    assert len(statements) <= 9
