"""WeCom's mass messages: one task an employee and never two, whatever breaks in between."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import Role
from cms.core import sealing
from cms.core.db import session, transaction
from cms.core.errors import Conflict
from cms.demo.carriers.wecom import CORPID, SECRET
from schedules import addressing, carrying, decisions, polling, reconciling, steps, wishes
from schedules.channels import CHANNELS, wecom, wecom_tasks
from schedules.channels.wecom_mass import CREATE, WecomMass
from schedules.content import outgoing
from schedules.models import CarrierUpload, Delivery, EmployeeTask, Publication
from schedules.states import DeliveryState, HandOverState, Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import stored
from tests.schedules.channels.conftest import Start
from tests.schedules.channels.corporation import (
    OTHER,
    Corporation,
    again,
    asked,
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


@pytest.fixture
def corporation(app: Flask, start_carriers: Start) -> Corporation:
    return running(start_carriers)


def channel() -> WecomMass:
    found = CHANNELS.get("wecom_mass")
    assert isinstance(found, WecomMass)
    return found


def deliveries(publication: Publication) -> dict[DeliveryState, int]:
    found: dict[DeliveryState, int] = {}
    rows = select(Delivery.state).where(Delivery.publication_id == publication.id)
    for state in session.scalars(rows):
        found[state] = found.get(state, 0) + 1
    return found


def employees(publication: Publication) -> dict[str, HandOverState]:
    rows = select(EmployeeTask).where(EmployeeTask.publication_id == publication.id)
    return {row.employee: row.state for row in session.scalars(rows)}


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
        assert [one.code for one in drawn.changes] == ["link_as_card", "title_cut"]
        publication = sent(account, asset=make.asset(title="短"), text="看看")
        (task, _) = corporation.wecom.book.all("mass").values()
        (card,) = task["attachments"]
        assert card["link"]["url"] == outgoing(publication.post).link

    def test_the_preview_tells_what_is_cut(self, corporation: Corporation) -> None:
        picture = stored(kind="WEBP")
        account = corporation.account("wecom_mass")
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
            ("errcode:-1", Outcome.NOT_SENT, State.SCHEDULED),
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
        self, corporation: Corporation, caplog: pytest.LogCaptureFixture
    ) -> None:
        publication = sent(corporation.account("wecom_mass"))
        (token,) = corporation.wecom.book.all("token")
        for secret in (SECRET, token):
            assert secret not in told(publication)
            assert secret not in caplog.text
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


class TestNeverTwice:
    @pytest.mark.parametrize("word", ["reset", "html", "hang"])
    def test_accepted_and_then_silent_is_looked_up(
        self, corporation: Corporation, word: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(addressing, "LONGEST_CALL", 0.4)
        corporation.script(ADD, word, "ok")
        publication = sent(corporation.account("wecom_mass"))
        assert newest(publication).outcome is Outcome.UNCERTAIN
        monkeypatch.setattr(addressing, "LONGEST_CALL", 20)
        again(publication, later=61)  # adopts the one in doubt
        again(publication, later=122)  # makes the missing one
        assert publication.state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_one_who_cannot_be_asked_about_yet_is_known_by_our_own_note(
        self, corporation: Corporation
    ) -> None:
        corporation.script(ADD, "reset", "ok")
        publication = sent(corporation.account("wecom_mass", senders="lina"))
        corporation.script("/get_groupmsg_task", "errcode:41063")
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina"]

    def test_never_arrived_is_believed_only_after_a_while(self, corporation: Corporation) -> None:
        corporation.script(ADD, "before", "ok")
        publication = sent(corporation.account("wecom_mass"))
        again(publication, later=5)
        assert (publication.state, corporation.senders()) == (State.SCHEDULED, [])
        again(publication, later=70)  # a minute after the last look
        assert publication.state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_a_question_that_fails_sends_nothing(self, corporation: Corporation) -> None:
        corporation.script(ADD, "reset", "ok")
        corporation.script("/get_groupmsg_list_v2", "500", "ok")
        publication = sent(corporation.account("wecom_mass"))
        again(publication, later=61)
        assert corporation.senders() == ["lina"]
        again(publication, later=122)
        again(publication, later=183)
        assert corporation.senders() == ["lina", "wangwei"]

    @pytest.mark.parametrize("notes", [1, 2, 3, 4])
    def test_a_worker_killed_between_employees_leaves_one_in_doubt_at_most(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch, notes: int
    ) -> None:
        """Killed at the first, second … note: before or after either employee's call."""
        left = [notes]
        note = steps.note

        def killed(*args: object, **facts: object) -> object:
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            return note(*args, **facts)  # type: ignore[arg-type]

        publication = approved(account=corporation.account("wecom_mass"))
        with monkeypatch.context() as patch:
            patch.setattr(steps, "note", killed)
            with pytest.raises(KeyboardInterrupt):
                tried(publication)
        session.expire_all()
        assert publication.state is State.SENDING
        with in_seconds(600):
            assert reconciling.settle_expired() == 1
        session.expire_all()
        for later in (700, 800, 900):
            again(publication, later=later)
        assert publication.state is State.HANDED_OVER
        assert sorted(corporation.senders()) == ["lina", "wangwei"]
        assert sorted(publication.carrier_facts["tasks"]) == ["lina", "wangwei"]

    def test_trouble_in_the_middle_goes_on_with_those_who_lack_theirs(
        self, corporation: Corporation
    ) -> None:
        corporation.script(ADD, "ok", "errcode:45009", "ok")
        publication = sent(corporation.account("wecom_mass"))
        assert newest(publication).outcome is Outcome.ACCEPTED
        assert (publication.state, corporation.senders()) == (State.SCHEDULED, ["lina"])
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_a_secret_withdrawn_in_the_middle_pauses_and_loses_nobody(
        self, corporation: Corporation
    ) -> None:
        corporation.script(ADD, "ok", "errcode:60020", "ok")
        publication = sent(corporation.account("wecom_mass"))
        assert publication.account.is_paused
        assert publication.state is State.SCHEDULED
        with transaction():
            publication.account.is_paused = False
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_a_stop_reaches_the_next_employee(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = corporation.account("wecom_mass")
        note = steps.note

        def stopping(*args: object, **facts: object) -> object:
            noted = note(*args, **facts)  # type: ignore[arg-type]
            with transaction():
                account.is_paused = True
            return noted

        monkeypatch.setattr(steps, "note", stopping)
        publication = sent(account)
        assert (publication.state, corporation.senders()) == (State.SCHEDULED, ["lina"])
        monkeypatch.setattr(steps, "note", note)
        with transaction():
            account.is_paused = False
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_facts_that_were_lost_are_asked_for(self, corporation: Corporation) -> None:
        corporation.script(ADD, "ok", "reset", "ok")
        publication = sent(corporation.account("wecom_mass"))
        with transaction():
            publication.carrier_facts = {}
        corporation.advance(10)
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]
        assert sorted(publication.carrier_facts["tasks"]) == ["lina", "wangwei"]


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


