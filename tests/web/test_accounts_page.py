"""Channel accounts: chosen, filled in, tested, paused, reconnected; secrets go in and never come out."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from cms.accounts import audit
from cms.accounts.models import AuditEntry, Role
from cms.core import sealing
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import TryAgain
from schedules import credentials, trials
from schedules.channels import CHANNELS
from schedules.models import ChannelAccount, EmployeeTask, Stop
from schedules.states import PublicationState, StopScope
from tests import factories
from tests.schedules.carriers_given import Curious, curious
from tests.schedules.ready import approved
from tests.signing_in import sign_in

LIST = "/settings/accounts"
NEW = "/settings/accounts/new"


@pytest.fixture
def admin(client):
    user = factories.user(Role.ADMINISTRATOR, name="Ada")
    sign_in(client, user)
    return user


@pytest.fixture
def channel() -> Iterator[type[Curious]]:
    with curious() as member:
        yield member


def form(pool, **fields):
    values = {"name": "Groups", "persona_id": "0", "per_minute": "20"}
    return values | {"pool_ids": [pool.id]} | fields


def own(pool, **fields):
    given = {"own_app": "app-1", "own_secret": "hush hush", "own_kind": "b", "own_hours": "12"}
    return form(pool, **(given | {"own_base_url": "", "own_agents": "ann\nbob"} | fields))


def page_of(answer):
    return BeautifulSoup(answer.text, "html.parser")


def saved() -> ChannelAccount:
    return session.query(ChannelAccount).one()


@pytest.fixture
def ours(client, admin, channel) -> ChannelAccount:
    """An account of the curious channel, made through its form."""
    answer = client.post(f"{NEW}/curious", data=own(factories.pool()))
    assert answer.status_code == 302
    return saved()


def text_of(client, account) -> str:
    found = page_of(client.get(f"{LIST}/{account.id}")).find("main")
    text = " ".join(found.get_text(" ", strip=True).split())
    return re.sub(r" (?=[;.,)])|(?<=[(]) ", "", text)


class TestChoosing:
    def test_every_channel_says_what_it_takes_and_needs(self, client, admin, channel):
        page = page_of(client.get(NEW))
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
        page = page_of(client.get(f"{NEW}/curious"))
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
        page = page_of(answer)
        assert answer.status_code == 422
        for name in ("own_app", "own_hours", "own_base_url"):
            assert page.find(id=f"{name}-error"), name
        assert page.find(id="own_agents").text.split() == ["ann", "bob"]
        assert session.query(ChannelAccount).count() == 0

    @pytest.mark.parametrize("limit", ["0", "-1", "many", "1000000", "21"])
    def test_bad_limits_are_refused(self, client, admin, channel, limit):
        answer = client.post(f"{NEW}/curious", data=own(factories.pool(), per_minute=limit))
        assert answer.status_code == 422
        assert page_of(answer).find(id="per_minute-error")
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
        page = page_of(client.get(f"{LIST}/{account.id}/edit"))
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
        page = page_of(client.get(f"{LIST}/{ours.id}/edit"))
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


class TestCondition:
    def test_paused_by_whom_and_why(self, client, ours):
        client.post(f"{LIST}/{ours.id}/pause", data={"reason": "Keys change today"})
        assert ours.is_paused
        assert "Paused By Ada" in text_of(client, ours)
        assert "Keys change today" in text_of(client, ours)
        client.post(f"{LIST}/{ours.id}/resume")
        assert not ours.is_paused
        assert "Not used yet" in text_of(client, ours)

    def test_refused_by_the_carrier(self, client, ours):
        with transaction():
            ours.is_paused, ours.last_fault = True, "invalid credential"
            audit.record("channel_account.paused", ours, by=None, reason="invalid credential")
        assert "Refused by the carrier" in text_of(client, ours)
        assert "invalid credential" in text_of(client, ours)
        assert "reconnect" in text_of(client, ours)

    def test_stopped(self, client, ours):
        with transaction():
            session.add(Stop(scope=StopScope.ALL, reason="Wrong price everywhere", at=now()))
        assert "Stopped" in text_of(client, ours)
        assert "Wrong price everywhere" in text_of(client, ours)

    def test_secrets_that_cannot_be_opened(self, client, ours):
        with transaction():
            ours.sealed = "gAAAAA-sealed-with-a-lost-key"
        assert "Secrets cannot be opened" in text_of(client, ours)
        assert "Secrets cannot be opened" in client.get(LIST).text
        data = own(factories.pool(), own_secret="")
        assert client.post(f"{LIST}/{ours.id}/edit", data=data).status_code == 422

    def test_waiting_for_the_carrier_and_the_last_fault(self, client, ours):
        with transaction():
            ours.blocked_until, ours.last_fault = now() + timedelta(minutes=9), "Too many calls"
            ours.last_fault_at = now()
        assert "Waits for the carrier" in text_of(client, ours)
        assert "0 now, 20 a minute" in text_of(client, ours)
        with transaction():
            ours.blocked_until = None
        assert "The last try failed" in text_of(client, ours)
        assert "Too many calls" in text_of(client, ours)
        assert "3 now, 20 a minute" in text_of(client, ours)

    def test_resuming_tells_what_waits(self, client, ours):
        approved(account=ours)
        late = approved(account=ours)
        with transaction():
            ours.is_paused = True
            late.late_after = now() - timedelta(seconds=1)
        assert "1 due post goes out; 1 would be missed" in text_of(client, ours)

    def test_what_goes_out_and_what_went(self, client, ours):
        planned = approved(account=ours, publish_at=now() + timedelta(hours=3))
        done, failed = approved(account=ours), approved(account=ours)
        with transaction():
            done.state, done.published_at = PublicationState.PUBLISHED, now()
            failed.state, failed.reason = PublicationState.FAILED, "The carrier refused it."
            failed.updated_at = now()
        page = page_of(client.get(f"{LIST}/{ours.id}"))
        nexts = page.find("section", {"aria-label": "Goes out next"})
        lasts = page.find("section", {"aria-label": "Went out last"})
        assert [one["href"] for one in nexts.select("a")] == [f"/today/publications/{planned.id}"]
        assert {one["href"] for one in lasts.select("a")} == {
            f"/today/publications/{one.id}" for one in (done, failed)
        }
        assert "The carrier refused it." in lasts.text
        bars = page.select(".day-bars__plot rect")
        assert [one["class"] for one in bars] == [["day-bars__published"], ["day-bars__failed"]]

    def test_employees_who_have_not_confirmed(self, client, ours):
        given = approved(account=ours)
        with transaction():
            given.state = PublicationState.HANDED_OVER
            for name in ("ann", "bob"):
                session.add(EmployeeTask(publication_id=given.id, employee=name, updated_at=now()))
        assert "2 employees have not confirmed yet (2 tasks)." in text_of(client, ours)


class TestTesting:
    def test_what_works_says_so(self, client, ours):
        with transaction():
            ours.is_paused = True
        assert client.post(f"{LIST}/{ours.id}/test").status_code == 302
        assert (ours.test_result, ours.is_paused) == ("", True)
        assert "the connection works" in text_of(client, ours)

    def test_what_fails_says_why_and_pauses_nothing(self, client, ours, channel):
        def away(way):
            assert way.secrets == {"secret": "hush hush"}
            raise TryAgain("Nobody answers there.")

        channel.says = staticmethod(away)
        client.post(f"{LIST}/{ours.id}/test")
        assert (ours.test_result, ours.is_paused) == ("Nobody answers there.", False)
        assert "Nobody answers there." in text_of(client, ours)

    def test_no_transaction_is_open_meanwhile(self, client, ours, channel):
        seen = []
        channel.says = staticmethod(lambda way: seen.append("effects" in session.info) or "")
        client.post(f"{LIST}/{ours.id}/test")
        assert seen == [False]

    def test_a_carrier_that_hangs_is_left_alone(self, ours, channel):
        released = threading.Event()
        channel.says = staticmethod(lambda way: str(released.wait(5)))
        assert trials.try_out(ours.id, by=None, seconds=0.2).startswith(
            "The carrier gave no answer"
        )
        released.set()
        assert ours.tested_at is not None

    def test_secrets_that_cannot_be_opened_are_told(self, client, ours):
        with transaction():
            ours.sealed = "gAAAAA-lost"
        client.post(f"{LIST}/{ours.id}/test")
        assert "cannot be opened" in ours.test_result


class TestRetiring:
    def test_not_while_posts_are_under_way(self, client, ours):
        approved(account=ours)
        client.post(f"{LIST}/{ours.id}/retire")
        assert ours.retired_at is None
        assert "1 posts are still under way" in client.get(f"{LIST}/{ours.id}").text

    def test_it_is_offered_no_more(self, client, ours):
        client.post(f"{LIST}/{ours.id}/retire")
        assert ours.retired_at is not None
        assert "Retired" in text_of(client, ours)
        slots = page_of(client.get("/calendar/slots"))
        assert slots.find("option", string="Groups") is None


class TestPermissions:
    @pytest.mark.parametrize("role", [Role.PLANNER, Role.OPERATOR, Role.ANALYST])
    def test_others_look_and_touch_nothing(self, client, role):
        account = factories.account()
        sign_in(client, factories.user(role))
        assert page_of(client.get(f"{LIST}/{account.id}")).select("main form") == []
        for act in ("test", "pause", "resume", "retire", "edit", "reconnect"):
            assert client.post(f"{LIST}/{account.id}/{act}").status_code == 403


class TestQuestions:
    def test_the_list_asks_as_few_for_twenty_as_for_one(self, client, admin, count_queries):
        for number in range(20):
            account = factories.account(factories.pool(), is_paused=number % 2 == 0)
            factories.post(account=account, pool=account.pools[0])
        with count_queries() as statements:
            client.get(LIST)
        assert len(statements) <= 13

    def test_the_page_asks_as_few_for_many_posts_as_for_none(self, client, ours, count_queries):
        for _ in range(8):
            approved(account=ours)
        with count_queries() as statements:
            client.get(f"{LIST}/{ours.id}")
        assert len(statements) <= 20


class TestWhatOnlyAPostCanProve:
    @pytest.mark.parametrize(
        ("slug", "secret"),
        [
            ("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/1111-2222-3333"),
            ("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=abcdefgh12345678"),
        ],
    )
    def test_it_is_a_remark_and_no_fault(self, client, admin, slug, secret):
        way = factories.account(channel=slug)
        with transaction():
            way.sealed = sealing.seal({"webhook": secret})
        client.post(f"{LIST}/{way.id}/test")
        flash = page_of(client.get(f"{LIST}/{way.id}")).select_one(".flash")
        assert "only a post will prove them" in flash.text
        assert "flash--warning" not in flash["class"]
        assert way.test_result == ""
        text = text_of(client, way)
        assert "only a post will prove them" in text
        assert "the connection works" not in text


class TestKeysOfCallbacks:
    @pytest.mark.parametrize("key", ["short", "k" * 42, "k" * 44, "k" * 42 + "="])
    def test_a_bad_key_is_told_beside_its_field(self, client, admin, key):
        given = {"own_corpid": "ww1", "own_corpsecret": "s", "own_senders": "lina"}
        given |= {"own_base_url": "https://qyapi.weixin.qq.com", "own_callback_key": key}
        answer = client.post(f"{NEW}/wecom_mass", data=form(factories.pool(), **given))
        assert answer.status_code == 422
        assert "43 letters and digits" in page_of(answer).find(id="own_callback_key-error").text

    def test_a_good_one_is_taken(self, app):
        channel = CHANNELS.get("wecom_mass")
        given = {"corpid": "ww1", "corpsecret": "s", "senders": "lina", "callback_key": "k" * 43}
        assert credentials.judged(channel, given).secrets["callback_key"] == "k" * 43
