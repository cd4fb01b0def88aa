"""A carrier whose list proves nothing: asked again ever more rarely, then a person's word decides."""

from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Refused, TryAgain
from schedules import decisions
from schedules.channels.base import Receipt
from schedules.channels.calling import Silent
from schedules.models import Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import ACCEPTED, FakeCarrier, ready
from tests.schedules.ready import again

LOOK_FOR = "Look for a post with its link in the carrier's own list."
ABSENT = Receipt(Outcome.UNCERTAIN, reason=LOOK_FOR, is_unproven=True)


@pytest.fixture
def doubtful(carrier: FakeCarrier) -> Publication:
    """Sent without an answer; the carrier does not list it."""
    carrier.answers |= {"deliver": [Silent(), ACCEPTED], "find": ABSENT}
    publication = again(ready())
    assert publication.state is State.SCHEDULED
    return publication


def doubt_ends(publication: Publication, clock: time_machine.Traveller) -> list[float]:
    """Tried whenever it is due, until a person is asked; the minutes at which that was."""
    begun, at = now(), []
    while publication.state is State.SCHEDULED and len(at) < 20:
        clock.move_to(publication.due_at + timedelta(seconds=1), tick=False)
        again(publication)
        at.append((now() - begun) / timedelta(minutes=1))
    return at


def say_again(publication: Publication) -> Publication:
    with transaction():
        decisions.resolve_uncertain(publication, "again", by=make.user(Role.OPERATOR))
    session.expire_all()
    return again(publication)


def test_it_is_never_sent_again_by_itself(carrier: FakeCarrier, doubtful: Publication) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        at = doubt_ends(doubtful, clock)
    assert (doubtful.state, doubtful.reason) == (State.UNCERTAIN, LOOK_FOR)
    assert len(carrier.done("deliver")) == 1
    waits = [later - earlier for earlier, later in pairwise(at[:-1])]
    assert waits == sorted(waits)
    assert 4 <= len(at) <= 8
    assert 59 < at[-1] < 62


def test_what_appears_meanwhile_is_adopted(carrier: FakeCarrier, doubtful: Publication) -> None:
    carrier.answers["find"] = [ABSENT, ABSENT, ACCEPTED]
    with time_machine.travel(now(), tick=False) as clock:
        doubt_ends(doubtful, clock)
    assert doubtful.state is State.HANDED_OVER
    assert len(carrier.done("deliver")) == 1


def test_a_persons_word_sends_it(carrier: FakeCarrier, doubtful: Publication) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        doubt_ends(doubtful, clock)
        say_again(doubtful)
    assert doubtful.state is State.HANDED_OVER
    assert len(carrier.done("deliver")) == 2


def test_a_persons_word_does_not_double_what_has_come(
    carrier: FakeCarrier, doubtful: Publication
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        doubt_ends(doubtful, clock)
        carrier.answers["find"] = ACCEPTED
        say_again(doubtful)
    assert doubtful.state is State.HANDED_OVER
    assert len(carrier.done("deliver")) == 1


def test_a_persons_word_outlives_a_look_that_did_not_get_through(
    carrier: FakeCarrier, doubtful: Publication
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        doubt_ends(doubtful, clock)
        carrier.answers["find"] = [TryAgain("Busy"), ABSENT]
        say_again(doubtful)
        assert doubtful.state is State.SCHEDULED
        again(doubtful)
    assert doubtful.state is State.HANDED_OVER
    assert len(carrier.done("deliver")) == 2


def test_a_new_silence_after_that_is_a_new_doubt(
    carrier: FakeCarrier, doubtful: Publication
) -> None:
    carrier.answers["deliver"] = Silent()
    with time_machine.travel(now(), tick=False) as clock:
        doubt_ends(doubtful, clock)
        say_again(doubtful)
        assert doubtful.state is State.SCHEDULED
        at = doubt_ends(doubtful, clock)
    assert doubtful.state is State.UNCERTAIN
    assert at[-1] > 59
    assert len(carrier.done("deliver")) == 2


def test_after_a_persons_word_a_no_is_a_no(carrier: FakeCarrier, doubtful: Publication) -> None:
    carrier.answers["deliver"] = Refused("No.")
    with time_machine.travel(now(), tick=False) as clock:
        doubt_ends(doubtful, clock)
        say_again(doubtful)
    assert (doubtful.state, doubtful.reason) == (State.FAILED, "No.")
