"""A channel account is chosen and filled in: what is asked, kept, refused."""

import base64

import pytest

from cms.core import sealing, signing
from cms.core.db import session
from schedules import credentials
from schedules.channels import CHANNELS
from schedules.models import ChannelAccount
from tests import factories
from tests.web.accounts.forms import LIST, NEW, form, own, saved
from tests.web.reading import parsed, read


class TestChoosing:
    def test_every_channel_says_what_it_takes_and_needs(self, client, admin, channel):
        page = read(client, NEW)
        card = page.find("a", href=f"{NEW}/curious").find_parent("li")
        assert "Takes text, pictures, links." in card.text
        assert channel.needs in card.text

    def test_an_unknown_channel_is_no_page(self, client, admin):
        assert client.get(f"{NEW}/pigeon").status_code == 404


class TestForm:
    def test_an_account_is_added_with_its_pools(self, client, admin):
        pool = factories.pool()
        assert client.post(f"{NEW}/reader", data=form(pool)).status_code == 302
        account = saved()
        assert (account.name, account.per_minute, account.pools) == ("Groups", 20, [pool])
        assert account.channel == "reader"
        assert "Groups" in client.get(LIST).text

    def test_it_asks_what_the_channel_asks(self, client, admin, channel):
        page = read(client, f"{NEW}/curious")
        labels = {one.get_text(strip=True).removesuffix("optional") for one in page.select("label")}
        assert {"App", "Secret", "Address", "Employees", "Hours", "Kind", "Loud"} <= labels
        assert page.find(id="own_hours")["value"] == "24"
        assert page.find(id="own_loud").has_attr("checked")
        assert page.find(id="per_minute")["value"] == "20"
        assert page.find(id="own_secret")["type"] == "password"

    def test_what_was_given_is_kept_as_the_channel_reads_it(self, ours):
        assert ours.settings == {
            "app": "app-1",
            "base_url": "https://93.184.216.34",
            "agents": ["ann", "bob"],
            "hours": 12,
            "kind": "b",
            "loud": False,
        }
        assert sealing.unseal(ours.sealed) == {"secret": "hush hush"}

    def test_faults_stand_beside_their_fields(self, client, admin, channel):
        data = own(factories.pool(), own_app="", own_hours="x", own_base_url="http://10.0.0.1")
        answer = client.post(f"{NEW}/curious", data=data)
        page = parsed(answer)
        assert answer.status_code == 422
        for name in ("own_app", "own_hours", "own_base_url"):
            assert page.find(id=f"{name}-error"), name
        assert page.find(id="own_agents").text.split() == ["ann", "bob"]
        assert session.query(ChannelAccount).count() == 0

    @pytest.mark.parametrize("limit", ["0", "-1", "many", "1000000", "21"])
    def test_bad_limits_are_refused(self, client, admin, channel, limit):
        answer = client.post(f"{NEW}/curious", data=own(factories.pool(), per_minute=limit))
        assert answer.status_code == 422
        assert parsed(answer).find(id="per_minute-error")
        assert session.query(ChannelAccount).count() == 0

    def test_an_account_keeps_its_channel(self, client, admin):
        pool = factories.pool()
        account = factories.account(pool)
        data = form(pool, channel="manual")
        assert client.post(f"{LIST}/{account.id}/edit", data=data).status_code == 422
        assert account.channel == "reader"

    def test_settings_of_no_field_survive_a_save(self, client, admin):
        pool = factories.pool()
        settings = {"script": ["ok", "reject"], "class": "N", "endpoint": "http://127.0.0.1:9"}
        account = factories.account(pool, channel="sandbox", settings=settings)
        page = read(client, f"{LIST}/{account.id}/edit")
        kept = {
            one["name"]: one.get("value", "")
            for one in page.select("main form input[name^=own_]")
            if one.get("type") != "checkbox" or one.has_attr("checked")
        }
        data = form(pool, name="Renamed", **kept)
        assert client.post(f"{LIST}/{account.id}/edit", data=data).status_code == 302
        assert account.name == "Renamed"
        assert {name: account.settings.get(name) for name in ("script", "class")} == {
            name: settings[name] for name in ("script", "class")
        }


@pytest.mark.parametrize("field", ["secret", "previous_secret"])
def test_a_short_signing_secret_is_told_beside_its_field(client, admin, field):
    """Written so that it looks like one, and of sixteen bytes: no receiver of the standard takes it."""
    given = {"own_url": "https://a.example/hook", "own_secret": signing.new_secret()}
    given[f"own_{field}"] = "whsec_" + base64.b64encode(b"sixteen bytes!!!").decode()
    answer = client.post(f"{NEW}/webhook", data=form(factories.pool(), **given))
    assert answer.status_code == 422
    assert "24 to 64 bytes" in parsed(answer).find(id=f"own_{field}-error").text


class TestKeysOfCallbacks:
    @pytest.mark.parametrize("key", ["short", "k" * 42, "k" * 44, "k" * 42 + "="])
    def test_a_bad_key_is_told_beside_its_field(self, client, admin, key):
        given = {"own_corpid": "ww1", "own_corpsecret": "s", "own_senders": "lina"}
        given |= {"own_base_url": "https://qyapi.weixin.qq.com", "own_callback_key": key}
        answer = client.post(f"{NEW}/wecom_mass", data=form(factories.pool(), **given))
        assert answer.status_code == 422
        assert "43 letters and digits" in parsed(answer).find(id="own_callback_key-error").text

    def test_a_good_one_is_taken(self, app):
        channel = CHANNELS.get("wecom_mass")
        given = {"corpid": "ww1", "corpsecret": "s", "senders": "lina", "callback_key": "k" * 43}
        assert credentials.judged(channel, given).secrets["callback_key"] == "k" * 43
