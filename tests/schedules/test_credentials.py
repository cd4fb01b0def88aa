"""Keys rotate without losing a secret; a lost key holds posts and is told, and nothing crashes."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cms.core import config, health, sealing
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import credentials, publishing, tokens
from schedules.models import AlertRoute, Attempt, CarrierToken, ChannelAccount
from schedules.states import PublicationState, RouteKind
from schedules.tokens import Fresh
from tests import factories as make
from tests.schedules import ready

OLD, NEW = sealing.new_key(), sealing.new_key()


@pytest.fixture
def with_keys(app: Flask) -> Iterator[Callable[..., None]]:
    """`with_keys(NEW, OLD)`: go on as after a restart with these keys."""
    before = config.current()

    def use(*keys: str) -> None:
        config.use(dataclasses.replace(before, credential_keys=keys))

    yield use
    config.use(before)


@pytest.fixture
def sealed_rows(
    with_keys: Callable[..., None],
) -> tuple[ChannelAccount, ChannelAccount, AlertRoute]:
    """Two accounts, a token and an alert route, all under the old key."""
    with_keys(OLD)
    accounts = make.account(name="First"), make.account(name="Second")
    with transaction():
        for account in accounts:
            account.sealed = sealing.seal({"secret": account.name})
        route = AlertRoute(
            kind=RouteKind.WEBHOOK, address="https://alerts.example", created_at=now()
        )
        route.sealed = sealing.seal({"secret": "route"})
        session.add(route)
    tokens.token("carrier:app", lambda: Fresh("token", timedelta(hours=2)))
    return (*accounts, route)


def opens(row: ChannelAccount | AlertRoute | CarrierToken) -> dict[str, str]:
    session.refresh(row)
    return sealing.unseal(row.sealed)


def token_row() -> CarrierToken:
    return session.scalars(select(CarrierToken)).one()


def run(app: Flask, *words: str):
    return app.test_cli_runner().invoke(args=["accounts", *words])


def test_rotation_moves_everything_and_ends_the_old_key(app, with_keys, sealed_rows):
    first, second, route = sealed_rows
    with_keys(NEW, OLD)
    told = run(app, "reseal")
    assert (told.exit_code, told.output) == (0, "4 moved to the newest key\n")
    with_keys(NEW)
    assert [opens(first), opens(second), opens(route)] == [
        {"secret": "First"},
        {"secret": "Second"},
        {"secret": "route"},
    ]
    assert opens(token_row()) == {"token": "token"}
    with_keys(OLD)
    for row in (first, second, route, token_row()):
        with pytest.raises(sealing.Unopenable):
            opens(row)


def test_a_round_that_broke_off_is_gone_on_with(app, with_keys, sealed_rows):
    first = sealed_rows[0]
    with_keys(NEW, OLD)
    with transaction():
        first.sealed = done = sealing.renewed(first.sealed)
    assert credentials.reseal().moved == 3
    session.refresh(first)
    assert first.sealed == done, "what was moved already is left alone"
    assert credentials.reseal().moved == 0


def test_what_cannot_be_opened_is_named_and_left_as_it_is(app, with_keys, sealed_rows):
    first, second, _ = sealed_rows
    with_keys(sealing.new_key())
    with transaction():
        second.sealed = sealing.seal({"secret": "of a third key"})
    before = first.sealed
    with_keys(NEW, OLD)
    told = run(app, "reseal")
    assert told.exit_code == 1
    assert "cannot be opened: Second" in told.output
    assert "First" not in told.output
    assert opens(first) == {"secret": "First"}
    assert first.sealed != before


def test_a_token_nobody_can_open_is_dropped_and_fetched_anew(app, with_keys, sealed_rows):
    with_keys(NEW)
    done = credentials.reseal()
    assert (done.moved, done.tokens_dropped) == (0, 1)
    assert set(done.unopenable) == {"First", "Second", "https://alerts.example"}
    assert tokens.token("carrier:app", lambda: Fresh("new", timedelta(hours=2))) == "new"


def test_a_new_key_is_printed_and_nothing_else(app):
    told = run(app, "new-key")
    assert told.exit_code == 0
    assert len(told.output.strip()) == 44
    assert run(app, "new-key").output != told.output


def test_a_lost_key_holds_the_post_with_its_reason_and_nothing_leaves(with_keys):
    with_keys(OLD)
    account = ready.account()
    with transaction():
        account.sealed = sealing.seal({"secret": "s"})
    publication = ready.approved(account=account)
    with_keys(NEW)
    publishing.publish(publication.id, worker="here")
    session.refresh(publication)
    assert publication.state is PublicationState.HELD
    assert "cannot be opened" in publication.reason
    assert session.scalars(select(Attempt)).all() == []


def test_health_and_doctor_name_the_account(app, with_keys, sealed_rows):
    assert health.CHECKS.get("credentials").find().level is health.Level.WELL
    with_keys(NEW)
    finding = health.CHECKS.get("credentials").find()
    assert finding.level is health.Level.WARNING
    assert finding.params == {"names": "First, Second"}
    told = app.test_cli_runner().invoke(args=["doctor"]).output
    assert "those of First cannot be opened" in told
    assert "SEEDBED_CREDENTIAL_KEYS" in told


def test_a_retired_account_troubles_nobody(with_keys, sealed_rows):
    first, second, _ = sealed_rows
    with transaction():
        first.retired_at = second.retired_at = now()
    with_keys(NEW)
    assert credentials.unopenable() == []
