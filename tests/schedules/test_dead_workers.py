"""Workers who die, freeze or answer late: claims come back, tries are settled, stale answers refused."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import publishing, receipts, reconciling
from schedules.channels.base import Receipt
from schedules.models import Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests.schedules.ready import account, approved, tried


def lapse(publication: Publication) -> None:
    with transaction():
        publication.lease_until = now() - timedelta(seconds=1)


def claim(publication: Publication) -> Any:
    fence = publishing.claim(publication.id, worker="dying")
    assert fence is not None
    return fence


def test_a_claim_whose_worker_died_comes_back(app: Flask) -> None:
    publication = approved()
    claim(publication)
    assert reconciling.settle_expired() == 0
    lapse(publication)
    assert reconciling.settle_expired() == 1
    session.expire_all()
    assert publication.state is State.SCHEDULED
    assert tried(publication).state is State.PUBLISHED
    assert publication.fence == 2


def test_with_the_lease_rule_off_a_living_worker_loses_its_claim(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: it is the lease that protects a claim."""
    monkeypatch.setenv("SEEDBED_DISABLE", "lease")
    publication = approved()
    claim(publication)
    assert reconciling.settle_expired() == 1


@pytest.mark.parametrize(
    ("repeat", "then", "effects_then"),
    [("K", State.PUBLISHED, 1), ("Q", State.PUBLISHED, 1), ("N", State.UNCERTAIN, 0)],
)
def test_a_worker_that_died_while_sending_is_settled_by_class(
    app: Flask, effects: Any, repeat: str, then: State, effects_then: int
) -> None:
    publication = approved(account=account("ok", repeat))
    fence = claim(publication)
    assert publishing._prepared(publication.id, fence) is not None
    session.expire_all()
    assert publication.state is State.SENDING
    lapse(publication)
    assert reconciling.settle_expired() == 1
    assert tried(publication).state is then
    assert len(effects(publication)) == effects_then
    assert publication.attempts[0].outcome is Outcome.UNCERTAIN


def test_three_crashes_put_it_on_hold(app: Flask) -> None:
    publication = approved()
    for _crash in range(reconciling.MOST_CRASHES):
        with transaction():
            publication.due_at = now()
        assert publishing._prepared(publication.id, claim(publication)) is not None
        lapse(publication)
        reconciling.settle_expired()
        session.expire_all()
    assert (publication.state, publication.reason) == (State.HELD, reconciling.CRASHED)


def late_answer(publication: Publication) -> tuple[bool, Publication]:
    """A worker freezes after its call; a peer takes over; then its answer comes."""
    envelope = publishing._prepared(publication.id, claim(publication))
    assert envelope is not None
    lapse(publication)
    reconciling.settle_expired()
    assert publishing._prepared(publication.id, claim(publication)) is not None
    written = receipts.record(envelope, Receipt(Outcome.NOT_SENT, reason="from the past"))
    session.expire_all()
    return written, publication


def test_a_stale_worker_cannot_overwrite_the_ledger(app: Flask) -> None:
    written, publication = late_answer(approved())
    assert not written
    assert (publication.state, publication.fence) == (State.SENDING, 2)
    first = publication.attempts[0]
    assert first.outcome is Outcome.UNCERTAIN
    assert first.detail["late_answer"]["reason"] == "from the past"


def test_with_the_fence_off_a_stale_worker_does_overwrite_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDBED_DISABLE", "fence")
    written, publication = late_answer(approved())
    assert written
    assert publication.state is State.SCHEDULED


def test_with_attempt_first_off_a_death_while_sending_doubles_on_class_n(
    app: Flask, effects: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDBED_DISABLE", "attempt_first")
    publication = approved(account=account("ok", "N"))
    envelope = publishing._prepared(publication.id, claim(publication))
    assert envelope is not None
    publishing._spoken(envelope, deadline=1e12)  # and the worker dies before it can record
    lapse(publication)
    reconciling.settle_expired()
    session.expire_all()
    tried(publication)
    assert len(effects(publication)) == 2


def test_a_worker_frozen_until_its_lease_is_over_sends_nothing(app: Flask, effects: Any) -> None:
    publication = approved()
    envelope = publishing._prepared(publication.id, claim(publication))
    assert envelope is not None
    receipt = publishing._spoken(envelope, deadline=0)
    assert receipt.outcome is Outcome.NOT_SENT
    assert effects(publication) == []
