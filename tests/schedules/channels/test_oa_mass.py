"""Mass sending by an Official Account: one key, one message, however often it is tried."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.demo.carriers.official_account import OfficialAccount
from cms.demo.carriers.official_account_tokens import APPID, SECRET
from cms.demo.carriers.serving import Carriers, in_a_thread
from schedules import addressing, late
from schedules.channels import CHANNELS, calling, oa_codes, oa_mass
from schedules.channels.base import Confirmation, Standing
from schedules.channels.official_account import Api
from schedules.content import outgoing
from schedules.envelopes import Way
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.demo_carriers import Start
from tests.schedules.channels.oa_desk import Desk, covered, picture
from tests.schedules.side_by_side import in_threads

MASS = "/mass/sendall"
PATH = "/cgi-bin/message/mass/sendall"
SECRETS = {"appsecret": SECRET}


@pytest.fixture
def desk(start_carriers: Start) -> Desk:
    desk = Desk(start_carriers, "oa_mass", account_type="service")
    desk.control("switch", kind="service")
    return desk


def sent(desk: Desk) -> list[dict[str, Any]]:
    return desk.shown("mass_sent")


class TestTheWayToFollowers:
    def test_an_article_goes_as_its_draft_and_is_live_when_sent(self, desk: Desk) -> None:
        asset = covered(make.asset(title="To all"), picture("navy"))
        publication = desk.publish(asset=asset)
        assert publication.state is State.HANDED_OVER
        assert desk.ask(publication).state is State.HANDED_OVER
        desk.wait(seconds=20)
        assert desk.ask(publication).state is State.PUBLISHED
        assert [one["title"] for one in sent(desk)] == ["To all"]

    def test_pictures_and_words_go_as_they_are(self, desk: Desk) -> None:
        poster = make.asset(kind="poster", html="")
        desk.live(asset=poster, media_ids=[picture().id], text="Look")
        words = desk.live(asset=make.asset(kind="note", html=""), text="Only words")
        kinds = [one["kind"] for one in desk.carrier.book.all("message").values()]
        assert kinds == ["image", "text"]
        assert words.state is State.PUBLISHED
        rendered = CHANNELS.get("oa_mass").render(outgoing(words.post))
        assert rendered.text == f"Only words\n{outgoing(words.post).link}"

    @pytest.mark.parametrize(
        ("choice", "marks"), [("no", (0, 0)), ("all", (1, 0)), ("fans", (1, 1))]
    )
    def test_comments_on_pictures_are_open_as_the_account_says(
        self, start_carriers: Start, choice: str, marks: tuple[int, int]
    ) -> None:
        desk = Desk(start_carriers, "oa_mass", open_comments=choice)
        poster = make.asset(kind="poster", html="")
        publication = desk.publish(asset=poster, media_ids=[picture().id])
        asked = str(publication.attempts[0].detail["calls"])
        for name, mark in zip(("need_open_comment", "only_fans_can_comment"), marks, strict=True):
            assert f'"{name}": {mark}' in asked

    def test_words_alone_need_no_cover(self, start_carriers: Start) -> None:
        desk = Desk(start_carriers, "oa_mass", cover_media_id="")
        post = make.post(account=desk.account, asset=make.asset(kind="note", html=""))
        assert CHANNELS.get("oa_mass").problems(outgoing(post)) == []

    def test_a_failed_one_says_so(self, desk: Desk) -> None:
        desk.control("switch", mass_verdict="send fail")
        assert desk.live().state is State.FAILED

    def test_a_tag_is_named_to_the_carrier_and_missed_beforehand(
        self, start_carriers: Start
    ) -> None:
        desk = Desk(start_carriers, "oa_mass", audience="tag", tag_id="12")
        publication = desk.publish()
        assert '"tag_id": 12' in str(publication.attempts[0].detail["calls"])
        with transaction():
            desk.account.settings = {**desk.account.settings, "tag_id": ""}
        [problem] = CHANNELS.get("oa_mass").problems(outgoing(make.post(account=desk.account)))
        assert problem.code == "tag_missing"


class TestProtection:
    def test_an_administrator_is_waited_for_half_an_hour(self, start_carriers: Start) -> None:
        desk = Desk(start_carriers, "oa_mass", is_protected=True)
        desk.control("switch", protected=True)
        publication = desk.publish()
        assert publication.state is State.HANDED_OVER
        assert publication.confirm_by - publication.attempts[0].started_at < timedelta(minutes=31)
        desk.wait(minutes=10)
        assert desk.ask(publication).state is State.HANDED_OVER
        desk.control("confirm")
        desk.wait(seconds=20)
        assert desk.ask(publication).state is State.PUBLISHED

    def test_unconfirmed_it_fails(self, start_carriers: Start) -> None:
        desk = Desk(start_carriers, "oa_mass", is_protected=True)
        desk.control("switch", protected=True)
        publication = desk.publish()
        desk.wait(minutes=31)
        assert desk.ask(publication).state is State.FAILED
        assert sent(desk) == []

    def test_the_setting_decides_who_is_waited_for(self) -> None:
        channel = CHANNELS.get("oa_mass")
        assert channel.confirmation_for({}) is Confirmation.CARRIER
        assert channel.confirmation_for({"is_protected": True}) is Confirmation.ADMINISTRATOR


class TestAnEmptiedLibrary:
    """Somebody removed the pictures that the account's library had of us."""

    def emptied(self, desk: Desk) -> int:
        media_id = picture().id
        desk.live(asset=make.asset(kind="poster", html=""), media_ids=[media_id])
        desk.control("empty_library")
        return media_id

    def test_pictures_are_put_back_and_sent_once(self, desk: Desk) -> None:
        media_id = self.emptied(desk)
        publication = desk.publish(asset=make.asset(kind="poster", html=""), media_ids=[media_id])
        desk.wait(minutes=2)
        if publication.state is State.SCHEDULED:  # the carrier wanted a minute between
            desk.publish(publication)
        assert publication.state is State.HANDED_OVER
        assert len(publication.attempts) <= 2
        assert len(desk.carrier.book.all("picture")) == 1
        desk.wait(seconds=20)
        assert len(sent(desk)) == 2

    def test_after_silence_the_key_is_known_though_they_are_gone(self, desk: Desk) -> None:
        desk.script(MASS, "reset", "ok")
        poster = make.asset(kind="poster", html="")
        publication = desk.publish(asset=poster, media_ids=[picture().id])
        desk.control("empty_library")
        desk.wait(minutes=2)
        assert desk.publish(publication).state is State.HANDED_OVER
        desk.wait(seconds=20)
        assert len(sent(desk)) == 1


