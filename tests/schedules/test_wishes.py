"""What is asked of a carrier about a live post: carried by one worker, tried anew, honest about failure."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Refused, TryAgain
from cms.core.jobs import Job
from schedules import carrier_jobs, carrying, inbox, wishes
from schedules.channels.base import Receipt
from schedules.channels.calling import Silent
from schedules.states import Act, Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import FakeCarrier, ready
from tests.schedules.ready import account, approved, moves_of, tried
from tests.schedules.wishing import acts, amend, carry, live, past_the_lease, withdraw


@pytest.mark.parametrize("answer", [Silent(), TryAgain("Busy"), Receipt(Outcome.UNCERTAIN)])
def test_nothing_known_is_simply_tried_again(
    carrier: FakeCarrier, operator: User, answer: Any
) -> None:
    publication = live()
    withdraw(publication, operator)
    carrier.answers["withdraw"] = [answer, Receipt(Outcome.ACCEPTED)]
    carry(publication)
    assert publication.withdrawn_at is None
    assert publication.wish is Act.WITHDRAW
    assert carry(publication) is False, "it waits before it is tried again"
    assert publication.attempts[-1].detail["next_try_at"]
    with time_machine.travel(now() + timedelta(seconds=6)):
        assert carry(publication) is True
    assert publication.withdrawn_at is not None


def test_after_eight_tries_it_says_why(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    withdraw(publication, operator)
    carrier.answers["withdraw"] = TryAgain("Nobody answers there")
    moment = now()
    for _turn in range(10):
        moment += timedelta(hours=4)
        with time_machine.travel(moment):
            carry(publication)
    assert len(carrier.done("withdraw")) == carrying.MOST_TRIES
    assert publication.reason == "Nobody answers there"
    assert publication.state is State.PUBLISHED
    assert moves_of(publication)[-1] == "withdrawal_failed"
    withdraw(publication, operator)
    assert (publication.wish, publication.wish_tries) == (Act.WITHDRAW, 0), "asked for once more"
    carrier.answers["withdraw"] = Receipt(Outcome.ACCEPTED)
    assert carry(publication) is True
    assert publication.withdrawn_at is not None


@pytest.mark.parametrize("act", ["withdraw", "amend"])
def test_what_the_carrier_refuses_stays_before_somebody(
    carrier: FakeCarrier, operator: User, act: str
) -> None:
    """Readers still see what was to be gone: whoever asked must not believe that it is."""
    publication = live()
    if act == "withdraw":
        withdraw(publication, operator)
    else:
        amend(publication, "Better words", operator)
    carrier.answers[act] = Refused("Not any more")
    carry(publication)
    assert inbox.trouble_of(publication) is inbox.Trouble.WISH
    assert inbox.count() == 1
    with time_machine.travel(now() + timedelta(days=2)):
        assert wishes.due() == [], "what was refused is not tried again by itself"
        assert carry(publication) is False
        assert inbox.trouble_of(publication) is inbox.Trouble.WISH
    with transaction():
        wishes.let_be(publication, by=operator)
        wishes.let_be(publication, by=operator)
    session.expire_all()
    assert (publication.wish, inbox.count()) == (None, 0)
    assert moves_of(publication)[-1] == "wish_dropped"


def test_a_wish_that_waits_for_its_account_is_shown(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    amend(publication, "Better words", operator)
    with transaction():
        publication.account.is_paused = True
    moment = now()
    for _turn in range(4):
        moment += timedelta(minutes=1)
        with time_machine.travel(moment):
            carry(publication)
    assert inbox.trouble_of(publication) is inbox.Trouble.WISH
    with transaction():
        publication.account.is_paused = False
    carrier.answers["amend"] = [TryAgain("Busy"), Receipt(Outcome.ACCEPTED)]
    for _turn in range(2):
        moment += timedelta(hours=1)
        with time_machine.travel(moment):
            assert carry(publication) is True
    assert publication.post.text == "Better words"


def test_a_refusal_ends_it_at_once(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    withdraw(publication, operator)
    carrier.answers["withdraw"] = Refused("Too old to be taken back")
    carry(publication)
    assert publication.reason == "Too old to be taken back"
    assert publication.withdrawn_at is None
    assert len(carrier.done("withdraw")) == 1


def test_a_worker_that_dies_leaves_the_wish_to_the_next(
    carrier: FakeCarrier, operator: User
) -> None:
    publication = live()
    withdraw(publication, operator)
    carrier.answers["withdraw"] = SystemExit("killed")
    with pytest.raises(SystemExit):
        carry(publication)
    session.expire_all()
    assert acts(publication) == [(Act.WITHDRAW, None)], "written before the first byte left"
    assert carry(publication) is False
    carrier.answers["withdraw"] = Receipt(Outcome.ACCEPTED)
    with time_machine.travel(past_the_lease()):
        assert carry(publication) is True
    assert acts(publication) == [
        (Act.WITHDRAW, Outcome.UNCERTAIN),
        (Act.WITHDRAW, Outcome.ACCEPTED),
    ]
    assert publication.withdrawn_at is not None


def test_a_poisonous_wish_fails_alone_and_is_shown(carrier: FakeCarrier, operator: User) -> None:
    bad, good = live(), live()
    for one in (bad, good):
        withdraw(one, operator)
    with transaction():
        bad.account.settings = {"class": "?"}
    assert carry(bad) is False
    assert [sign[0] for sign in wishes.due()] == [good.id]
    assert carry(good) is True
    with time_machine.travel(now() + timedelta(days=1)):
        for _try in range(carrying.MOST_TRIES - 1):
            with transaction():
                bad.wish_at = now()
            carry(bad)
        assert inbox.trouble_of(bad) is inbox.Trouble.WISH
    assert bad.reason == carrying.BROKEN


def test_a_stale_answer_is_refused_by_the_fence(carrier: FakeCarrier, operator: User) -> None:
    publication = live()
    withdraw(publication, operator)
    inner: list[bool] = []

    def slow(_envelope: object) -> Receipt:
        if inner:
            raise Refused("No")
        inner.append(True)
        with time_machine.travel(past_the_lease()):
            inner.append(carrying.carry(publication.id, worker="peer"))
        return Receipt(Outcome.ACCEPTED)

    carrier.answers["withdraw"] = slow
    carry(publication)
    assert inner == [True, True]
    assert publication.withdrawn_at is None, "the peer's answer stands, the thawed one's does not"
    assert publication.attempts[-2].detail["late_answer"]["outcome"] == "accepted"


def test_what_the_carrier_cannot_do_is_refused_in_its_words(
    carrier: FakeCarrier, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication, waiting = live(), ready()
    for name in ("can_amend", "can_withdraw"):
        monkeypatch.setattr(FakeCarrier, name, False)
    with pytest.raises(Conflict) as refused:
        withdraw(publication, operator)
    assert refused.value.problem.code == "cannot_withdraw"
    assert "Fake carrier" in str(refused.value.problem)
    with pytest.raises(Conflict) as refused:
        amend(publication, "Better", operator)
    assert refused.value.problem.code == "cannot_amend"
    assert wishes.problem(waiting, Act.WITHDRAW).message == wishes.NOT_LIVE
    with pytest.raises(Conflict):
        withdraw(waiting, operator)


def test_what_a_person_posted_by_hand_only_a_person_can_change(operator: User) -> None:
    publication = tried(approved(account=make.account(channel="manual", per_minute=6000)))
    assert wishes.problem(publication, Act.WITHDRAW).message == wishes.BY_HAND


def test_the_clock_hints_wishes_once(
    app: Flask, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = tried(approved(account=account()))
    withdraw(publication, operator)
    sent: list[Any] = []
    monkeypatch.setattr("schedules.carrier_jobs.is_broker_there", lambda: True)
    monkeypatch.setattr(Job, "_send", lambda _job, args, key: sent.append(args))
    carrier_jobs.hint_wishes()
    carrier_jobs.hint_wishes()
    assert sent == [(publication.id,)]
