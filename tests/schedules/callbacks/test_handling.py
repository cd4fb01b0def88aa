"""Calls, polls and our own receipts in any order: the ledger ends the same, and nothing is lost."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from cms.accounts.models import AuditEntry
from cms.core import retention
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import polling, publishing, receipts
from schedules.callbacks import handling, jobs
from schedules.channels import CHANNELS, oa_mass
from schedules.models import CarrierCall, Publication
from schedules.states import PublicationState as State
from tests import factories as make
from tests.demo_carriers import Start
from tests.schedules.channels.oa_desk import Desk


@pytest.fixture
def desk(start_carriers: Start, client: FlaskClient) -> Desk:
    desk = Desk(start_carriers)
    desk.calls_to(client)
    return desk


def calls() -> list[CarrierCall]:
    session.expire_all()
    return list(session.scalars(select(CarrierCall).order_by(CarrierCall.id)))


def told(desk: Desk, **wait: float) -> None:
    """Everything due happens at the carrier, and it says so."""
    desk.wait(**(wait or {"seconds": 20}))
    desk.control("settle")
    assert desk.control("deliver") == [200]


class TestPublishing:
    def test_the_end_of_a_job_is_believed_without_asking(self, desk: Desk) -> None:
        publication = desk.publish()
        told(desk)
        desk.handle()
        assert publication.state is State.PUBLISHED
        assert publication.external_url.startswith("https://mp.demo.invalid/")
        assert publication.polls == 0
        assert calls()[0].handled_at is not None

    @pytest.mark.parametrize(
        ("verdict", "state", "words"),
        [(2, State.FAILED, "originality"), (4, State.FAILED, "review")],
    )
    def test_a_refusal_is_told_with_its_reason(
        self, desk: Desk, verdict: int, state: State, words: str
    ) -> None:
        desk.control("switch", verdict=verdict)
        publication = desk.publish()
        told(desk)
        desk.handle()
        assert publication.state is state
        assert words in publication.reason

    @pytest.mark.parametrize(("status", "words"), [(5, "removed it"), (6, "blocked it")])
    def test_what_is_taken_down_later_is_withdrawn(
        self, desk: Desk, status: int, words: str
    ) -> None:
        publication = desk.publish()
        told(desk)
        desk.handle()
        desk.control("delete_article", status=status)
        told(desk)
        desk.handle()
        assert publication.state is State.PUBLISHED
        assert publication.withdrawn_at is not None
        assert words in publication.reason

    def test_an_event_for_another_account_of_the_same_app_finds_its_post(
        self, desk: Desk, client: FlaskClient
    ) -> None:
        """The carrier knows one address for one app, we may have several accounts."""
        called = desk.account
        desk.account = desk.open("oa_publish")
        publication = desk.publish()
        told(desk)
        desk.handle()
        assert calls()[0].account_id == called.id != publication.account_id
        assert publication.state is State.PUBLISHED

    def test_another_app_with_the_same_numbers_is_not_touched(self, desk: Desk) -> None:
        publication = desk.publish()
        other = desk.open("oa_publish", appid="wx-other")
        with transaction():
            publication.account = other
        told(desk)
        desk.handle()
        assert publication.state is State.HANDED_OVER


class TestBeforeWeKnowIt:
    def held_back(self, desk: Desk) -> tuple[Publication, Callable[[], bool]]:
        """Sent, and the answer not yet written down; calling the second writes it."""
        publication = desk.approved()
        with desk.at():
            fence = publishing.claim(publication.id, worker="here")
            assert fence is not None
            envelope = publishing._prepared(publication.id, fence)
            assert envelope is not None
            receipt = CHANNELS.get("oa_publish").send(envelope)
        return publication, lambda: receipts.record(envelope, receipt)

    def test_it_waits_until_our_receipt_is_written(self, desk: Desk) -> None:
        publication, write = self.held_back(desk)
        told(desk)
        desk.handle()
        assert publication.state is State.SENDING
        assert calls()[0].handled_at is None
        write()
        desk.handle()
        assert publication.state is State.PUBLISHED
        assert calls()[0].handled_at is not None

    def test_the_clock_asks_again_with_a_new_hint_each_time(self, desk: Desk) -> None:
        self.held_back(desk)
        told(desk)
        seen = set()
        with transaction():
            received = calls()[0].received_at
        for age in (5, 20, 90, 400, 2_000, 4_000):
            with transaction():
                calls()[0].received_at = now() - timedelta(seconds=age)
            seen |= {key for _call_id, key in handling.waiting()}
        assert len(seen) == 5  # none in the first seconds: the first hint is still on its way
        assert received
        jobs.hint_calls()

    def test_after_a_day_it_is_given_up_and_the_account_says_so(self, desk: Desk) -> None:
        desk.publish()
        told(desk)
        with transaction():
            for publication in session.scalars(select(Publication)):
                publication.external_id, publication.carrier_facts = "", {}
        desk.handle()
        assert calls()[0].handled_at is None
        desk.later += timedelta(days=1, minutes=1)
        desk.handle()
        [call] = calls()
        assert (call.fault, call.handled_at is not None) == (handling.GIVEN_UP, True)
        assert desk.account.last_fault == handling.GIVEN_UP

    def test_an_unknown_end_becomes_known_when_the_carrier_says_that_it_is_live(
        self, desk: Desk
    ) -> None:
        publication = desk.publish()
        with transaction():
            publication.state = State.UNCERTAIN
        told(desk)
        desk.handle()
        assert publication.state is State.PUBLISHED


class TestMassSending:
    def test_its_end_is_told_with_its_numbers(
        self, start_carriers: Start, client: FlaskClient
    ) -> None:
        desk = Desk(start_carriers, "oa_mass")
        desk.calls_to(client)
        publication = desk.publish()
        told(desk)
        desk.handle()
        assert publication.state is State.PUBLISHED
        assert publication.carrier_facts["sentcount"] == 1_250
        assert publication.external_url

    @pytest.mark.parametrize("asks_first", [False, True])
    def test_those_it_did_not_reach_are_told_in_words(
        self, start_carriers: Start, client: FlaskClient, asks_first: bool
    ) -> None:
        """Whether the call or our question comes first; the carrier's answer has no numbers."""
        desk = Desk(start_carriers, "oa_mass")
        desk.calls_to(client)
        desk.control("switch", unreached=50)
        publication = desk.publish()
        if asks_first:
            desk.wait(seconds=20)
            assert (desk.ask(publication).state, publication.reason) == (State.PUBLISHED, "")
        told(desk)
        desk.handle()
        assert publication.state is State.PUBLISHED
        assert "1200 of 1250" in publication.reason
        assert publication.reason_parts["params"]["failed"] == 50
        desk.ask(publication)
        assert "1200 of 1250" in publication.reason

    def test_a_refusal_names_its_ground(self, start_carriers: Start, client: FlaskClient) -> None:
        desk = Desk(start_carriers, "oa_mass")
        desk.calls_to(client)
        desk.control("switch", mass_verdict="err(20013)")
        publication = desk.publish()
        told(desk)
        desk.handle()
        assert publication.state is State.FAILED
        assert "copyright" in publication.reason


