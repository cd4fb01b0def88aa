"""WeCom's mass messages: what employees get, what the carrier's answers mean, its tokens and pictures."""

import pytest
from flask import Flask
from sqlalchemy import select

from cms.core.db import session
from cms.demo.carriers.wecom import CORPID, SECRET
from schedules import addressing
from schedules.channels import CHANNELS, wecom
from schedules.channels.wecom_mass import CREATE, WecomMass
from schedules.content import outgoing
from schedules.models import CarrierUpload
from schedules.states import HandOverState, Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import stored
from tests.demo_carriers import Start
from tests.schedules.channels.corporation import (
    OTHER,
    Corporation,
    again,
    asked,
    employees,
    in_seconds,
    newest,
    running,
    sent,
    told,
)
from tests.schedules.ready import approved, tried
from tests.schedules.side_by_side import WORKERS, in_threads

SECRETS = {"corpsecret": SECRET}

ADD = "/add_msg_template"


def channel() -> WecomMass:
    found = CHANNELS.get("wecom_mass")
    assert isinstance(found, WecomMass)
    return found


class TestSending:
    def test_each_employee_gets_the_task_the_preview_showed(self, corporation: Corporation) -> None:
        picture = stored()
        publication = sent(corporation.account("wecom_mass"), media_ids=[picture.id])
        assert publication.state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]
        drawn = channel().render(outgoing(publication.post))
        assert {one["text"] for one in corporation.shown("mass_task")} == {drawn.text}
        assert outgoing(publication.post).link in drawn.text
        tasks = corporation.wecom.book.all("mass")
        assert [len(one["attachments"]) for one in tasks.values()] == [1, 1]
        assert publication.external_id in tasks
        assert corporation.counted("upload") == 1  # both tasks show the same one

    def test_the_link_may_be_a_card_with_a_lasting_cover(self, corporation: Corporation) -> None:
        account = corporation.account("wecom_mass", link_as="card")
        asset = make.asset(title="标题" * 40)
        post = make.post(account=account, asset=asset, text="看看")
        content = outgoing(post)
        drawn = channel().render(content)
        assert drawn.text == "看看"
        assert drawn.card is not None
        assert len(drawn.card.title.encode()) <= 128
        codes = [one.code for one in drawn.changes]
        assert codes == ["link_as_card", "title_cut", "several_senders"]
        publication = sent(account, asset=make.asset(title="短"), text="看看")
        (task, _) = corporation.wecom.book.all("mass").values()
        (card,) = task["attachments"]
        assert card["link"]["url"] == outgoing(publication.post).link

    def test_the_preview_tells_what_is_cut(self, corporation: Corporation) -> None:
        picture = stored(kind="WEBP")
        account = corporation.account("wecom_mass", senders="lina")
        publication = sent(account, media_ids=[picture.id])
        changes = channel().render(outgoing(publication.post)).changes
        assert [str(one) for one in changes] == [
            "The link is added as the last line.",
            "Picture 1 is sent as JPEG instead of WEBP.",
        ]
        assert publication.state is State.HANDED_OVER  # the carrier takes no WebP

    def test_a_card_leaves_room_for_eight_pictures(self, corporation: Corporation) -> None:
        account = corporation.account("wecom_mass", link_as="card")
        one = stored().id
        content = outgoing(make.post(account=account, media_ids=[one] * 9))
        assert [one.code for one in channel().problems(content)] == ["too_many_pictures"]

    @pytest.mark.parametrize(("letters", "is_fine"), [(1300, True), (1334, False)])
    def test_bytes_are_counted(self, corporation: Corporation, letters: int, is_fine: bool) -> None:
        account = corporation.account("wecom_mass", link_as="card")
        content = outgoing(make.post(account=account, text="好" * letters))
        assert (channel().problems(content) == []) is is_fine

    def test_tags_and_groups(self, corporation: Corporation) -> None:
        sent(corporation.account("wecom_mass", senders="lina", tags="tag-vip"))
        sent(corporation.account("wecom_mass", senders="lina", chat_type="group"))
        some, groups = corporation.wecom.book.all("mass").values()
        assert 0 < len(some["recipients"]) < len(corporation.wecom.customers(CORPID, "lina"))
        assert all(one.startswith("wr") for one in groups["recipients"])

    def test_tags_that_would_not_narrow_groups_are_a_problem(
        self, corporation: Corporation
    ) -> None:
        account = corporation.account("wecom_mass", chat_type="group", tags="tag-vip")
        post = make.post(account=account)
        assert [one.code for one in channel().problems(outgoing(post))] == ["no_tags_for_groups"]
        assert "do not narrow" in channel().try_out(addressing.way_of(account))

    def test_several_senders_are_warned_about(self, corporation: Corporation) -> None:
        def codes(**settings: object) -> list[str]:
            post = make.post(account=corporation.account("wecom_mass", **settings))
            return [one.code for one in channel().render(outgoing(post)).changes]

        assert "several_senders" in codes(senders="lina wangwei")
        assert "several_senders" not in codes(senders="lina")
        assert "several_senders" not in codes(senders="lina wangwei", chat_type="group")

    def test_an_unknown_employee_stops_nobody_else(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass", senders="nobody，lina"))
        assert publication.state is State.HANDED_OVER
        assert corporation.senders() == ["lina"]
        asked(publication)
        assert employees(publication)["nobody"] is HandOverState.DECLINED

    def test_only_unknown_employees_are_a_refusal(self, corporation: Corporation) -> None:
        assert sent(corporation.account("wecom_mass", senders="nobody")).state is State.FAILED


class TestWhatAnswersMean:
    @pytest.mark.parametrize(
        ("word", "outcome", "state"),
        [
            ("errcode:40001", Outcome.REJECTED, State.HELD),
            ("errcode:48002", Outcome.REJECTED, State.HELD),
            ("errcode:60020", Outcome.REJECTED, State.HELD),
            ("errcode:45002", Outcome.REJECTED, State.FAILED),
            ("errcode:41048", Outcome.REJECTED, State.FAILED),
            ("errcode:45009", Outcome.NOT_SENT, State.SCHEDULED),
            ("errcode:45033", Outcome.NOT_SENT, State.SCHEDULED),
            ("errcode:-1", Outcome.UNCERTAIN, State.SCHEDULED),
            ("429:9", Outcome.NOT_SENT, State.SCHEDULED),
            ("500", Outcome.UNCERTAIN, State.SCHEDULED),
            ("huge", Outcome.UNCERTAIN, State.SCHEDULED),
        ],
    )
    def test_outcomes(
        self, corporation: Corporation, word: str, outcome: Outcome, state: State
    ) -> None:
        corporation.script(ADD, word)
        publication = sent(corporation.account("wecom_mass"))
        assert newest(publication).outcome is outcome
        assert publication.state is state
        assert publication.account.is_paused is (state is State.HELD)

    @pytest.mark.parametrize("path", ["/gettoken", "/media/upload"])
    @pytest.mark.parametrize("word", ["reset", "500", "html", "before"])
    def test_a_silent_step_that_nobody_sees_is_simply_repeated(
        self, corporation: Corporation, path: str, word: str
    ) -> None:
        corporation.script(path, word, "ok")
        publication = sent(corporation.account("wecom_mass"), media_ids=[stored().id])
        assert newest(publication).outcome is Outcome.NOT_SENT
        assert again(publication).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_a_wrong_secret_pauses_the_account_and_is_not_asked_with_twice(
        self, corporation: Corporation
    ) -> None:
        wrong = "wrong-secret-of-this-app"
        publication = sent(corporation.account("wecom_mass", secret=wrong))
        assert (publication.state, publication.account.is_paused) == (State.HELD, True)
        assert "secret is wrong" in publication.account.last_fault
        assert len(newest(publication).detail["calls"]) == 1
        assert wrong not in told(publication)

    def test_secrets_are_in_no_log(
        self, corporation: Corporation, capsys: pytest.CaptureFixture[str]
    ) -> None:
        publication = sent(corporation.account("wecom_mass"))
        (token,) = corporation.wecom.book.all("token")
        printed = "".join(capsys.readouterr())
        for secret in (SECRET, token):
            assert secret not in told(publication)
            assert secret not in printed
        assert publication.account.sealed


class TestTokens:
    def test_a_voided_one_is_renewed_once_and_the_call_repeated_once(
        self, corporation: Corporation
    ) -> None:
        account = corporation.account("wecom_mass")
        sent(account)
        corporation.control("void_token")
        assert sent(account).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"] * 2
        assert corporation.counted("gettoken") == 2

    def test_an_expired_one_is_renewed(self, corporation: Corporation) -> None:
        account = corporation.account("wecom_mass")
        sent(account)
        corporation.advance(7201)
        assert sent(account).state is State.HANDED_OVER
        assert corporation.counted("gettoken") == 2

    @pytest.mark.parametrize("code", [40014, 42001, 41001])
    def test_one_that_is_never_taken_ends_after_one_repeat(
        self, corporation: Corporation, code: int
    ) -> None:
        corporation.script(ADD, f"errcode:{code}")
        account = corporation.account("wecom_mass")
        publication = sent(account)
        assert newest(publication).outcome is Outcome.NOT_SENT
        calls = [call["address"] for call in newest(publication).detail["calls"]]
        assert 1 <= sum(CREATE in one for one in calls) <= 2
        assert corporation.senders() == []

    def test_eight_workers_renew_it_once(self, own_database: Flask, start_carriers: Start) -> None:
        corporation = running(start_carriers)

        def work() -> str:
            way = addressing.Way(1, "a", {"base_url": corporation.url, "corpid": CORPID}, SECRETS)
            said = wecom.Corporation.of_way(way).ask(
                "/cgi-bin/externalcontact/get_groupmsg_list_v2",
                {"chat_type": "single", **wecom.window(wecom.now())},
            )
            return str(said["errcode"])

        assert in_threads(own_database, work) == ["0"] * WORKERS
        corporation.control("void_token")
        assert in_threads(own_database, work) == ["0"] * WORKERS
        assert corporation.counted("gettoken") == 2

    def test_warming_up_leaves_nothing_to_fetch(self, corporation: Corporation) -> None:
        account = corporation.account("wecom_mass")
        channel().warm_up(addressing.way_of(account))
        publication = sent(account)
        assert "gettoken" not in told(publication)
        assert corporation.counted("gettoken") == 1


class TestPictures:
    def test_lost_ones_are_uploaded_again_once(self, corporation: Corporation) -> None:
        account, picture = corporation.account("wecom_mass"), stored()
        sent(account, media_ids=[picture.id])
        corporation.control("lose_uploads")
        assert sent(account, media_ids=[picture.id]).state is State.HANDED_OVER
        assert corporation.counted("upload") == 2

    def test_what_stays_lost_is_refused(self, corporation: Corporation) -> None:
        corporation.script(ADD, "errcode:40007")
        publication = sent(
            corporation.account("wecom_mass", senders="lina"), media_ids=[stored().id]
        )
        assert publication.state is State.FAILED
        assert told(publication).count(CREATE) == 2

    def test_corporations_never_share_them(self, corporation: Corporation) -> None:
        picture = stored()
        corporation.control("corp", **OTHER)
        ours = corporation.account("wecom_mass")
        theirs = corporation.account(
            "wecom_mass", secret=OTHER["secret"], corpid=OTHER["corpid"], senders="lina"
        )
        for account in (ours, theirs):
            assert sent(account, media_ids=[picture.id]).state is State.HANDED_OVER
        realms = {row.realm: row.reference for row in session.scalars(select(CarrierUpload)).all()}
        assert set(realms) == {f"wecom:{CORPID}", f"wecom:{OTHER['corpid']}"}
        assert len(set(realms.values())) == 2

    def test_they_are_there_ahead_of_time(self, corporation: Corporation) -> None:
        account = corporation.account("wecom_mass")
        publication = approved(account=account, media_ids=[stored().id])
        channel().prepare(addressing.envelope_of(publication))
        assert corporation.shown("") == []
        assert "media/upload" not in told(tried(publication))

    def test_old_ones_are_renewed(self, corporation: Corporation) -> None:
        account, picture = corporation.account("wecom_mass"), stored()
        sent(account, media_ids=[picture.id])
        corporation.advance(4 * 86_400)
        later = approved(account=account, media_ids=[picture.id])
        with in_seconds(4 * 86_400):
            channel().prepare(addressing.envelope_of(later))
        assert corporation.counted("upload") == 2
