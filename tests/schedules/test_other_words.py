"""Other words for what is live: shown, answered for, and kept only when its carrier has taken them."""

from datetime import timedelta

import pytest
import time_machine

from cms.accounts.models import Role, User
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Forbidden, Invalid, Refused
from schedules import approvals, carrying, stops, wishes
from schedules.channels.base import Receipt
from schedules.content import content_hash, outgoing
from schedules.states import Outcome, StopScope
from tests import factories as make
from tests.schedules.fake_carrier import FakeCarrier
from tests.schedules.wishing import amend, carry, live, withdraw


def test_other_words_are_shown_and_answered_for(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    post = publication.post
    before = post.text
    amend(publication, "Better words", operator)
    assert post.text == before, "the post says what is shown, not what is wished"
    carry(publication)
    (sent,) = carrier.done("amend")
    assert sent.outgoing.text.startswith("Better words\nhttp")
    assert (post.text, publication.wish) == ("Better words", None)
    assert publication.amended_at is not None
    assert publication.content_hash == content_hash(outgoing(post))
    decision = approvals.latest(post)
    assert (decision.by_id, decision.revision) == (operator.id, post.revision)
    assert decision.content_hash == publication.content_hash


def test_words_that_were_refused_are_not_kept(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    before = publication.post.text
    amend(publication, "Better words", operator)
    carrier.answers["amend"] = Refused("Forbidden word")
    carry(publication)
    assert publication.post.text == before
    assert (publication.reason, publication.amended_at) == ("Forbidden word", None)
    carrier.answers["amend"] = Receipt(Outcome.ACCEPTED)
    amend(publication, "Best words", operator)
    carry(publication)
    assert (publication.post.text, publication.reason) == ("Best words", "")


def test_the_same_words_change_nothing(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    amend(publication, f"  {publication.post.text} ", operator)
    assert publication.wish is None


def test_words_asked_for_meanwhile_follow(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    amend(publication, "First", operator)

    def answer(_envelope: object) -> Receipt:
        amend(publication, "Second", operator)
        carrier.answers["amend"] = Receipt(Outcome.ACCEPTED)
        assert carrying.carry(publication.id, worker="peer") is False, "two calls could cross"
        return Receipt(Outcome.ACCEPTED)

    carrier.answers["amend"] = answer
    carry(publication)
    assert (publication.post.text, publication.wish_text) == ("First", "Second")
    carry(publication)
    assert (publication.post.text, publication.wish) == ("Second", None)


def test_taking_back_beats_new_words(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    amend(publication, "Better words", operator)
    withdraw(publication, operator)
    with pytest.raises(Conflict) as refused:
        amend(publication, "Best words", operator)
    assert refused.value.problem.message == wishes.GOING
    carry(publication)
    assert (carrier.done("amend"), publication.withdrawn_at is None) == ([], False)


def test_new_words_wait_while_the_account_is_stopped(carrier: FakeCarrier, operator: User) -> None:
    amended, taken_back = live(), live()
    with transaction():
        stop = stops.raise_stop(stops.StopFields(StopScope.ALL, "Storm"), by=operator)
    amend(amended, "Better words", operator)
    withdraw(taken_back, operator)
    assert (carry(amended), carry(taken_back)) == (False, True)
    assert taken_back.withdrawn_at is not None
    with transaction():
        stops.lift(stop, by=operator)
    with time_machine.travel(now() + timedelta(minutes=1)):
        assert carry(amended) is True


def test_who_may_correct_what_is_live(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    with pytest.raises(Forbidden) as refused:
        amend(publication, "Mine", make.user(Role.PLANNER))
    assert refused.value.problem.code == "not_allowed"
    author = session.get_one(User, publication.post.created_by_id)
    with transaction():
        author.role = Role.OPERATOR
    with pytest.raises(Forbidden) as refused:
        amend(publication, "Mine", author)
    assert refused.value.problem.code == "own_post"
    for text in (" ", "x" * 501):
        with pytest.raises(Invalid):
            amend(publication, text, operator)
    assert publication.wish is None
