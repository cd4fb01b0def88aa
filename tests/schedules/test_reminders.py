"""Reminding employees: asked for by a person, carried once, as often as the carrier allows."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import AuditEntry, User
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Refused, TryAgain
from schedules import polling, reminders, stops, wishes
from schedules.channels.answers import EmployeeAnswer, Progress, Standing
from schedules.channels.calling import Silent
from schedules.models import Publication
from schedules.states import Act, HandOverState, Outcome, StopScope
from schedules.states import PublicationState as State
from tests.demo_carriers import Start
from tests.schedules.channels.corporation import asked, running, sent
from tests.schedules.fake_carrier import FakeCarrier, handed_over
from tests.schedules.wishing import carry, past_the_lease


@pytest.fixture
def carrier(carrier: FakeCarrier) -> FakeCarrier:
    """It says of every post that one employee has it and has not posted it."""
    ada = EmployeeAnswer("ada", HandOverState.WAITING)
    carrier.answers["progress"] = Progress(Standing.WAITING, employees=(ada,))
    return carrier


def in_hand() -> Publication:
    """One that an employee has and has not posted."""
    publication = handed_over()
    with transaction():
        publication.poll_at = now()
    polling.ask(publication.id)
    session.expire_all()
    return publication


def remind(publication: Publication, by: User) -> None:
    with transaction():
        reminders.ask(publication, by=by)


def told(publication: Publication) -> list[tuple[str, int | None]]:
    found = select(AuditEntry.action, AuditEntry.actor_id).where(
        AuditEntry.object_type == "publications",
        AuditEntry.object_id == publication.id,
        AuditEntry.action.contains("remind"),
    )
    return [(row[0], row[1]) for row in session.execute(found.order_by(AuditEntry.id))]


def test_they_are_reminded_once_and_that_is_written_down(
    carrier: FakeCarrier, operator: User
) -> None:
    publication = in_hand()
    for _press in range(2):
        remind(publication, operator)
    assert carry(publication) is True
    assert carry(publication) is False
    assert len(carrier.done("remind")) == 1
    assert (publication.state, publication.wish) == (State.HANDED_OVER, None)
    assert told(publication) == [
        ("publication.reminder_asked", operator.id),
        ("publication.reminded", operator.id),
    ]
    attempt = publication.attempts[-1]
    assert (attempt.act, attempt.outcome) == (Act.REMIND, Outcome.ACCEPTED)


def test_not_more_often_than_the_carrier_allows(carrier: FakeCarrier, operator: User) -> None:
    publication = in_hand()
    for _time in range(3):
        remind(publication, operator)
        carry(publication)
    with pytest.raises(Conflict) as refused:
        remind(publication, operator)
    assert refused.value.problem.code == "reminded_often"
    with time_machine.travel(now() + timedelta(hours=25)):
        remind(publication, operator)
        carry(publication)
    assert len(carrier.done("remind")) == 4


def test_who_cannot_be_reminded(
    carrier: FakeCarrier, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown, posted, withdrawn, paused, unable = (in_hand() for _ in range(5))
    with transaction():
        session.delete(unknown.employee_tasks[0])
        posted.employee_tasks[0].state = HandOverState.CONFIRMED
        wishes.ask_withdrawal(withdrawn, operator)
        paused.account.is_paused = True
    session.expire_all()
    codes = [reminders.problem(one) for one in (unknown, posted, withdrawn, paused)]
    assert [one.code for one in codes if one] == [
        "nobody_waits",
        "nobody_waits",
        "other_first",
        "at_rest",
    ]
    assert reminders.problem(unable) is None
    monkeypatch.setattr(FakeCarrier, "reminders_a_day", 0)
    found = reminders.problem(unable)
    assert found is not None
    assert found.code == "cannot_remind"


@pytest.mark.parametrize(
    ("answer", "calls"), [(Silent(), 1), (Refused("Too often"), 1), (TryAgain("Busy"), 2)]
)
def test_what_does_not_get_through_is_told_and_not_repeated_for_long(
    carrier: FakeCarrier, operator: User, answer: Exception, calls: int
) -> None:
    publication = in_hand()
    carrier.answers["remind"] = answer
    remind(publication, operator)
    for turn in range(4):
        with time_machine.travel(now() + timedelta(minutes=10 * turn)):
            carry(publication)
    assert len(carrier.done("remind")) == calls
    assert publication.wish is None
    assert told(publication)[-1] == ("publication.reminder_failed", None)


def test_a_stop_that_comes_meanwhile_wins(carrier: FakeCarrier, operator: User) -> None:
    publication = in_hand()
    remind(publication, operator)
    fields = stops.StopFields(StopScope.ALL, "fire")
    with transaction():
        stops.raise_stop(fields, by=operator)
    assert carry(publication) is False
    assert (carrier.done("remind"), publication.wish) == ([], None)
    assert told(publication)[-1] == ("publication.reminder_failed", None)


def test_taking_it_back_comes_before_a_reminder(carrier: FakeCarrier, operator: User) -> None:
    publication = in_hand()
    remind(publication, operator)
    with transaction():
        wishes.ask_withdrawal(publication, operator)
    carry(publication)
    assert carrier.done("remind") == []
    assert publication.state is State.CANCELLED


def test_a_worker_that_dies_leaves_it_to_the_next(carrier: FakeCarrier, operator: User) -> None:
    publication = in_hand()
    remind(publication, operator)

    def die(_envelope: object) -> None:
        raise SystemExit

    carrier.answers["remind"] = [die, None]
    with pytest.raises(SystemExit):
        carry(publication)
    del carrier.answers["remind"]
    with time_machine.travel(past_the_lease()):
        assert carry(publication) is True
    assert publication.wish is None


def test_wecom_reminds_whoever_has_not_posted(
    app: Flask, operator: User, start_carriers: Start
) -> None:
    corporation = running(start_carriers)
    publication = sent(corporation.account("wecom_mass"))
    corporation.advance(10)
    corporation.control("confirm", employee="lina")
    asked(publication)
    remind(publication, operator)
    carry(publication)
    assert len(corporation.shown("mass_reminder")) == 1
    assert publication.attempts[-1].detail["reminded"] == 1