class TestHowFarItIs:
    def test_created_is_not_published(self, corporation: Corporation) -> None:
        publication = asked(sent(corporation.account("wecom_mass")))
        assert publication.state is State.HANDED_OVER
        assert employees(publication) == {
            "lina": HandOverState.WAITING,
            "wangwei": HandOverState.WAITING,
        }

    def test_all_have_sent_it(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        friend, busy = corporation.wecom.customers(CORPID, "lina")[:2]
        corporation.control("unfriend", customer=friend)
        corporation.control("quota", customer=busy, used=30)
        corporation.control("confirm", employee="lina")
        asked(publication)
        assert publication.state is State.HANDED_OVER
        assert employees(publication)["lina"] is HandOverState.CONFIRMED
        corporation.control("confirm", employee="wangwei")
        asked(publication, later=3 * 3600)
        assert publication.state is State.PUBLISHED
        assert deliveries(publication) == {
            DeliveryState.SENT: 14,
            DeliveryState.NOT_A_CONTACT: 1,
            DeliveryState.QUOTA_USED: 1,
        }

    def test_some_in_time_is_partly_published(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass", confirm_hours="2"))
        corporation.advance(10)
        corporation.control("confirm", employee="lina")
        corporation.control("delete", employee="wangwei")
        asked(publication, later=3 * 3600)
        assert publication.state is State.PUBLISHED
        assert (publication.confirmed, publication.expected) == (1, 2)
        assert employees(publication)["wangwei"] is HandOverState.EXPIRED

    def test_nobody_in_time_waits_for_a_person(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass", confirm_hours="2"))
        corporation.advance(10)
        asked(publication, later=3 * 3600)
        assert publication.state is State.HANDED_OVER
        assert publication.reason

    def test_employees_do_it_by_themselves_where_the_demo_says_so(
        self, corporation: Corporation
    ) -> None:
        corporation.control("auto")
        publication = sent(corporation.account("wecom_mass", senders="lina"))
        corporation.advance(6)
        asked(publication)
        assert publication.state is State.HANDED_OVER
        corporation.advance(2 * 86_400)
        asked(publication, later=3 * 3600)
        assert publication.state is State.PUBLISHED
        assert len(corporation.shown("mass_sent")) == 1

    def test_who_cannot_be_reached_is_known_at_once(self, corporation: Corporation) -> None:
        lost = corporation.wecom.customers(CORPID, "lina")[0]
        corporation.control("unreachable", customer=lost)
        publication = asked(sent(corporation.account("wecom_mass")))
        assert deliveries(publication) == {DeliveryState.FAILED: 1}

    def test_many_recipients_are_asked_for_in_turns(self, corporation: Corporation) -> None:
        corporation.control(
            "corp",
            corpid="ww2222large",
            secret=SECRET,
            employees={"lina": "李娜", "wangwei": "王伟"},
            customers_each=1100,
        )
        publication = sent(corporation.account("wecom_mass", corpid="ww2222large"))
        corporation.advance(10)
        corporation.control("confirm")
        way = addressing.way_of(publication.account)
        office = wecom.Corporation.of_way(way)
        tasks = publication.carrier_facts["tasks"]
        questions = [wecom_tasks.question(msgid, who) for who, msgid in tasks.items()]
        facts: dict[str, object] = {}
        seen: list[str] = []
        turns = 0
        while turns < 10:
            tally = wecom.tally(office, questions, facts, calls=1)
            seen += [row["external_userid"] for _who, row in tally.rows]
            facts, turns = tally.facts, turns + 1
            if tally.is_whole:
                break
        assert (len(seen), len(set(seen)), turns) == (2200, 2200, 4)

    def test_a_carrier_that_cannot_say_is_asked_again(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass"))
        corporation.script("/get_groupmsg_task", "500")
        asked(publication)
        assert publication.state is State.HANDED_OVER
        assert publication.poll_at is not None


class TestManyEmployees:
    """One task each: a corporation of hundreds is not asked about within one claim's time."""

    def test_an_answer_that_broke_off_is_gone_on_with(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        corporation.control("confirm")
        corporation.script("/get_groupmsg_task", "ok", "429:30", "ok", "429:30", "ok")
        asked(publication)
        assert employees(publication) == {"lina": HandOverState.CONFIRMED}
        assert publication.state is State.HANDED_OVER
        asked(publication, later=3700)
        assert employees(publication) == dict.fromkeys(("lina", "wangwei"), HandOverState.CONFIRMED)
        for turn in range(4):
            asked(publication, later=3800 + 600 * turn)
        assert publication.state is State.PUBLISHED

    def test_each_question_is_short_and_all_are_asked_about(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wecom_tasks, "MOST_LOOKED_AT", 1)
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        corporation.control("confirm", employee="wangwei")
        asked(publication)
        assert employees(publication) == {"lina": HandOverState.WAITING}
        asked(publication, later=3700)
        assert employees(publication)["wangwei"] is HandOverState.CONFIRMED
        assert publication.state is State.HANDED_OVER
        corporation.control("confirm", employee="lina")
        asked(publication, later=7400)
        assert publication.state is State.PUBLISHED

    def test_whoever_is_done_is_not_asked_about_again(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        corporation.control("confirm", employee="lina")
        asked(publication)
        corporation.script("/get_groupmsg_task", "ok", "429:30")
        asked(publication, later=7200)
        assert publication.account.last_fault == ""


class TestAfterwards:
    def test_what_is_not_sent_can_be_stopped(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        corporation.control("confirm", employee="lina")
        envelope = addressing.envelope_of(publication)
        for _ in range(2):
            receipt = channel().carry_withdrawal(envelope)
            assert receipt.outcome is Outcome.ACCEPTED
            assert receipt.reason == wecom.WHAT_WENT_STAYS
        corporation.control("confirm", employee="wangwei")
        assert [one["sender"] for one in corporation.shown("mass_sent")] == ["lina"]

    def test_a_task_that_some_have_is_not_dropped_in_silence(
        self, corporation: Corporation
    ) -> None:
        """One employee has the post, the other's try is in doubt: "cancelled" would be a lie."""
        corporation.script(ADD, "ok", "reset")
        publication = sent(corporation.account("wecom_mass"))
        operator = make.user(Role.OPERATOR)
        with transaction():
            publication.state = State.UNCERTAIN
        with pytest.raises(Conflict, match="then take it back") as refused, transaction():
            decisions.resolve_uncertain(publication, "drop", by=operator)
        assert refused.value.problem.code == "in_hand"
        with transaction():
            decisions.say_live(publication, by=operator)
            wishes.ask_withdrawal(publication, operator)
        carrying.carry(publication.id, worker="here")
        corporation.control("confirm")
        assert corporation.shown("mass_sent") == []

    def test_nobody_is_reminded_four_times_a_day(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        envelope = addressing.envelope_of(publication)
        outcomes = [channel().carry_reminder(envelope).outcome for _ in range(4)]
        assert outcomes == [Outcome.ACCEPTED] * 3 + [Outcome.REJECTED]
        corporation.control("confirm")
        assert channel().carry_reminder(envelope).outcome is Outcome.REJECTED
        assert len(corporation.shown("mass_reminder")) == 6

    def test_the_account_can_be_tested(self, corporation: Corporation) -> None:
        account = corporation.account("wecom_mass")
        assert channel().try_out(addressing.way_of(account)) == ""
        with transaction():
            account.sealed = sealing.seal({"corpsecret": "wrong-secret"})
        assert "secret is wrong" in channel().try_out(addressing.way_of(account))
        assert corporation.shown("") == []

    def test_it_is_polled_in_growing_steps(self) -> None:
        assert channel().polls[0] <= timedelta(minutes=1)
        assert channel().polls == polling.STAFF_POLLS