class TestTheKey:
    @pytest.mark.parametrize("word", ["reset", "html", "500"])
    def test_a_try_of_unknown_outcome_is_repeated_with_the_same_key(
        self, desk: Desk, word: str
    ) -> None:
        desk.script(MASS, word, "ok")
        publication = desk.publish()
        assert publication.attempts[0].outcome is Outcome.UNCERTAIN
        desk.wait(minutes=2)
        assert desk.publish(publication).state is State.HANDED_OVER
        desk.wait(seconds=20)
        assert desk.ask(publication).state is State.PUBLISHED
        assert len(sent(desk)) == 1

    def test_the_repeat_gets_the_number_of_the_first(self, desk: Desk) -> None:
        desk.script(MASS, "reset", "ok")
        publication = desk.publish()
        [number] = desk.carrier.book.all("message")
        desk.wait(minutes=2)
        desk.publish(publication)
        assert publication.external_id == number == publication.carrier_facts["msg_id"]

    def test_after_the_draft_was_used_up_the_key_still_finds_the_message(self, desk: Desk) -> None:
        desk.script(MASS, "reset", "ok")
        publication = desk.publish()
        desk.wait(seconds=20)
        assert len(sent(desk)) == 1  # and with it the draft is gone
        desk.wait(minutes=2)
        assert desk.publish(publication).state is State.HANDED_OVER
        assert len(sent(desk)) == 1

    def test_too_quick_a_repeat_waits_a_minute(self, desk: Desk) -> None:
        desk.script(MASS, "errcode:45066", "ok")
        publication = desk.publish()
        attempt = publication.attempts[0]
        assert attempt.outcome is Outcome.NOT_SENT
        assert attempt.detail["reason"] == oa_mass.TOO_SOON
        desk.wait(minutes=2)
        assert desk.publish(publication).state is State.HANDED_OVER

    def test_it_is_never_longer_than_the_carrier_takes(self, desk: Desk) -> None:
        publication = desk.approved()
        with transaction():
            publication.idempotency_key = "k" * 64
        assert desk.publish(publication).state is State.HANDED_OVER


@pytest.mark.parametrize(
    ("code", "outcome", "pauses"),
    [
        (45028, Outcome.NOT_SENT, False),
        (45009, Outcome.NOT_SENT, False),
        (48001, Outcome.REJECTED, True),
        (45067, Outcome.REJECTED, False),
        (45002, Outcome.REJECTED, False),
        (-1, Outcome.UNCERTAIN, False),
    ],
)
def test_each_code_becomes_its_outcome(
    desk: Desk, code: int, outcome: Outcome, pauses: bool
) -> None:
    desk.script(MASS, f"errcode:{code}")
    publication = desk.publish()
    assert (publication.attempts[0].outcome, publication.account.is_paused) == (outcome, pauses)


def test_the_days_quota_of_a_subscription_account_is_one(desk: Desk) -> None:
    desk.control("switch", kind="subscription")
    desk.publish()
    second = desk.publish()
    assert second.attempts[0].detail["reason"] == oa_codes.TOMORROW
    assert len(sent(desk)) == 0
    desk.wait(hours=25)
    desk.publish(second)
    with desk.at():
        late.miss_overdue()
    session.expire_all()
    assert second.state is State.MISSED  # a day late is no way to be sent


