"""What an Official Account refuses: each code in words, and its tokens renewed once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import addressing
from schedules.channels import CHANNELS, oa_codes, oa_publish
from schedules.channels.official_account import Api
from schedules.models import HandOver
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests.schedules.channels.oa_desk import Desk


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "outcome", "pauses"),
        [
            (45009, Outcome.NOT_SENT, False),
            (45011, Outcome.NOT_SENT, False),
            (53501, Outcome.NOT_SENT, False),
            (53503, Outcome.REJECTED, False),
            (45003, Outcome.REJECTED, False),
            (99999, Outcome.REJECTED, False),
            (40164, Outcome.REJECTED, True),
            (40013, Outcome.REJECTED, True),
            (48004, Outcome.REJECTED, True),
            (-1, Outcome.UNCERTAIN, False),
        ],
    )
    def test_each_code_becomes_its_outcome(
        self, desk: Desk, code: int, outcome: Outcome, pauses: bool
    ) -> None:
        desk.script("/freepublish/submit", f"errcode:{code}")
        publication = desk.publish()
        attempt = publication.attempts[0]
        assert (attempt.outcome, publication.account.is_paused) == (outcome, pauses)
        assert attempt.detail["reason"]

    def test_the_days_share_used_up_waits_for_the_next_day(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "errcode:45009")
        publication = desk.publish()
        wait = publication.account.blocked_until - now()
        assert timedelta(minutes=4) < wait <= timedelta(hours=6)  # the ledger's longest

    @pytest.mark.parametrize("code", [48001, 53504, 53505])
    def test_what_only_the_console_can_do_becomes_a_persons_task(
        self, desk: Desk, code: int
    ) -> None:
        if code == 48001:
            desk.control("switch", unverified=True)
        else:
            desk.control("switch", submit=code)
        publication = desk.publish()
        assert publication.state is State.HANDED_OVER
        assert publication.reason == oa_codes.BY_HAND
        assert publication.poll_at is None
        assert session.scalar(select(func.count()).select_from(HandOver)) == 1
        assert len(desk.carrier.book.all("draft")) == 1
        assert desk.shown() == []

    def test_a_wrong_secret_pauses_the_account(self, desk: Desk) -> None:
        with transaction():
            desk.account.settings = {**desk.account.settings, "appid": "wx-none"}
        publication = desk.publish()
        assert publication.account.is_paused
        assert publication.account.last_fault == oa_codes.WRONG_APP

    def test_a_server_that_is_not_listed_is_told_so(self, desk: Desk) -> None:
        desk.control("switch", blocks_address=True)
        assert CHANNELS.get("oa_publish").try_out(addressing.way_of(desk.account)) == (
            oa_codes.NOT_LISTED
        )

    def test_the_test_button_tells_what_works(self, desk: Desk) -> None:
        channel, way = CHANNELS.get("oa_publish"), addressing.way_of(desk.account)
        assert channel.try_out(way) == ""
        desk.control("switch", unverified=True)
        assert channel.try_out(way) == oa_publish.DRAFTS_ONLY


class TestTokens:
    @pytest.mark.parametrize("code", [40001, 40014, 42001])
    def test_a_refused_one_is_renewed_once_and_the_call_repeated_once(
        self, desk: Desk, code: int
    ) -> None:
        desk.script("/draft/add", f"errcode:{code}", "ok")
        assert desk.publish().state is State.HANDED_OVER

    def test_one_voided_early_is_forced_anew(self, desk: Desk) -> None:
        desk.publish()
        desk.control("void_token")
        assert desk.publish().state is State.HANDED_OVER

    def test_one_refused_for_ever_pauses_the_account(self, desk: Desk) -> None:
        desk.script("/draft/add", "errcode:40001")
        publication = desk.publish()
        assert publication.account.is_paused

    def test_the_submit_is_repeated_after_a_refused_token(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "errcode:42001", "ok")
        assert desk.publish().state is State.HANDED_OVER
        desk.wait(seconds=20)
        assert len(desk.shown()) == 1

    def test_no_secret_stands_in_the_attempt_log(self, desk: Desk) -> None:
        publication = desk.publish()
        told = str(publication.attempts[0].detail)
        token = desk.carrier.book.get("current", "stable")
        for secret in (token, "d3m0d3m0"):
            assert secret not in told
        assert "freepublish/submit" in told

    def test_another_secret_is_another_realm(self, desk: Desk) -> None:
        way = addressing.way_of(desk.account)
        one = Api.through(way).realm
        assert one.startswith(f"oa:{desk.account.settings['appid']}:")
        assert Api.through(replace(way, secrets={"appsecret": "other"})).realm != one


def test_the_plain_token_voids_its_predecessor_and_leaves_the_stable_one(desk: Desk) -> None:
    """What the product avoids by using the stable one."""
    desk.publish()

    def plain() -> str:
        query = {
            "grant_type": "client_credential",
            "appid": desk.account.settings["appid"],
            "secret": "d3m0" * 8,
        }
        request = Request(EnvironBuilder(query_string=query).get_environ())
        return str(desk.carrier.plain_token(request).get_json()["access_token"])

    first, second = plain(), plain()
    kept = desk.carrier.book
    assert kept.get("token", first).get("is_void")
    assert not kept.get("token", second).get("is_void")
    assert not kept.get("token", kept.get("current", "stable")).get("is_void")
