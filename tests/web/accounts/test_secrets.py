"""Secrets of channel accounts go in and never come out."""

from datetime import timedelta

from cms.accounts.models import AuditEntry
from cms.core import sealing
from cms.core.clock import now
from cms.core.db import session, transaction
from tests import factories
from tests.web.accounts.forms import LIST, own
from tests.web.reading import read


class TestSecrets:
    def test_no_page_shows_one(self, client, ours):
        for path in ("", "/edit", "/reconnect"):
            answer = client.get(f"{LIST}/{ours.id}{path}")
            assert answer.status_code == 200
            assert "hush" not in answer.text
            assert ours.sealed not in answer.text
        assert "hush" not in client.get(LIST).text

    def test_not_even_when_the_form_comes_back(self, client, ours):
        data = own(factories.pool(), name="", own_secret="typed just now")
        answer = client.post(f"{LIST}/{ours.id}/edit", data=data)
        assert answer.status_code == 422
        assert "typed just now" not in answer.text

    def test_it_says_that_one_is_stored_and_since_when(self, client, ours):
        with transaction():
            ours.secrets_changed_at = now() - timedelta(days=3)
        page = read(client, f"{LIST}/{ours.id}/edit")
        assert "Stored, changed 3 days ago" in page.find(id="own_secret-hint").text
        assert page.find(id="own_spare-hint") is None

    def test_an_empty_one_keeps_it_and_a_new_one_replaces_it(self, client, ours):
        pool = factories.pool()
        client.post(f"{LIST}/{ours.id}/edit", data=own(pool, own_secret="", name="Renamed"))
        session.refresh(ours)
        assert (ours.name, sealing.unseal(ours.sealed)) == ("Renamed", {"secret": "hush hush"})
        client.post(f"{LIST}/{ours.id}/edit", data=own(pool, own_secret="fresh"))
        session.refresh(ours)
        assert sealing.unseal(ours.sealed) == {"secret": "fresh"}

    def test_an_optional_one_can_be_thrown_away(self, client, ours):
        pool = factories.pool()
        client.post(f"{LIST}/{ours.id}/edit", data=own(pool, own_spare="second"))
        session.refresh(ours)
        assert sealing.unseal(ours.sealed)["spare"] == "second"
        client.post(f"{LIST}/{ours.id}/edit", data=own(pool, own_secret="", forget_spare="y"))
        session.refresh(ours)
        assert sealing.unseal(ours.sealed) == {"secret": "hush hush"}

    def test_reconnecting_asks_for_all_anew(self, client, ours):
        data = {"own_app": "app-2", "own_kind": "a", "own_secret": ""}
        assert client.post(f"{LIST}/{ours.id}/reconnect", data=data).status_code == 422
        data["own_secret"] = "fresh"
        assert client.post(f"{LIST}/{ours.id}/reconnect", data=data).status_code == 302
        session.refresh(ours)
        assert (ours.settings["app"], sealing.unseal(ours.sealed)) == ("app-2", {"secret": "fresh"})
        assert "fresh" not in str([entry.detail for entry in session.query(AuditEntry)])
