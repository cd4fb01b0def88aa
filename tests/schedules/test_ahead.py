"""What is made ready before a post's minute: tokens and uploads, and never a move in the ledger."""

from datetime import timedelta
from typing import Any

import pytest

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Refused, TryAgain
from cms.core.jobs import Job
from schedules import ahead, carrier_jobs, steps
from schedules.envelopes import Envelope
from schedules.hints import Hinted
from schedules.models import Publication
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import FakeCarrier
from tests.schedules.ready import approved


def due_in(minutes: float, channel: str = "fake") -> Publication:
    way = make.account(channel=channel, per_minute=6000)
    return approved(account=way, publish_at=now() + timedelta(minutes=minutes))


def test_only_what_is_due_within_minutes_is_made_ready(carrier: FakeCarrier) -> None:
    soon, later, elsewhere = due_in(5), due_in(30), due_in(5, "reader")
    assert [sign[0] for sign in ahead.publications_soon()] == [soon.id]
    assert [sign[0] for sign in ahead.accounts_soon()] == [soon.account_id]
    with transaction():
        soon.account.is_paused = True
    assert ahead.publications_soon() == ahead.accounts_soon() == []
    assert later.state is elsewhere.state is State.SCHEDULED


def test_token_and_pictures_are_ready_before_the_minute(carrier: FakeCarrier) -> None:
    publication = due_in(5)
    ahead.warm_up(publication.account_id)
    ahead.prepare(publication.id)
    assert carrier.warmed[0].account_id == publication.account_id
    assert carrier.done("prepare")[0].publication_id == publication.id


@pytest.mark.parametrize("fault", [TryAgain("Busy"), Refused("No"), ValueError("Nonsense")])
def test_failing_ahead_is_noted_and_changes_nothing_else(
    carrier: FakeCarrier, fault: Exception
) -> None:
    publication = due_in(5)
    carrier.answers |= {"warm_up": fault, "prepare": fault}
    ahead.warm_up(publication.account_id)
    ahead.prepare(publication.id)
    session.expire_all()
    assert (publication.state, publication.tries, publication.reason) == (State.SCHEDULED, 0, "")
    assert not publication.account.is_paused
    assert str(fault) in publication.account.last_fault
    assert publication.account.last_fault_at is not None


def test_what_a_channel_notes_while_preparing_stays_out_of_the_ledger(
    carrier: FakeCarrier,
) -> None:
    publication = due_in(5)

    def draft(envelope: Envelope) -> None:
        assert steps.note(envelope, draft="1").facts["draft"] == "1"

    carrier.answers["prepare"] = draft
    ahead.prepare(publication.id)
    session.expire_all()
    assert publication.carrier_facts == {}


def test_what_has_left_or_gone_is_not_prepared(carrier: FakeCarrier) -> None:
    publication = due_in(5)
    with transaction():
        publication.state = State.CLAIMED
    ahead.prepare(publication.id)
    ahead.prepare(987_654)
    ahead.warm_up(987_654)
    assert carrier.acts == carrier.warmed == []


def test_the_clock_asks_for_each_once_and_again_only_after_minutes(
    carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication, sent, moment = due_in(5), [], [0.0]
    monkeypatch.setattr(carrier_jobs, "_warmed", Hinted(lambda: moment[0], remind=300))
    monkeypatch.setattr(carrier_jobs, "_prepared", Hinted(lambda: moment[0], remind=300))
    monkeypatch.setattr("schedules.carrier_jobs.is_broker_there", lambda: True)

    def send(_job: Job, args: tuple[Any, ...], key: str) -> None:
        sent.append((args[0], key))

    monkeypatch.setattr(Job, "_send", send)
    for passed in (0.0, 30.0, 60.0):
        moment[0] = passed
        carrier_jobs.make_ready()
    wanted = [
        (publication.account_id, f"warm-{publication.account_id}"),
        (publication.id, f"prepare-{publication.id}"),
    ]
    assert sent == wanted
    moment[0] = 301.0
    carrier_jobs.make_ready()
    assert sent == wanted * 2
