"""Taking back and correcting what is live: asked for once, carried by one worker, honest about failure."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role, User
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Forbidden, Invalid, Refused, TryAgain
from cms.core.jobs import Job
from schedules import (
    approvals,
    carrier_jobs,
    carrying,
    decisions,
    inbox,
    polling,
    publications,
    stops,
    wishes,
)
from schedules.channels.answers import EmployeeAnswer, Progress, Standing
from schedules.channels.base import Receipt
from schedules.channels.calling import Silent
from schedules.content import content_hash, outgoing
from schedules.models import Publication, ReaderEntry
from schedules.states import Act, HandOverState, Outcome, ReviewState, StopScope
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import FakeCarrier, handed_over, ready
from tests.schedules.ready import account, approved, tried
from tests.schedules.side_by_side import in_threads


def past_the_lease() -> datetime:
    return now() + timedelta(seconds=current().lease_seconds + 1)


def live(**settings: Any) -> Publication:
    """One that the fake carrier shows."""
    publication = ready(confirmation="nobody", **settings)
    tried(publication)
    assert publication.state is State.PUBLISHED
    return publication


def withdraw(publication: Publication, by: User) -> None:
    with transaction():
        wishes.ask_withdrawal(publication, by, "Wrong picture")


def amend(publication: Publication, text: str, by: User) -> None:
    with transaction():
        wishes.ask_amendment(publication, text, by)


def carry(publication: Publication) -> bool:
    tried = carrying.carry(publication.id, worker="here")
    session.expire_all()
    return tried


def acts(publication: Publication) -> list[tuple[Act, Outcome | None]]:
    return [(one.act, one.outcome) for one in publication.attempts if one.act is not Act.SEND]


def told(publication: Publication) -> list[str]:
    found = select(AuditEntry.action).where(
        AuditEntry.object_type == "publications", AuditEntry.object_id == publication.id
    )
    return [one.removeprefix("publication.") for one in session.scalars(found.order_by("id"))]


# --- taking back


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
    assert told(publication)[-2:] == ["withdrawal_asked", "withdrawn"]
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
    assert told(publication)[-1] == "withdrawal_failed"
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
    assert told(publication)[-1] == "wish_dropped"


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
    publication = live()
    withdraw(publication, operator)
    with transaction():
        publication.account.settings = {"class": "?"}
    assert carry(publication) is False
    assert wishes.due() == []
    with time_machine.travel(now() + timedelta(days=1)):
        for _try in range(carrying.MOST_TRIES - 1):
            with transaction():
                publication.wish_at = now()
            carry(publication)
        assert inbox.trouble_of(publication) is inbox.Trouble.WISH
    assert publication.reason == carrying.BROKEN


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


# --- other words


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
    publication = approved(account=make.account(channel="manual", per_minute=6000))
    tried(publication)
    assert wishes.problem(publication, Act.WITHDRAW).message == wishes.BY_HAND


# --- our own channels


def test_the_reader_page_follows(operator: User) -> None:
    publication = approved(account=make.account(per_minute=6000))
    tried(publication)
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
    publication = approved()
    tried(publication)
    amend(publication, "Better words", operator)
    carry(publication)
    withdraw(publication, operator)
    carry(publication)
    ledger = data_home / "sandbox" / f"{publication.account.slug}.jsonl"
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [line.get("kind") for line in lines] == [None, "amended", "withdrawn"]
    assert lines[1]["text"].startswith("Better words")


def test_the_clock_hints_wishes_once(
    app: Flask, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = approved(account=account())
    tried(publication)
    withdraw(publication, operator)
    sent: list[Any] = []
    monkeypatch.setattr("schedules.carrier_jobs.is_broker_there", lambda: True)
    monkeypatch.setattr(Job, "_send", lambda _job, args, key: sent.append(args))
    carrier_jobs.hint_wishes()
    carrier_jobs.hint_wishes()
    assert sent == [(publication.id,)]


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
