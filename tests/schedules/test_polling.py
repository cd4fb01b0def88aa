"""When carriers are asked: by one worker at a time, by plan, sooner when somebody hurries."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, select

from cms.core import sealing
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import db, session, transaction
from cms.core.errors import TryAgain
from cms.core.jobs import Job
from schedules import attempts, carrier_jobs, polling, questions, wishes
from schedules.channels.answers import EmployeeAnswer, Progress, Standing
from schedules.channels.calling import Silent
from schedules.models import Publication
from schedules.states import HandOverState
from schedules.states import PublicationState as State
from tests.schedules.fake_carrier import FakeCarrier, handed_over
from tests.schedules.side_by_side import in_threads

MINUTE = timedelta(minutes=1)


def make_due(publication: Publication) -> None:
    with transaction():
        publication.poll_at = now() - timedelta(seconds=1)


def wait_of(publication: Publication) -> timedelta:
    session.expire_all()
    assert publication.poll_at is not None
    return publication.poll_at - now()


def about(wait: timedelta, wanted: timedelta) -> bool:
    return abs(wait - wanted) < timedelta(seconds=5)


def test_the_first_question_comes_by_the_plan_of_who_confirms(carrier: FakeCarrier) -> None:
    by_staff, by_carrier = handed_over(), handed_over(confirmation="carrier")
    assert about(wait_of(by_staff), MINUTE)
    assert about(wait_of(by_carrier), polling.CARRIER_POLLS[0])
    assert about(by_staff.confirm_by - now(), timedelta(hours=24))
    by_admin = handed_over(confirmation="administrator")
    assert about(by_admin.confirm_by - now(), 30 * MINUTE)


def test_what_is_not_due_is_not_asked(carrier: FakeCarrier) -> None:
    publication = handed_over()
    assert polling.due() == []
    assert polling.ask(publication.id) is False
    assert carrier.done("progress") == []


def test_each_question_waits_longer_until_it_is_hourly(carrier: FakeCarrier) -> None:
    publication, waits = handed_over(confirm_hours=200), []
    for _turn in range(5):
        make_due(publication)
        assert polling.ask(publication.id) is True
        waits.append(wait_of(publication))
    planned = (*polling.STAFF_POLLS[1:5], timedelta(hours=1))
    assert all(about(wait, plan) for wait, plan in zip(waits, planned, strict=True))
    assert len(carrier.done("progress")) == 5


def test_the_question_at_the_deadline_is_not_missed(carrier: FakeCarrier) -> None:
    publication = handed_over(confirm_hours=0.05)
    make_due(publication)
    polling.ask(publication.id)
    assert about(wait_of(publication), 3 * MINUTE)
    with time_machine.travel(now() + 4 * MINUTE):
        carrier.answers["progress"] = Progress(Standing.UNKNOWN, reason="Busy")
        polling.ask(publication.id)
        session.expire_all()
        assert publication.reason


def test_a_carrier_may_name_its_own_moment(carrier: FakeCarrier) -> None:
    publication = handed_over()
    carrier.answers["progress"] = TryAgain("Too many calls", timedelta(seconds=90))
    make_due(publication)
    polling.ask(publication.id)
    assert about(wait_of(publication), timedelta(seconds=90))
    assert publication.account.last_fault == "Too many calls"


def test_a_live_post_is_asked_about_only_while_somebody_is_missing(carrier: FakeCarrier) -> None:
    whole, partly = handed_over(), handed_over(confirm_hours=0.01)
    carrier.answers["progress"] = Progress(Standing.LIVE)
    make_due(whole)
    polling.ask(whole.id)
    ada = EmployeeAnswer("ada", HandOverState.CONFIRMED)
    bo = EmployeeAnswer("bo", HandOverState.WAITING)
    carrier.answers["progress"] = Progress(Standing.WAITING, employees=(ada, bo))
    with time_machine.travel(now() + 5 * MINUTE):
        polling.ask(partly.id)
        session.expire_all()
        assert (whole.state, whole.poll_at) == (State.PUBLISHED, None)
        assert partly.state is State.PUBLISHED
        assert wait_of(partly) > timedelta(0)
    with time_machine.travel(now() + timedelta(days=31)):
        assert polling.ask(partly.id) is True
        session.expire_all()
        assert partly.poll_at is None, "after thirty days nobody asks any more"


def test_a_live_post_is_watched_when_its_channel_wants_that(carrier: FakeCarrier) -> None:
    publication = handed_over()
    carrier.answers["progress"] = Progress(Standing.LIVE, after=timedelta(days=1))
    make_due(publication)
    polling.ask(publication.id)
    assert about(wait_of(publication), timedelta(days=1))


def test_hurrying_asks_at_once_and_costs_no_turn(carrier: FakeCarrier) -> None:
    publication = handed_over()
    make_due(publication)
    polling.ask(publication.id)
    polling.hurry(publication.id)
    session.expire_all()
    assert [sign[0] for sign in polling.due()] == [publication.id]
    polling.ask(publication.id)
    assert about(wait_of(publication), polling.STAFF_POLLS[1])


def test_a_hint_during_the_question_is_not_forgotten(carrier: FakeCarrier) -> None:
    publication = handed_over()
    make_due(publication)

    def answer(_envelope: object) -> Progress:
        polling.hurry(publication.id)
        return Progress(Standing.WAITING)

    carrier.answers["progress"] = answer
    polling.ask(publication.id)
    assert [sign[0] for sign in polling.due()] == [publication.id]


def test_a_worker_that_dies_leaves_the_question_to_the_next(carrier: FakeCarrier) -> None:
    publication = handed_over()
    make_due(publication)
    carrier.answers["progress"] = SystemExit("killed")
    with pytest.raises(SystemExit):
        polling.ask(publication.id)
    assert polling.ask(publication.id) is False
    carrier.answers["progress"] = Progress(Standing.LIVE)
    with time_machine.travel(now() + timedelta(seconds=current().lease_seconds + 1)):
        assert polling.ask(publication.id) is True
    session.expire_all()
    assert publication.state is State.PUBLISHED


def test_a_paused_account_is_not_asked_but_its_deadlines_hold(carrier: FakeCarrier) -> None:
    publication = handed_over(confirm_hours=1)
    with transaction():
        publication.account.is_paused = True
    with time_machine.travel(now() + timedelta(hours=2)):
        polling.ask(publication.id)
    session.expire_all()
    assert carrier.done("progress") == []
    assert publication.reason


def test_secrets_that_cannot_be_opened_do_not_stop_the_round(
    carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = handed_over()
    with transaction():
        publication.account.sealed = "gAAAAAnonsense"
    make_due(publication)
    assert polling.ask(publication.id) is True
    assert carrier.done("progress") == []
    with pytest.raises(sealing.Unopenable):
        sealing.unseal(publication.account.sealed)


def test_a_carrier_that_hangs_delays_its_own_questions_only(
    carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, beside, other = handed_over(), handed_over(), handed_over()
    with transaction():
        beside.account_id = hanging.account_id
    for one in (hanging, beside, other):
        make_due(one)
    monkeypatch.setattr(polling, "SLOW_SECONDS", 0.0)
    carrier.answers["progress"] = Silent()
    polling.ask(hanging.id)
    session.expire_all()
    assert [sign[0] for sign in polling.due()] == [other.id]


def test_the_clock_tells_of_each_due_question_once(
    carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    publications, sent = [handed_over() for _one in range(12)], []
    for one in publications:
        make_due(one)
    monkeypatch.setattr("schedules.carrier_jobs.is_broker_there", lambda: True)
    monkeypatch.setattr(Job, "_send", lambda _job, args, key: sent.append((args, key)))
    with time_machine.travel(now() + MINUTE, tick=False):
        carrier_jobs.ask_due()
        carrier_jobs.ask_due()
    assert sorted(sent[0][0]) == [one.id for one in publications]
    assert sent[0][1] == sent[1][1], "while one batch is in the queue or at work there is no other"


def test_carriers_that_hang_while_asked_leave_workers_for_sending(
    carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    for _one in range(25):
        make_due(handed_over())
    monkeypatch.setattr("schedules.carrier_jobs.is_broker_there", lambda: True)
    monkeypatch.setattr(Job, "_send", lambda _job, args, key: sent.append(args))
    carrier_jobs.ask_due()
    assert [len(args) for args in sent] == [20]


def test_a_poisonous_row_does_not_come_back_at_once(carrier: FakeCarrier) -> None:
    """It would stand first in every round, and twenty of them would keep out all others."""
    publication = handed_over()
    with transaction():
        publication.account.settings = {"class": "?"}
    make_due(publication)
    assert polling.ask(publication.id) is True
    assert about(wait_of(publication), polling.STAFF_POLLS[1])
    assert carrier.done("progress") == []


def test_an_account_with_many_leaves_others_their_turn(carrier: FakeCarrier) -> None:
    many, other = [handed_over() for _one in range(25)], handed_over()
    with transaction():
        for one in many:
            one.account_id = many[0].account_id
    for one in (*many, other):
        make_due(one)
    due = [sign[0] for sign in polling.due()]
    assert other.id in due[:2]
    assert len(due) == polling.MOST_EACH + 1


def test_an_answer_nobody_can_write_down_does_not_come_back_for_ever(carrier: FakeCarrier) -> None:
    publication = handed_over()
    nonsense = EmployeeAnswer(None, HandOverState.CONFIRMED)  # type: ignore[arg-type]
    carrier.answers["progress"] = Progress(Standing.WAITING, employees=(nonsense,))
    make_due(publication)
    assert polling.ask(publication.id) is True
    session.expire_all()
    assert about(wait_of(publication), polling.STAFF_POLLS[1])
    assert publication.account.last_fault == polling.UNREADABLE


@pytest.mark.parametrize("hours", [10**9, "48"])
def test_whatever_was_typed_a_taken_post_is_written_down(carrier: FakeCarrier, hours: Any) -> None:
    """Past the carrier's yes nothing may fail any more: it would be sent again."""
    publication = handed_over(confirm_hours=hours)
    session.expire_all()
    assert publication.state is State.HANDED_OVER
    assert publication.confirm_by <= now() + timedelta(days=31)


