"""Confirmations entered for somebody else: by employee and for the whole pool, with proof."""

import pytest

from cms.accounts.models import Role
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Forbidden, Invalid, NotFound
from schedules import by_hand, polling
from schedules.channels.answers import EmployeeAnswer, Progress, Standing
from schedules.channels.base import Confirmation, Receipt
from schedules.models import Publication
from schedules.states import HandOverState, Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import FakeCarrier, handed_over, ready
from tests.schedules.ready import tried


def asked(*names: str) -> Publication:
    publication = handed_over()
    waiting = tuple(EmployeeAnswer(name, HandOverState.WAITING) for name in names)
    polling.apply(publication.id, Progress(Standing.WAITING, employees=waiting))
    session.expire_all()
    return publication


def confirm(publication: Publication, employee: str = "", note: str = "Seen on her phone") -> None:
    with transaction():
        by_hand.confirm_by_hand(publication, employee, by=make.user(Role.OPERATOR), note=note)
    session.expire_all()


def test_it_is_published_when_the_last_employee_has_been_seen(carrier: FakeCarrier) -> None:
    publication = asked("ada", "bo")
    confirm(publication, "ada")
    confirm(publication, "ada", note="again")
    assert (publication.state, publication.confirmed) == (State.HANDED_OVER, 1)
    task = publication.employee_tasks[0]
    assert (task.state, task.note) == (HandOverState.CONFIRMED, "Seen on her phone")
    assert task.decided_by is not None
    confirm(publication, "bo")
    assert (publication.state, publication.confirmed) == (State.PUBLISHED, 2)


def test_the_carrier_does_not_take_back_what_a_person_saw(carrier: FakeCarrier) -> None:
    publication = asked("ada", "bo")
    confirm(publication, "ada")
    answers = (
        EmployeeAnswer("ada", HandOverState.WAITING),
        EmployeeAnswer("bo", HandOverState.CONFIRMED),
    )
    polling.apply(publication.id, Progress(Standing.WAITING, employees=answers))
    session.expire_all()
    assert (publication.state, publication.confirmed) == (State.PUBLISHED, 2)


def test_the_whole_pool_is_confirmed_with_one_proof(carrier: FakeCarrier) -> None:
    publication = asked("ada", "bo")
    with pytest.raises(Invalid, match="screenshot"):
        confirm(publication, note=" ")
    assert publication.state is State.HANDED_OVER
    confirm(publication)
    assert publication.state is State.PUBLISHED
    (pack,) = publication.hand_overs
    assert (pack.state, pack.note) == (HandOverState.CONFIRMED, "Seen on her phone")
    with pytest.raises(Conflict):
        confirm(publication)


def test_it_fails_when_everybody_declines(carrier: FakeCarrier) -> None:
    publication, by = asked("ada", "bo"), make.user(Role.OPERATOR)
    for name in ("ada", "bo"):
        assert publication.state is State.HANDED_OVER
        with transaction():
            by_hand.decline_by_hand(publication, name, by=by, reason="On leave")
        session.expire_all()
    assert publication.state is State.FAILED
    assert publication.reason.startswith("Everybody")


def test_a_decline_does_not_undo_a_confirmation(carrier: FakeCarrier) -> None:
    publication, by = asked("ada", "bo"), make.user(Role.OPERATOR)
    confirm(publication, "ada")
    with pytest.raises(Conflict) as refused, transaction():
        by_hand.decline_by_hand(publication, "ada", by=by, reason="No")
    assert refused.value.problem.code == "already_confirmed"
    with transaction():
        by_hand.decline_by_hand(publication, "bo", by=by, reason="On leave")
    session.expire_all()
    assert (publication.state, publication.reason) == (
        State.PUBLISHED,
        "1 of 2 have confirmed it.",
    )


def test_who_may_not_and_whom_nobody_asked(carrier: FakeCarrier) -> None:
    publication = asked("ada")
    with pytest.raises(Forbidden), transaction():
        by_hand.confirm_by_hand(publication, "ada", by=make.user(Role.PLANNER), note="Mine")
    with pytest.raises(NotFound):
        confirm(publication, "nobody")
    with pytest.raises(Invalid):
        confirm(publication, "ada", note="")


def test_a_carrier_that_needs_a_person_after_all_gives_a_pack(carrier: FakeCarrier) -> None:
    """An account without the right to publish: its draft waits in the carrier's console."""
    words = "The draft is in the console. Publish it there."
    carrier.answers["deliver"] = Receipt(
        Outcome.ACCEPTED, "draft-1", confirmation=Confirmation.PERSON, reason=words
    )
    publication = ready()
    tried(publication)
    assert (publication.state, publication.reason) == (State.HANDED_OVER, words)
    assert (publication.poll_at, publication.confirm_by) == (None, None)
    (pack,) = publication.hand_overs
    assert pack.state is HandOverState.WAITING
    confirm(publication)
    assert (publication.state, pack.state) == (State.PUBLISHED, HandOverState.CONFIRMED)