def midnight(desk: Desk) -> timedelta:
    """How long until the carrier's next day begins."""
    at = (now() + desk.later).astimezone(oa_codes.ZONE)
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - at


class TestTheDemoCarriersStrictness:
    def say(self, desk: Desk, key: str, **to: Any) -> int:
        """The code of one mass message of plain words."""
        with desk.at():
            api = Api.through(Way(desk.account.id, "oa", desk.account.settings, SECRETS))
            body = {"filter": to or {"is_to_all": True}, "msgtype": "text", "clientmsgid": key}
            return api.say(PATH, body | {"text": {"content": "Words"}}).code

    def test_a_key_is_known_for_a_day(self, desk: Desk) -> None:
        assert self.say(desk, "one") == 0
        desk.wait(hours=23, minutes=59)
        assert self.say(desk, "one") == oa_mass.KNOWN
        desk.wait(minutes=2)
        assert self.say(desk, "one") == 0

    def test_a_day_is_the_carriers_calendar_day(self, desk: Desk) -> None:
        desk.control("switch", kind="subscription")
        desk.wait(seconds=midnight(desk).total_seconds() - 60)
        assert self.say(desk, "one") == 0
        assert self.say(desk, "two") == 45028
        desk.wait(minutes=2)
        assert self.say(desk, "three") == 0
        desk.wait(hours=23)
        assert self.say(desk, "four") == 45028

    def test_each_follower_of_a_service_account_gets_four_a_month(self, desk: Desk) -> None:
        first, second = ({"is_to_all": False, "tag_id": tag} for tag in (1, 2))
        assert [self.say(desk, f"a{n}", **first) for n in range(5)] == [0, 0, 0, 0, 45028]
        assert self.say(desk, "b", **second) == 0
        assert self.say(desk, "c") == 0  # passes over those who had four
        assert [self.say(desk, f"d{n}", **second) for n in range(3)] == [0, 0, 45028]
        desk.wait(days=31)
        assert self.say(desk, "e", **first) == 0


class TestTakingBack:
    def test_the_card_stays_and_that_is_said(self, desk: Desk) -> None:
        publication = desk.live()
        receipt = CHANNELS.get("oa_mass").carry_withdrawal(addressing.envelope_of(publication))
        assert (receipt.outcome, receipt.reason) == (Outcome.ACCEPTED, oa_mass.CARD_STAYS)
        assert desk.carrier.book.shown("mass_removed")

    def test_only_articles_can_be(self, desk: Desk) -> None:
        publication = desk.live(asset=make.asset(kind="note", html=""))
        receipt = CHANNELS.get("oa_mass").carry_withdrawal(addressing.envelope_of(publication))
        assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, oa_mass.ONLY_ARTICLES)


@pytest.mark.parametrize(
    ("word", "standing", "reason"),
    [
        ("send success", Standing.LIVE, ""),
        ("SEND_SUCCESS", Standing.LIVE, ""),
        ("SENDING", Standing.WAITING, ""),
        ("send fail", Standing.REFUSED, "could not send"),
        ("err(20008)", Standing.REFUSED, "fraud"),
        ("err(31415)", Standing.REFUSED, "another reason"),
        ("DELETE", Standing.WITHDRAWN, "card stays"),
        ("", Standing.UNKNOWN, ""),
    ],
)
def test_each_word_has_its_standing(word: str, standing: Standing, reason: str) -> None:
    found = oa_mass.progress_of(word)
    assert found.standing is standing
    assert reason in found.reason


@pytest.fixture
def carriers(own_database: Flask, tmp_path: Path) -> Iterator[tuple[OfficialAccount, str]]:
    with own_database.app_context():
        carriers = Carriers(tmp_path / "carriers", [OfficialAccount])
        server, url = in_a_thread(carriers)
        calling.allow_in_tests(url)
        yield carriers.members["oa"], f"{url}/oa"  # type: ignore[misc]
        server.shutdown()
        server.server_close()
        carriers.close()


def test_a_token_refused_to_many_workers_is_renewed_once(
    own_database: Flask, carriers: tuple[OfficialAccount, str]
) -> None:
    """The carrier allows twenty forced renewals a day, half a minute apart."""
    carrier, base = carriers
    way = Way(1, "oa", {"base_url": base, "appid": APPID}, {"appsecret": SECRET})
    Api.through(way).token()
    carrier.control("void_token", {})

    def work() -> str:
        said = Api.through(way).say("/cgi-bin/message/mass/speed/get", {})
        return "done" if said.is_done else said.words

    assert set(in_threads(own_database, work)) == {"done"}
    assert len(carrier.book.all("token")) == 2
