"""The attempt log and what hangs on it: look-ups before repeats, steps resumed, crashes counted."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import TryAgain
from schedules import approvals, attempts, decisions, publications, publishing, reconciling, steps
from schedules.channels.base import Receipt
from schedules.channels.calling import Call, Silent, _calls
from schedules.envelopes import Envelope
from schedules.models import Publication
from schedules.states import Outcome, ReviewState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import ACCEPTED, FakeCarrier, handed_over, ready


def publish(publication: Publication) -> Publication:
    with transaction():
        if publication.state is State.SCHEDULED:
            publication.due_at = now() - timedelta(seconds=1)
            publication.account.blocked_until = None
    publishing.publish(publication.id, worker="host:7")
    session.expire_all()
    return publication


def crash(publication: Publication, carrier: FakeCarrier, act: str = "deliver") -> None:
    """The worker dies while the carrier has the call, and its lease runs out."""
    carrier.answers[act] = SystemExit("killed")
    with pytest.raises(SystemExit):
        publish(publication)
    session.expire_all()
    with transaction():
        publication.lease_until = now() - timedelta(seconds=1)
    reconciling.settle_expired()
    session.expire_all()
    del carrier.answers[act]


def calls(envelope: Envelope, number: int, letter: str = "好") -> None:
    """As if the member had spoken to its carrier that often, at length."""
    recorded = _calls.get()
    assert recorded is not None
    for _one in range(number):
        address = f"https://carrier.test/{letter * 200}?key={envelope.key}"
        recorded.append(Call("POST", address, letter * 400, 200, letter * 400, 12))


# --- what is kept


def test_eight_tries_of_five_long_calls_stay_below_64_kilobytes(carrier: FakeCarrier) -> None:
    def busy(envelope: Envelope) -> Receipt:
        calls(envelope, 5)
        raise TryAgain("The carrier is busy and says so at some length. " * 8)

    carrier.answers["deliver"] = busy
    publication = ready()
    for _turn in range(8):
        publish(publication)
    assert publication.state is State.FAILED
    details = [attempt.detail for attempt in publication.attempts]
    assert len(details) == 8
    assert sum(len(json.dumps(one)) for one in details) < 64_000
    assert all(len(one["calls"]) == 5 for one in details)
    assert all(one["calls"][0]["said"].startswith("好好") for one in details)
    assert details[0]["next_try_at"]
    assert "next_try_at" not in details[-1]


def test_short_calls_are_kept_whole() -> None:
    said = {"calls": [{"sent": "a" * 400, "said": "b" * 300}], "ms": 3, "reason": "Busy"}
    assert attempts.bounded(said) == said


def test_of_very_many_calls_both_ends_are_kept() -> None:
    many = [{"said": f"{number} " + "好" * 50} for number in range(200)]
    kept = attempts.bounded({"calls": many})
    assert len(json.dumps(kept)) <= attempts.MOST_BYTES
    assert kept["calls"][0]["said"].startswith("0 ")
    assert kept["calls"][-1]["said"].startswith("199 ")


def test_a_try_tells_who_made_it_and_what_was_sent(carrier: FakeCarrier) -> None:
    publication = publish(ready())
    (attempt,) = publication.attempts
    assert attempt.detail["worker"] == "host:7"
    assert attempt.detail["text"].startswith("Worth a read")
    assert attempt.detail["ms"] >= 0
    assert attempt.finished_at is not None


# --- asking before repeating


def test_an_adopted_task_is_handed_over_like_a_new_one(carrier: FakeCarrier) -> None:
    publication = ready()
    carrier.answers["deliver"] = Silent()
    publish(publication)
    assert publication.state is State.SCHEDULED

    def found(envelope: Envelope) -> Receipt:
        calls(envelope, 1, "x")
        steps.note(envelope, job="j-1")
        return ACCEPTED

    carrier.answers["find"] = found
    publish(publication)
    assert (publication.state, publication.external_id) == (State.HANDED_OVER, "task-1")
    assert publication.poll_at is not None
    assert publication.carrier_facts["job"] == "j-1"
    assert len(carrier.done("deliver")) == 1
    looked = publication.attempts[-1].detail
    assert looked["looked_up"] is True
    assert looked["calls"][0]["address"].startswith("https://carrier.test/")


def test_a_crash_is_followed_by_a_question_not_by_a_send(carrier: FakeCarrier) -> None:
    publication = ready()
    crash(publication, carrier)
    assert publication.attempts[0].detail["lost"] is True
    assert publication.attempts[0].detail["worker"] == "host:7"
    carrier.answers["find"] = Receipt(Outcome.UNCERTAIN)
    publish(publication)
    assert [act for act, _envelope in carrier.acts] == ["deliver", "find"]
    carrier.answers["find"] = Receipt(Outcome.NOT_SENT)
    publish(publication)
    assert [act for act, _envelope in carrier.acts] == ["deliver", "find", "find", "deliver"]
    assert publication.state is State.HANDED_OVER
    assert "look_up" in publication.attempts[-1].detail


def test_not_found_is_believed_only_when_the_carrier_had_time(
    carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeCarrier, "settles_after", timedelta(minutes=2))
    publication = ready()
    carrier.answers["deliver"] = Silent()
    publish(publication)
    publish(publication)
    assert [act for act, _envelope in carrier.acts] == ["deliver", "find"]
    assert publication.state is State.SCHEDULED
    with transaction():
        for attempt in publication.attempts:
            attempt.started_at -= timedelta(minutes=3)
    carrier.answers["deliver"] = ACCEPTED
    publish(publication)
    assert publication.state is State.HANDED_OVER


def test_a_crash_during_the_question_is_asked_about_again(carrier: FakeCarrier) -> None:
    publication = ready()
    crash(publication, carrier)
    crash(publication, carrier, "find")
    assert publication.state is State.SCHEDULED
    publish(publication)
    assert [act for act, _envelope in carrier.acts] == ["deliver", "find", "find", "deliver"]


def test_three_crashes_put_it_on_hold(carrier: FakeCarrier) -> None:
    publication = ready()
    for _time in range(3):
        crash(publication, carrier, "deliver" if not carrier.acts else "find")
    assert (publication.state, publication.reason) == (State.HELD, reconciling.CRASHED)
    assert len(carrier.done("deliver")) == 1


def test_what_was_turned_down_later_is_not_found_again(carrier: FakeCarrier) -> None:
    """Sent anew, only the new send is asked about: the old task would be adopted for ever."""
    publication = ready()
    carrier.answers["deliver"] = [Silent(), ACCEPTED]
    publish(publication)
    publish(publication)
    assert publication.state is State.HANDED_OVER
    assert attempts.unresolved(publication.id) == []
    assert attempts.was_accepted(publication.id)


# --- steps


def test_a_send_of_several_steps_goes_on_where_it_stopped(carrier: FakeCarrier) -> None:
    def step_by_step(envelope: Envelope) -> Receipt:
        if "draft" not in envelope.facts:
            steps.note(envelope, draft="d-1")
            raise TryAgain("Later")
        return Receipt(Outcome.ACCEPTED, external_id=f"from {envelope.facts['draft']}")

    carrier.answers["deliver"] = step_by_step
    publication = publish(ready())
    assert publication.state is State.SCHEDULED
    publish(publication)
    assert publication.external_id == "from d-1"
    assert publication.carrier_facts["draft"] == "d-1"


def test_a_draft_of_other_words_is_not_gone_on_with(carrier: FakeCarrier) -> None:
    publication = ready()
    seen: list[dict[str, Any]] = []

    def draft(envelope: Envelope) -> Receipt:
        seen.append(dict(envelope.facts))
        steps.note(envelope, draft="old words")
        raise TryAgain("Later")

    carrier.answers["deliver"] = draft
    publish(publication)
    post = publication.post
    with transaction():
        publications.unschedule(post, by=None)
        post.text, post.review = "New words", ReviewState.SUBMITTED
    with transaction():
        approvals.approve(post, revision=post.revision, by=make.user(Role.OPERATOR))
    publish(publication)
    publish(publication)
    assert [facts.get("draft") for facts in seen] == [None, None, "old words"]


def test_a_stale_worker_notes_nothing(carrier: FakeCarrier) -> None:
    publication = handed_over()
    session.expire_all()
    (envelope,) = carrier.done("deliver")
    with transaction():
        publication.fence += 1
    steps.note(envelope, draft="stale")
    session.expire_all()
    assert publication.carrier_facts == {}


def test_a_part_of_a_long_send_is_no_accepted_send(carrier: FakeCarrier) -> None:
    publication = ready()
    carrier.answers["deliver"] = Receipt(Outcome.ACCEPTED, goes_on=True)
    publish(publication)
    key = publication.idempotency_key
    assert publication.state is State.SCHEDULED
    assert not attempts.was_accepted(publication.id)
    with transaction():
        publications.move(publication, State.HELD, by=None)
        decisions.publish_now(publication, by=make.user(Role.OPERATOR))
    assert publication.idempotency_key == key
