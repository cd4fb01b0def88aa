"""Each safety rule is needed: with it the story ends well, with it switched off the same one does not."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import late, publishing, reconciling
from schedules.models import Publication
from schedules.states import PublicationState as State
from tests.schedules import fake_carrier
from tests.schedules.fake_carrier import FakeCarrier
from tests.schedules.ready import account, again, approved, tried


def rule(name: str) -> pytest.MarkDecorator:
    """Tell the story with the rule and without it."""
    return pytest.mark.parametrize("is_on", ["", name], ids=["on", "off"], indirect=True)


@pytest.fixture
def is_on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setenv("SEEDBED_DISABLE", request.param)
    return not request.param


def dies_holding(publication: Publication, *, while_sending: bool) -> None:
    """A worker claims it, perhaps begins to send, and is not heard of again."""
    with transaction():
        publication.due_at = now()
    fence = publishing.claim(publication.id, worker="dying")
    assert fence is not None
    if while_sending:
        assert publishing._prepared(publication.id, fence) is not None
    with transaction():
        publication.lease_until = now() - timedelta(seconds=1)


@rule("outcomes")
def test_what_is_not_known_was_not_surely_not_sent(app: Flask, effects: Any, is_on: bool) -> None:
    publication = tried(approved(account=account("uncertain_accepted ok", "N")))
    again(publication)
    assert len(effects(publication)) == (1 if is_on else 2)


@rule("class")
def test_the_class_says_what_may_be_repeated(app: Flask, effects: Any, is_on: bool) -> None:
    publication = tried(approved(account=account("uncertain_accepted ok", "N")))
    again(publication)
    assert len(effects(publication)) == (1 if is_on else 2)


@rule("reconcile")
def test_what_a_dead_worker_held_comes_back(app: Flask, is_on: bool) -> None:
    publication = approved()
    dies_holding(publication, while_sending=False)
    reconciling.settle_expired()
    assert tried(publication).state is (State.PUBLISHED if is_on else State.CLAIMED)


@rule("late")
def test_what_is_too_late_stays(app: Flask, effects: Any, is_on: bool) -> None:
    publication = approved()
    with transaction():
        publication.late_after = now() - timedelta(days=1)
    late.miss_overdue()
    assert tried(publication).state is (State.MISSED if is_on else State.PUBLISHED)
    assert len(effects(publication)) == (0 if is_on else 1)


@rule("confirm")
def test_handed_over_is_not_published(carrier: FakeCarrier, is_on: bool) -> None:
    publication = fake_carrier.handed_over()
    session.expire_all()
    assert publication.state is (State.HANDED_OVER if is_on else State.PUBLISHED)


@rule("limits")
def test_an_account_keeps_its_pace(app: Flask, is_on: bool) -> None:
    way = account(per_minute=6)
    made = [approved(account=way) for _ in range(5)]
    for publication in made:
        tried(publication)
    out = select(func.count()).where(Publication.state == State.PUBLISHED)
    assert session.scalar(out) == (1 if is_on else 5)


@rule("crashes")
def test_what_kills_workers_is_put_aside(app: Flask, is_on: bool) -> None:
    publication = approved()
    for _crash in range(reconciling.MOST_CRASHES):
        dies_holding(publication, while_sending=True)
        reconciling.settle_expired()
        session.expire_all()
    assert publication.state is (State.HELD if is_on else State.SCHEDULED)


@rule("alone")
def test_a_poisonous_row_fails_alone(app: Flask, is_on: bool) -> None:
    bad, good = approved(), approved()
    for publication in (bad, good):
        dies_holding(publication, while_sending=True)
    with transaction():
        bad.account.settings = {"class": "?"}
        bad.lease_until = now() - timedelta(seconds=2)  # its turn comes first
    try:
        reconciling.settle_expired()
    except ValueError:
        assert not is_on
    session.expire_all()
    ends = (State.UNCERTAIN, State.SCHEDULED) if is_on else (State.SENDING, State.SENDING)
    assert (bad.state, good.state) == ends
