"""A channel account's page: its condition, its trial, what goes out, and who may touch it."""

import threading
from datetime import timedelta

import pytest

from cms.accounts import audit
from cms.accounts.models import Role
from cms.core import sealing
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import TryAgain
from schedules import trials
from schedules.models import EmployeeTask, Stop
from schedules.states import PublicationState, StopScope
from tests import factories
from tests.schedules.ready import approved
from tests.signing_in import sign_in
from tests.web.accounts.forms import LIST, own, text_of
from tests.web.reading import read


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
        page = read(client, f"{LIST}/{ours.id}")
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
        slots = read(client, "/calendar/slots")
        assert slots.find("option", string="Groups") is None


class TestPermissions:
    @pytest.mark.parametrize("role", [Role.PLANNER, Role.OPERATOR, Role.ANALYST])
    def test_others_look_and_touch_nothing(self, client, role):
        account = factories.account()
        sign_in(client, factories.user(role))
        assert read(client, f"{LIST}/{account.id}").select("main form") == []
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
        flash = read(client, f"{LIST}/{way.id}").select_one(".flash")
        assert "only a post will prove them" in flash.text
        assert "flash--warning" not in flash["class"]
        assert way.test_result == ""
        text = text_of(client, way)
        assert "only a post will prove them" in text
        assert "the connection works" not in text


def test_limits_left_tell_what_the_carrier_counts(client, admin):
    sorts = {"subscription": "1 of 1 left today", "service": "4 of 4 left this month"}
    for sort, words in sorts.items():
        settings = {"appid": f"wx-{sort}", "account_type": sort, "cover_media_id": "standing"}
        way = factories.account(channel="oa_mass", settings=settings)
        assert words in text_of(client, way)