def test_what_is_not_answered_is_told_again_and_counts_once(
    desk: Desk, client: FlaskClient
) -> None:
    """Four tries at most, five seconds apart; the last is as good as the first."""
    real, answers = desk.carrier.caller.post, itertools.chain([0, 503], itertools.repeat(None))

    def shaky(url: str, body: bytes) -> int:
        status = next(answers)
        return real(url, body) if status is None else status

    desk.carrier.caller.post = shaky
    publication = desk.publish()
    desk.wait(seconds=20)
    desk.control("settle")
    statuses = []
    for _ in range(5):
        statuses += desk.control("deliver")
        desk.wait(seconds=6)
    assert statuses == [0, 503, 200]
    desk.handle()
    assert publication.state is State.PUBLISHED
    assert desk.control("again", number="000001") == 200
    desk.handle()
    assert len(calls()) == 1


STEPS = ("receipt", "poll", "call", "repeat", "late poll")


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.permutations(STEPS + STEPS[1:]), verdict=st.sampled_from([0, 0, 4]))
def test_in_any_order_and_however_often_it_ends_the_same(
    desk: Desk, order: list[str], verdict: int
) -> None:
    desk.control("switch", verdict=verdict)
    publication = desk.approved()
    with desk.at():
        fence = publishing.claim(publication.id, worker="here")
        assert fence is not None
        envelope = publishing._prepared(publication.id, fence)
        assert envelope is not None
        receipt = CHANNELS.get("oa_publish").send(envelope)
    early = CHANNELS.get("oa_publish").ask_progress(
        replace(envelope, external_id=receipt.external_id)
    )
    desk.wait(seconds=20)
    desk.control("settle")
    number = max(desk.carrier.book.all("call"))
    for step in order:
        match step:
            case "receipt":
                receipts.record(envelope, receipt)
            case "poll":
                desk.ask(publication)
            case "late poll":  # an answer from before, that was long on its way
                polling.apply(publication.id, early)
            case "call":
                desk.control("deliver", order=[number])
                desk.handle()
            case "repeat":
                assert desk.control("again", number=number) == 200
                desk.handle()
    desk.handle()
    assert publication.state is (State.PUBLISHED if verdict == 0 else State.FAILED)
    assert bool(publication.external_url) is (verdict == 0)
    assert all(call.handled_at for call in calls())
    moves = session.scalar(
        select(func.count())
        .select_from(AuditEntry)
        .where(
            AuditEntry.action.in_(["publication.published", "publication.failed"]),
            AuditEntry.object_id == publication.id,
        )
    )
    assert moves == 1


