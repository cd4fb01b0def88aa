"""The emergency stop: nothing leaves from its commit on, everything waits, and all of it is told."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role
from cms.core import health
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from schedules import condition, hints, late, publications, publishing, stops
from schedules.models import Stop
from schedules.states import PublicationState as State
from schedules.states import StopScope
from schedules.stops import StopFields
from tests import factories as make
from tests.schedules.ready import account, approved, tried


def stop(scope: StopScope = StopScope.ALL, **fields: Any) -> Stop:
    with transaction():
        return stops.raise_stop(
            StopFields(scope, "wrong price", **fields), by=fields.pop("by", None)
        )


def lift(one: Stop) -> None:
    with transaction():
        stops.lift(one, by=None)


def test_nothing_leaves_while_everything_is_stopped(app: Flask) -> None:
    publication = approved()
    raised = stop()
    assert tried(publication).state is State.SCHEDULED
    assert (publication.fence, publication.attempts) == (0, [])
    assert hints.due_by_account() == {}
    lift(raised)
    assert publication.id in [
        sign[0] for signs in hints.due_by_account().values() for sign in signs
    ]
    assert tried(publication).state is State.PUBLISHED


def test_without_the_rule_a_stopped_post_leaves_all_the_same(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: it is this rule that keeps the post here."""
    publication = approved()
    stop()
    monkeypatch.setenv("SEEDBED_DISABLE", "stop")
    assert tried(publication).state is State.PUBLISHED


def test_a_stop_between_claim_and_attempt_is_heard(app: Flask) -> None:
    publication = approved()
    fence = publishing.claim(publication.id, worker="here")
    stop()
    assert fence is not None
    assert publishing._prepared(publication.id, fence) is None
    session.expire_all()
    assert (publication.state, publication.attempts) == (State.SCHEDULED, [])


def test_without_the_rule_that_post_is_on_its_way(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = approved()
    fence = publishing.claim(publication.id, worker="here")
    stop()
    monkeypatch.setenv("SEEDBED_DISABLE", "stop")
    assert publishing._prepared(publication.id, fence or 0) is not None


def test_what_is_on_the_wire_is_counted_and_recorded(app: Flask) -> None:
    publication = approved()
    envelope = publishing._prepared(
        publication.id, publishing.claim(publication.id, worker="here") or 0
    )
    assert envelope is not None
    raised = stop(StopScope.ACCOUNT, account_id=publication.account_id)
    other = stop(StopScope.ACCOUNT, account_id=make.account().id)
    assert (stops.on_the_wire(raised), stops.on_the_wire(other)) == (1, 0)


@pytest.mark.parametrize("scope", [StopScope.CHANNEL, StopScope.ACCOUNT])
def test_a_narrow_stop_leaves_the_others_alone(app: Flask, scope: StopScope) -> None:
    stopped, free = approved(), approved(account=make.account(per_minute=6000))
    stop(scope, channel="sandbox", account_id=stopped.account_id)
    assert list(hints.due_by_account()) == [free.account_id]
    assert publications.oldest_overdue() == free
    for one in (stopped, free):
        with transaction():
            one.late_after = now() - timedelta(seconds=1)
    assert late.miss_overdue() == 1
    session.expire_all()
    assert (stopped.state, free.state) == (State.SCHEDULED, State.MISSED)
    assert tried(stopped).state is State.SCHEDULED


@pytest.mark.parametrize("scope", [StopScope.CHANNEL, StopScope.ACCOUNT])
def test_the_others_leave_meanwhile(app: Flask, scope: StopScope) -> None:
    stopped, free = approved(), approved(account=make.account(per_minute=6000))
    stop(scope, channel="sandbox", account_id=stopped.account_id)
    assert tried(stopped).state is State.SCHEDULED
    assert tried(free).state is State.PUBLISHED


def test_while_stopped_nothing_is_missed_and_afterwards_the_late_policy_decides(app: Flask) -> None:
    publication = approved()
    raised = stop()
    with transaction():
        publication.late_after = now() - timedelta(seconds=1)
    publishing.publish(publication.id, worker="here")
    assert late.miss_overdue() == 0
    session.expire_all()
    assert publication.state is State.SCHEDULED
    lift(raised)
    assert late.miss_overdue() == 1
    session.expire_all()
    assert publication.state is State.MISSED


def test_a_stop_is_no_fault_and_is_told_to_whoever_watches(app: Flask) -> None:
    publication = approved(publish_at=now() - timedelta(minutes=10))
    assert publications.oldest_overdue() == publication
    stop()
    assert publications.oldest_overdue() is None
    found = {check.slug: check.find() for check in condition.CHECKS_OF_PUBLISHING}
    assert found["publishing"].level is health.Level.WELL
    assert found["stops"].level is health.Level.WARNING
    assert found["stops"].figures == {"stops": 1}


def test_stopping_twice_is_one_stop_and_lifting_twice_is_one_lift(app: Flask) -> None:
    by = make.user(Role.OPERATOR)
    with transaction():
        first = stops.raise_stop(StopFields(StopScope.ALL, "fire"), by=by)
    with transaction():
        again = stops.raise_stop(StopFields(StopScope.ALL, "still fire"), by=by)
    assert again.id == first.id
    for _again in range(2):
        lift(first)
    told = session.scalars(select(AuditEntry).where(AuditEntry.object_type == "stops")).all()
    assert [(entry.action, entry.actor_id) for entry in told] == [
        ("stop.raised", by.id),
        ("stop.lifted", None),
    ]
    assert told[0].detail["reason"] == "fire"


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        (StopFields(StopScope.ALL, " \u200b"), "reason", "stop_without_reason"),
        (StopFields(StopScope.ALL, "x" * 301), "reason", "content_too_long"),
        (StopFields(StopScope.CHANNEL, "why", channel="pigeon"), "what", "bad_choice"),
        (StopFields(StopScope.ACCOUNT, "why", account_id=999), "what", "bad_choice"),
        (StopFields(StopScope.ACCOUNT, "why"), "what", "bad_choice"),
    ],
)
def test_a_stop_says_what_and_why(app: Flask, fields: StopFields, field: str, code: str) -> None:
    with pytest.raises(Invalid) as caught, transaction():
        stops.raise_stop(fields, by=None)
    assert caught.value.fields[field].code == code
    assert stops.in_force() == []


def test_a_class_n_post_whose_worker_died_is_not_sent_again_by_a_lift(app: Flask) -> None:
    """A stop changes nothing about what nobody knows."""
    publication = approved(account=account("uncertain_accepted ok", "N"))
    tried(publication)
    lift(stop())
    assert tried(publication).state is State.UNCERTAIN
