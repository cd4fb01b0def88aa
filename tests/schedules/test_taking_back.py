"""Taking back what is live or in hand: done once, and never called gone while it may be seen."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import Role, User
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Refused
from schedules import approvals, carrying, decisions, polling, publications, wishes
from schedules.channels.answers import EmployeeAnswer, Progress, Standing
from schedules.models import ReaderEntry
from schedules.states import Act, HandOverState, Outcome, ReviewState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import FakeCarrier, handed_over
from tests.schedules.ready import approved, moves_of, tried
from tests.schedules.side_by_side import in_threads
from tests.schedules.wishing import acts, amend, carry, live, withdraw


def test_what_is_live_is_taken_back_once(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    withdraw(publication, operator)
    withdraw(publication, operator)
    assert publication.state is State.PUBLISHED
    assert carry(publication) is True
    assert carry(publication) is False
    assert (publication.state, publication.wish) == (State.PUBLISHED, None)
    assert publication.withdrawn_at is not None
    assert acts(publication) == [(Act.WITHDRAW, Outcome.ACCEPTED)]
    assert moves_of(publication)[-2:] == ["withdrawal_asked", "withdrawn"]
    withdraw(publication, operator)
    assert publication.wish is None, "what is gone already is not asked for again"


def test_what_was_only_handed_over_is_cancelled(carrier: FakeCarrier, operator: User) -> None:
    publication = handed_over()
    withdraw(publication, operator)
    carry(publication)
    assert (publication.state, publication.reason) == (State.CANCELLED, carrying.TAKEN_BACK)
    assert publication.withdrawn_at is not None
    assert publication.poll_at is None


def test_what_some_had_posted_before_stays_told(carrier: FakeCarrier, operator: User) -> None:
    publication = handed_over()
    answers = (
        EmployeeAnswer("ada", HandOverState.CONFIRMED),
        EmployeeAnswer("bo", HandOverState.WAITING),
    )
    polling.apply(publication.id, Progress(Standing.WAITING, employees=answers))
    withdraw(publication, operator)
    carry(publication)
    assert (publication.state, publication.confirmed) == (State.PUBLISHED, 1)
    assert publication.withdrawn_at is not None


def test_after_taking_back_it_can_be_planned_and_sent_anew(
    carrier: FakeCarrier, operator: User
) -> None:
    publication = handed_over()
    first = publication.idempotency_key
    withdraw(publication, operator)
    carry(publication)
    post = publication.post
    with transaction():
        publications.plan(post)
        post.review = ReviewState.SUBMITTED
    with transaction():
        approvals.approve(post, revision=post.revision, by=operator)
    session.expire_all()
    assert publication.state is State.SCHEDULED
    assert publication.idempotency_key != first
    assert (publication.withdrawn_at, publication.confirm_by) == (None, None)


def test_eight_workers_take_it_back_once(own_database: Flask, fake: FakeCarrier) -> None:
    with own_database.app_context():
        publication = live()
        withdraw(publication, make.user(Role.OPERATOR))
        publication_id = publication.id
        session.remove()
    answers = in_threads(
        own_database, lambda: str(carrying.carry(publication_id, worker="one of eight"))
    )
    assert sorted(answers) == ["False"] * 7 + ["True"]
    assert len(fake.done("withdraw")) == 1


def test_the_carriers_own_withdrawal_ends_the_wish(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    withdraw(publication, operator)
    polling.apply(publication.id, Progress(Standing.WITHDRAWN))
    session.expire_all()
    assert (publication.wish, carry(publication)) == (None, False)


def test_the_reader_page_follows(operator: User) -> None:
    publication = tried(approved(account=make.account(per_minute=6000)))
    amend(publication, "Better words", operator)
    carry(publication)
    (entry,) = session.scalars(select(ReaderEntry)).all()
    assert (entry.text, publication.post.text) == ("Better words", "Better words")
    for _time in range(2):
        withdraw(publication, operator)
        carry(publication)
    assert session.scalars(select(ReaderEntry)).all() == []
    assert publication.withdrawn_at is not None


def test_the_sandbox_notes_what_was_done_to_its_post_beside_it(
    operator: User, data_home: Path
) -> None:
    publication = tried(approved())
    amend(publication, "Better words", operator)
    carry(publication)
    withdraw(publication, operator)
    carry(publication)
    ledger = data_home / "sandbox" / f"{publication.account.slug}.jsonl"
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [line.get("kind") for line in lines] == [None, "amended", "withdrawn"]
    assert lines[1]["text"].startswith("Better words")


def test_what_its_carrier_has_is_not_dropped_but_taken_back(
    carrier: FakeCarrier, operator: User
) -> None:
    """Dropped, it would be called cancelled while employees go on posting it."""
    publication = handed_over()
    for wished in (False, True):
        with pytest.raises(Conflict) as refused, transaction():
            decisions.drop(publication, by=operator)
        assert refused.value.problem.code == "in_hand"
        assert "Take it back instead" in str(refused.value)
        assert (publication.state, publication.wish is not None) == (State.HANDED_OVER, wished)
        withdraw(publication, operator)
    carry(publication)
    assert len(carrier.done("withdraw")) == 1
    assert publication.state is State.CANCELLED


def test_what_nobody_can_take_back_is_not_dropped_either(
    carrier: FakeCarrier, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeCarrier, "can_withdraw", False)
    publication = handed_over()
    with pytest.raises(Conflict, match="Stop it there") as refused, transaction():
        decisions.drop(publication, by=operator)
    assert refused.value.problem.code == "in_hand"
    assert not decisions.can_be_absent(publication)
    with time_machine.travel(publication.confirm_by + timedelta(minutes=1)), transaction():
        decisions.say_absent(publication, by=operator)
        decisions.drop(publication, by=operator)
    assert publication.state is State.CANCELLED


def test_what_employees_have_is_not_called_absent_before_it_is_taken_back(
    carrier: FakeCarrier, operator: User
) -> None:
    """Else it could be sent again, and both be posted."""
    publication = handed_over()
    with time_machine.travel(publication.confirm_by + timedelta(minutes=1)):
        with pytest.raises(Conflict), transaction():
            decisions.say_absent(publication, by=operator)
        carrier.answers["withdraw"] = Refused("The app may not")
        withdraw(publication, operator)
        carry(publication)
        assert wishes.is_given_up(publication)
        with transaction():
            decisions.say_absent(publication, by=operator)
    assert publication.state is State.FAILED


def test_what_a_carrier_confirms_by_itself_may_be_absent(
    carrier: FakeCarrier, operator: User
) -> None:
    publication = handed_over(confirmation="carrier")
    with time_machine.travel(publication.confirm_by + timedelta(minutes=1)), transaction():
        decisions.say_absent(publication, by=operator)
    assert publication.state is State.FAILED
