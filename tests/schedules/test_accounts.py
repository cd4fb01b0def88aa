"""Accounts: what they are given is judged, sealed and kept; reconnecting keeps history and nothing else."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role
from cms.core import sealing
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid, Refused
from cms.core.sentences import Sentence
from schedules import accounts, credentials, publishing, tokens, uploads
from schedules.accounts import AccountFields
from schedules.channels import CHANNELS
from schedules.credentials import Judged
from schedules.models import ChannelAccount
from schedules.tokens import Fresh
from schedules.uploads import Uploaded
from tests import factories as make
from tests.schedules.carriers_given import GIVEN, Curious, curious
from tests.schedules.ready import approved


@pytest.fixture(autouse=True)
def channel(app: Flask) -> Iterator[type[Curious]]:
    with curious() as member:
        yield member


def judged(**given: str) -> Judged:
    return credentials.judged(CHANNELS.get("curious"), GIVEN | given)


def faults(**given: str) -> dict[str, str]:
    with pytest.raises(Invalid) as told:
        judged(**given)
    return {name: problem.code for name, problem in told.value.fields.items()}


def added(**fields: object) -> ChannelAccount:
    values = {"name": "Ours", "channel": "curious", "own": judged()} | fields
    with transaction():
        return accounts.add(AccountFields(**values), by=None)  # type: ignore[arg-type]


def changed(account: ChannelAccount, **fields: object) -> None:
    values = {"name": account.name, "channel": account.channel} | fields
    with transaction():
        accounts.change(account, AccountFields(**values), by=None)  # type: ignore[arg-type]


def trail(account: ChannelAccount, action: str) -> list[AuditEntry]:
    found = select(AuditEntry).where(
        AuditEntry.action == action, AuditEntry.object_id == account.id
    )
    return list(session.scalars(found))


class TestJudging:
    def test_every_kind_becomes_what_channels_read(self):
        found = judged()
        assert found.settings == {
            "app": "app-1",
            "base_url": "https://93.184.216.34",
            "agents": ["ann", "bob", "zhang"],
            "hours": 24,
            "kind": "b",
            "loud": False,
        }
        assert found.secrets == {"secret": "hush hush"}
        assert "hush" not in repr(found)

    def test_all_faults_are_told_at_once(self):
        told = faults(app=" ", secret="", hours="two", kind="c", base_url="carrier.example")
        assert told == {
            "app": "needed",
            "secret": "needed",
            "hours": "bad_number",
            "kind": "bad_choice",
            "base_url": "bad_address",
        }

    @pytest.mark.parametrize("number", ["-1", "1.5", "٣", "1e3", "9" * 30])
    def test_odd_numbers(self, number):
        assert faults(hours=number) == {"hours": "bad_number"}

    @pytest.mark.parametrize(
        "address",
        [
            "http://127.0.0.1:6379",
            "http://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "http://2130706433/",
            "https://user:word@carrier.example",
            "http://localhost:8000",
        ],
    )
    def test_private_addresses_may_not_be_called(self, address):
        assert faults(base_url=address) == {"base_url": "address_not_allowed"}

    def test_a_secret_that_is_an_address_is_judged_as_one(self):
        assert faults(secret="http://10.0.0.1/hook?key=1") == {"secret": "address_not_allowed"}

    @pytest.mark.parametrize(
        "address", ["ftp://carrier.example", "javascript:alert(1)", "https://"]
    )
    def test_what_is_no_address(self, address):
        assert faults(base_url=address) == {"base_url": "bad_address"}

    def test_no_transaction_is_open_while_names_are_looked_up(self):
        with pytest.raises(RuntimeError), transaction():
            judged()

    def test_too_much_text(self):
        assert faults(app="x" * 2001) == {"app": "too_long"}


class TestKeeping:
    def test_secrets_are_sealed_and_settings_readable(self):
        account = added()
        assert account.settings["app"] == "app-1"
        assert "hush" not in account.sealed
        assert sealing.unseal(account.sealed) == {"secret": "hush hush"}
        assert account.secrets_changed_at is not None

    def test_an_empty_secret_keeps_the_old_one(self):
        account = added()
        since = account.secrets_changed_at
        own = credentials.judged(
            CHANNELS.get("curious"), GIVEN | {"secret": "", "app": "app-2"}, kept={"secret"}
        )
        changed(account, own=own)
        assert sealing.unseal(account.sealed) == {"secret": "hush hush"}
        assert account.settings["app"] == "app-2"
        assert account.secrets_changed_at == since

    def test_a_secret_can_be_replaced_and_another_thrown_away(self):
        account = added(own=judged(spare="second"))
        changed(account, own=judged(secret="new"), forgotten=["spare"])
        assert sealing.unseal(account.sealed) == {"secret": "new"}

    def test_settings_of_no_field_survive(self):
        account = make.account(channel="sandbox", settings={"script": "ok", "endpoint": "x"})
        changed(account, own=Judged({}, {}))
        assert account.settings == {"script": "ok", "endpoint": "x"}

    def test_a_setting_that_was_emptied_is_gone(self):
        account = added()
        changed(account, own=judged(agents=""))
        assert "agents" not in account.settings

    def test_nothing_said_changes_nothing(self):
        account = added()
        before = (dict(account.settings), account.sealed)
        changed(account, name="Another name")
        assert (account.settings, account.sealed) == before

    def test_the_trail_names_fields_and_never_values(self):
        account = added()
        changed(account, own=judged(secret="fresh water", app="app-9"))
        (entry,) = trail(account, "account.changed")
        assert entry.detail == {"fields": ["app", "secret"]}
        told = [str(one.detail) for one in session.scalars(select(AuditEntry))]
        assert not any("hush" in one or "fresh" in one for one in told)

    def test_what_cannot_be_opened_stays_until_it_is_entered_again(self):
        account = added()
        with transaction():
            account.sealed = lost = "gAAAAA-sealed-with-a-lost-key"
        changed(account, name="Renamed", own=Judged(dict(account.settings), {}))
        assert account.sealed == lost
        changed(account, own=judged(secret="again"))
        assert sealing.unseal(account.sealed) == {"secret": "again"}


class TestPace:
    def test_the_channels_own_limit_is_the_default_and_the_most(self):
        assert added().per_minute == 20
        with pytest.raises(Invalid) as told:
            added(per_minute=21)
        assert told.value.fields["per_minute"].params == {"fastest": 20}
        assert added(per_minute=5).per_minute == 5

    def test_a_channel_without_one_gets_the_usual(self):
        assert added(channel="reader", own=None).per_minute == accounts.USUAL


class TestReconnecting:
    def test_history_stays_and_what_the_old_credentials_got_does_not(self):
        account = added()
        publication = approved(account=account)
        for realm in ("curious:app-1", "curious:app-1:digest", "curious:other"):
            tokens.token(realm, lambda: Fresh("old", timedelta(hours=2)))
        uploads.reference("curious:app-1", "a" * 64, "post", lambda: Uploaded("old"))
        own = judged(app="app-2", secret="new")
        with transaction():
            account.last_fault, account.is_paused = "refused", True
            accounts.reconnect(account, own, by=None)
        assert publication.account_id == account.id
        assert sealing.unseal(account.sealed) == {"secret": "new"}
        assert tokens.expires_at("curious:app-1") is None
        assert tokens.expires_at("curious:other") is not None
        assert uploads.held(accounts.realm_of(account) or "") == 0
        assert (account.last_fault, account.is_paused) == ("", True)
        (entry,) = trail(account, "account.reconnected")
        assert entry.detail == {"fields": ["app", "secret"]}

    def test_no_secret_of_the_old_connection_is_left(self):
        account, own = added(own=judged(spare="second")), judged(secret="new")
        with transaction():
            accounts.reconnect(account, own, by=None)
        assert sealing.unseal(account.sealed) == {"secret": "new"}

    def test_a_lost_key_is_overcome(self):
        account, own = added(), judged()
        with transaction():
            account.sealed = "gAAAAA-lost"
        assert credentials.opened(account) is None
        with transaction():
            accounts.reconnect(account, own, by=None)
        assert credentials.opened(account) == {"secret": "hush hush"}

    def test_changing_a_secret_forgets_the_token_too(self):
        account = added()
        tokens.token("curious:app-1", lambda: Fresh("old", timedelta(hours=2)))
        changed(account, name="Renamed", own=judged())
        assert tokens.expires_at("curious:app-1") is not None, "nothing changed at the carrier"
        changed(account, own=judged(secret="new"))
        assert tokens.expires_at("curious:app-1") is None


class TestRetiring:
    def test_a_retired_account_is_offered_no_more_and_can_come_back(self):
        account = added()
        with transaction():
            accounts.retire(account, by=None)
        assert account.is_paused
        assert session.scalars(accounts.in_service()).all() == []
        assert session.scalars(accounts.in_order()).all() == [account]
        with transaction():
            accounts.resume(account, by=make.user(Role.ADMINISTRATOR))
        assert session.scalars(accounts.in_service()).all() == [account]

    def test_not_while_posts_are_under_way(self):
        account = added()
        approved(account=account)
        with pytest.raises(Conflict) as told, transaction():
            accounts.retire(account, by=None)
        assert told.value.problem.params == {"count": 1}


def test_pausing_says_why():
    account = added()
    with transaction():
        accounts.pause(account, by=make.user(), reason="  Rotating\nkeys ")
    (entry,) = trail(account, "account.paused")
    assert entry.detail == {"reason": "Rotating keys"}


def test_a_fault_is_kept_with_its_parts_for_the_other_language(monkeypatch):
    def refuse(self, envelope):
        raise Refused(Sentence("Refused by %(carrier)s.", {"carrier": "Curious"}))

    monkeypatch.setattr(Curious, "deliver", refuse)
    account = added()
    publication = approved(account=account)
    publishing.publish(publication.id, worker="here")
    session.refresh(account)
    assert account.last_fault == "Refused by Curious."
    assert account.fault_parts == {
        "message": "Refused by %(carrier)s.",
        "params": {"carrier": "Curious"},
    }