def test_calls_handled_long_ago_are_forgotten(app: Flask) -> None:
    account = make.account(channel="oa_publish")
    with transaction():
        for age, handled in ((100, True), (100, False), (31, True), (10, True)):
            moment = now() - timedelta(days=age)
            session.add(
                CarrierCall(
                    account_id=account.id,
                    key=f"{age} {handled}",
                    kind="SCAN",
                    received_at=moment,
                    handled_at=moment if handled else None,
                )
            )
    assert handling.forget_old() == 2
    assert {call.key for call in calls()} == {"100 False", "10 True"}


def test_many_calls_are_forgotten_in_portions(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever floods us with calls must not make one night's lock last for minutes."""
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    account = make.account(channel="oa_publish")
    old = now() - timedelta(days=40)
    with transaction():
        for number in range(5):
            key = f"call {number}"
            session.add(
                CarrierCall(
                    account_id=account.id, key=key, kind="SCAN", received_at=old, handled_at=old
                )
            )
    assert handling.forget_old() == 5
    assert calls() == []


class TestBrokenCalls:
    """A call at which our own reading breaks: later it may be read, and not for ever."""

    @pytest.fixture
    def call(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> CarrierCall:
        def breaks(_content: object) -> None:
            raise KeyError("publish_id")

        monkeypatch.setitem(handling.READERS, "PUBLISHJOBFINISH", breaks)
        made = CarrierCall(
            account_id=make.account(channel="oa_publish").id,
            key="poison",
            kind="PUBLISHJOBFINISH",
            received_at=now(),
        )
        with transaction():
            session.add(made)
        return made

    def test_it_is_kept_for_a_better_reader(
        self, call: CarrierCall, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handling.handle(call.id)
        session.expire_all()
        assert (call.handled_at, call.fault) == (None, handling.BROKEN)
        monkeypatch.setitem(handling.READERS, "PUBLISHJOBFINISH", None)
        handling.handle(call.id)
        session.expire_all()
        assert (call.handled_at is not None, call.fault) == (True, "")

    def test_after_a_day_it_is_given_up_before_somebodys_eyes(self, call: CarrierCall) -> None:
        with transaction():
            call.received_at = now() - handling.WAITED_FOR - timedelta(minutes=1)
        handling.handle(call.id)
        session.expire_all()
        assert call.handled_at is not None
        assert call.account.last_fault == handling.BROKEN


def test_numbers_that_are_none_break_nothing() -> None:
    _names, progress = oa_mass.told({"Status": "send success", "TotalCount": "²", "SentCount": "7"})
    assert progress.facts == {"sentcount": 7}


def test_a_call_does_not_read_the_accounts_whole_history(desk: Desk) -> None:
    """What was published long ago is known by its number alone: nobody parses years of facts."""
    old = desk.publish()
    told(desk)
    desk.handle()
    number = old.external_id
    with transaction():
        old.due_at = now() - timedelta(days=400)
    [call] = calls()
    assert handling._spoken_of(call, {"publish_id": number}) is old
    with transaction():
        old.external_id = "another"
    assert handling._spoken_of(call, {"publish_id": number}) is None