def test_eight_workers_ask_once(own_database: Flask, fake: FakeCarrier) -> None:
    with own_database.app_context():
        publication_id = handed_over().id
        make_due(session.get_one(Publication, publication_id))
        session.remove()
    fake.answers["progress"] = Progress(Standing.LIVE)
    told = in_threads(own_database, lambda: str(polling.ask(publication_id)))
    assert sorted(told) == ["False"] * 7 + ["True"]
    assert len(fake.done("progress")) == 1
    with own_database.app_context():
        found = session.scalars(select(Publication)).one()
        assert (found.state, found.polls) == (State.PUBLISHED, 1)
        session.remove()


def test_no_connection_is_held_while_a_carrier_is_asked(
    own_database: Flask, fake: FakeCarrier
) -> None:
    held: list[int] = []

    def answer(_envelope: object) -> Progress:
        held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
        return Progress(Standing.WAITING)

    fake.answers["progress"] = answer
    with own_database.app_context():
        publication = handed_over()
        make_due(publication)
        polling.ask(publication.id)
        session.remove()
    assert held == [0]


@pytest.mark.parametrize(("look", "index"), [(polling.due, "poll_at"), (wishes.due, "wish_at")])
def test_a_look_does_not_read_the_history(
    app: Flask, look: Callable[[], object], index: str
) -> None:
    """A million published rows are not gone through every two seconds."""
    if not current().is_sqlite:
        pytest.skip("the other database learns from its own figures which index to take")
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        asked.append((statement, given))

    connection = db._app_engines[app][None]
    event.listen(connection, "before_cursor_execute", note)
    look()
    event.remove(connection, "before_cursor_execute", note)
    statement, given = asked[-1]
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
    read = [row[3] for row in plan if "publications" in row[3]]
    assert [f"ix_publications_{index}" in one for one in read] == [True]


def test_a_month_of_questions_takes_no_more_room_than_a_dozen(carrier: FakeCarrier) -> None:
    publication = handed_over(confirm_hours=700)
    for number in range(40):
        answers = [EmployeeAnswer(f"e{one}", HandOverState.CONFIRMED) for one in range(number + 1)]
        waiting = EmployeeAnswer("waits", HandOverState.WAITING)
        carrier.answers["progress"] = Progress(
            Standing.WAITING, employees=(*answers, waiting), reason="Busy " * 40
        )
        make_due(publication)
        polling.ask(publication.id)
    session.expire_all()
    (attempt,) = publication.attempts
    told = attempt.detail["asked"]
    assert (told["count"], told["changes"][-1]["confirmed"]) == (40, 40)
    assert len(told["changes"]) == questions.CHANGES_KEPT
    assert len(json.dumps(attempt.detail)) <= attempts.MOST_BYTES
