"""How far a WeCom mass message is: created is not published, and a corporation is asked in turns."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from cms.core.clock import now
from cms.core.db import session
from cms.demo.carriers.wecom import CORPID, SECRET
from schedules import addressing, confirmations
from schedules.channels import wecom, wecom_tally, wecom_tasks
from schedules.channels.answers import EmployeeAnswer
from schedules.models import Delivery, Publication
from schedules.states import DeliveryState, HandOverState
from schedules.states import PublicationState as State
from tests.schedules.channels.corporation import (
    Corporation,
    asked,
    employees,
    sent,
)


def deliveries(publication: Publication) -> dict[DeliveryState, int]:
    found: dict[DeliveryState, int] = {}
    rows = select(Delivery.state).where(Delivery.publication_id == publication.id)
    for state in session.scalars(rows):
        found[state] = found.get(state, 0) + 1
    return found


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
        sent_by = {who: EmployeeAnswer(who, HandOverState.CONFIRMED) for who in tasks}
        questions = [wecom_tasks.question(tasks[who], sent_by[who]) for who in tasks]
        facts: dict[str, object] = {}
        seen: list[str] = []
        turns = 0
        while turns < 10:
            tally = wecom_tally.tally(office, questions, facts, calls=1)
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


class TestResultsThatComeLater:
    """The employee's button comes first; whom it reached is known minutes or hours later."""

    def test_it_is_asked_until_every_fate_is_known(self, corporation: Corporation) -> None:
        corporation.control("results_late", seconds=5 * 3600)
        publication = sent(corporation.account("wecom_mass", senders="lina"))
        corporation.advance(10)
        corporation.control("confirm")
        asked(publication)
        assert publication.state is State.PUBLISHED
        assert deliveries(publication) == {DeliveryState.WAITING: 8}
        assert publication.poll_at is not None
        corporation.advance(6 * 3600)
        asked(publication, later=7 * 3600)
        assert publication.poll_at is None
        assert deliveries(publication) == {DeliveryState.SENT: 8}

    def test_after_the_deadline_they_still_come(self, corporation: Corporation) -> None:
        corporation.control("results_late", seconds=30 * 3600)
        publication = sent(corporation.account("wecom_mass", senders="lina"))
        corporation.advance(10)
        corporation.control("confirm")
        asked(publication, later=25 * 3600)
        assert publication.state is State.PUBLISHED
        assert deliveries(publication) == {DeliveryState.WAITING: 8}
        corporation.advance(31 * 3600)
        asked(publication, later=32 * 3600)
        assert deliveries(publication) == {DeliveryState.SENT: 8}

    def test_after_three_days_nothing_more_is_waited_for(self, corporation: Corporation) -> None:
        corporation.control("results_late", seconds=99 * 86_400)
        publication = sent(corporation.account("wecom_mass", senders="lina"))
        corporation.advance(10)
        corporation.control("confirm")
        asked(publication)
        assert publication.state is State.PUBLISHED
        at = publication.poll_at
        assert at is not None
        assert timedelta(minutes=64) < at - now() < timedelta(minutes=66)
        asked(publication, later=86_400)
        assert publication.poll_at is not None
        assert timedelta(hours=24) < publication.poll_at - now() <= timedelta(hours=25)
        asked(publication, later=4 * 86_400)
        assert publication.carrier_facts["settled"] == ["lina"]
        assert publication.poll_at is None

    def test_whoever_waits_for_results_does_not_keep_the_others_waiting(
        self, corporation: Corporation
    ) -> None:
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        corporation.control("confirm", employee="wangwei")
        corporation.control("results_late", seconds=3600)
        corporation.control("confirm", employee="lina")
        office = wecom.Corporation.of_way(addressing.way_of(publication.account))
        tasks = publication.carrier_facts["tasks"]
        pressed = [EmployeeAnswer(who, HandOverState.CONFIRMED) for who in tasks]
        questions = [wecom_tasks.question(tasks[one.employee], one) for one in pressed]
        first = wecom_tally.tally(office, questions, {}, calls=1)
        second = wecom_tally.tally(office, questions, first.facts, calls=1)
        assert [{who for who, _row in turn.rows} for turn in (first, second)] == [
            {"lina"},
            {"wangwei"},
        ]
        assert (second.is_round, second.is_whole) == (True, False)
        assert second.facts == {"counted": [], "counting": [], "lagging": []}
        corporation.advance(4000)
        third = wecom_tally.tally(office, questions, second.facts)
        assert third.facts["counted"] == ["lina", "wangwei"]


class TestCustomersOfSeveral:
    def test_they_get_it_from_each_and_the_list_says_so(self, corporation: Corporation) -> None:
        """WeCom spares nobody when each task names its sender: the truth, and not a nice one."""
        shared = corporation.wecom.customers(CORPID, "lina")[0]
        corporation.control("befriend", employee="wangwei", customer=shared)
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        corporation.control("confirm")
        got = [one for task in corporation.shown("mass_sent") for one in task["to"]]
        assert got.count(shared) == 2
        for later in (3600, 7200):
            asked(publication, later=later)
        row = session.scalars(select(Delivery).where(Delivery.recipient == shared)).one()
        assert (row.state, row.employee) == (DeliveryState.SENT, "lina")
        assert row.reason == confirmations.SEVERAL_TIMES
        others = select(Delivery.reason).where(Delivery.recipient != shared)
        assert set(session.scalars(others)) == {""}


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

    def test_open_customers_hold_nothing_back(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each look is about one of them, and what the first still owes is no longer in sight."""
        monkeypatch.setattr(wecom_tasks, "MOST_LOOKED_AT", 1)
        corporation.control("results_late", seconds=99 * 86_400)
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        corporation.control("confirm")
        asked(publication)
        assert publication.state is State.HANDED_OVER
        asked(publication, later=3700)
        assert publication.state is State.PUBLISHED
        assert publication.carrier_facts["settled"] == []
        assert publication.poll_at is not None
        for later in (4 * 86_400, 4 * 86_400 + 60, 4 * 86_400 + 120):
            asked(publication, later=later)
        assert set(publication.carrier_facts["settled"]) == {"lina", "wangwei"}
        assert publication.poll_at is None

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
