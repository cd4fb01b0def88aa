"""The health of publishing: overdue is a fault, open questions a warning, history costs nothing."""

from datetime import timedelta

import pytest

from cms.core.clock import now
from cms.core.health import Level
from schedules.condition import CHECKS_OF_PUBLISHING
from schedules.states import PublicationState
from tests import factories
from tests.schedules.ready import change

pytestmark = pytest.mark.usefixtures("app")
CHECK, LEASES, STOPS = CHECKS_OF_PUBLISHING


def test_nothing_planned_is_well():
    assert CHECK.find().level is Level.WELL


def test_an_overdue_post_is_a_fault_that_names_its_lateness():
    factories.post(publish_at=now() - timedelta(minutes=5), state=PublicationState.SCHEDULED)
    found = CHECK.find()
    assert found.level is Level.FAULT
    assert 300 <= found.figures["oldest_overdue_seconds"] < 330


def test_an_account_that_may_not_send_is_no_dead_worker():
    """Paused, or told by its carrier to wait: clock and workers are alive, and nobody looks for them."""
    due = {"publish_at": now() - timedelta(minutes=5), "state": PublicationState.SCHEDULED}
    factories.post(account=factories.account(is_paused=True), **due)
    factories.post(account=factories.account(blocked_until=now() + timedelta(hours=1)), **due)
    assert CHECK.find().level is Level.WELL
    factories.post(account=factories.account(blocked_until=now() - timedelta(hours=1)), **due)
    assert CHECK.find().level is Level.FAULT


@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_what_no_clock_settles_is_a_fault_of_its_own(state):
    """It is neither due nor does it wait for a person: no other list shows it."""
    publication = factories.post(state=PublicationState(state)).publication
    change(publication, lease_until=now() - timedelta(minutes=1))
    assert LEASES.find().level is Level.WELL
    change(publication, lease_until=now() - timedelta(minutes=3))
    found = LEASES.find()
    assert (found.level, found.params) == (Level.FAULT, {"count": 1})


@pytest.mark.parametrize("state", ["uncertain", "failed", "missed", "held"])
def test_what_waits_for_a_person_is_a_warning(state):
    factories.post(state=PublicationState(state))
    found = CHECK.find()
    assert (found.level, found.figures["states"]) == (Level.WARNING, {state: 1})


def test_what_has_ended_is_not_counted():
    factories.post(state=PublicationState.PUBLISHED)
    found = CHECK.find()
    assert (found.level, found.figures["states"]) == (Level.WELL, {})
