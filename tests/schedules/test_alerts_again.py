"""Alerts told again: what was given up while its cause is still there, and batches that take long."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import Role, User
from cms.core.db import session, transaction
from schedules import alert_routes, alerts, telling
from schedules.models import AlertNotice, AlertRoute, Publication
from schedules.states import AlertState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.mail_server import mail_server
from tests.schedules.alerting import failed, later, of_posts, route, told
from tests.schedules.ready import account
from tests.schedules.receiver import Receiver, receiver


@pytest.fixture
def admin(app: Flask) -> User:
    return make.user(Role.ADMINISTRATOR)


@pytest.fixture
def hook(app: Flask) -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def heard(hook: Receiver) -> list[str]:
    """The causes about posts that reached the receiver, one a call."""
    causes = [json.loads(body)["data"]["cause"] for _headers, body in hook.calls]
    return [cause for cause in causes if "failed" in cause]


def states(one: AlertRoute) -> set[AlertState]:
    return {state for cause, state in told(one) if "failed" in cause}


def tell(one: AlertRoute, *, seconds: float = 0) -> None:
    with later(seconds=seconds):
        alerts.refresh()
    with later(seconds=seconds + 16):
        telling.tell(one.id)


def becomes(publication: Publication, state: State, *, seconds: float) -> None:
    with later(seconds=seconds):
        with transaction():
            publication.state = state
        alerts.refresh()


def flap(publication: Publication, *, seconds: float) -> None:
    """Its cause is gone at that moment; a little later it is back."""
    becomes(publication, State.SCHEDULED, seconds=seconds)
    becomes(publication, State.FAILED, seconds=seconds + 12)


class TestResumed:
    @pytest.fixture
    def one(self, admin: User, hook: Receiver) -> AlertRoute:
        """A route that has heard of everything, which in a test is a queue that is away."""
        made, _ = route("webhook", hook.url, admin)
        tell(made)
        hook.calls.clear()
        return made

    def resume(self, one: AlertRoute, by: User) -> None:
        with transaction():
            alert_routes.resume(one, by=by)

    def test_it_hears_of_what_is_open_and_could_not_be_told(
        self, admin: User, hook: Receiver, one: AlertRoute
    ) -> None:
        hook.answers = [(410, {})]
        failed(account())
        tell(one, seconds=20)
        assert not one.is_active
        assert states(one) == {AlertState.GIVEN_UP}
        hook.calls.clear()
        self.resume(one, admin)
        tell(one, seconds=60)
        assert heard(hook) == [of_posts()[0].cause]
        assert states(one) == {AlertState.TOLD}

    def test_it_does_not_hear_again_of_what_it_heard(
        self, admin: User, hook: Receiver, one: AlertRoute
    ) -> None:
        failed(account())
        tell(one, seconds=20)
        with transaction():
            alert_routes.pause(one, by=admin)
        self.resume(one, admin)
        tell(one, seconds=60)
        assert len(hook.calls) == 1

    def test_what_was_given_up_and_is_over_stays_so(
        self, admin: User, hook: Receiver, one: AlertRoute
    ) -> None:
        hook.answers = [(410, {})]
        publication = failed(account())
        tell(one, seconds=20)
        becomes(publication, State.CANCELLED, seconds=40)
        self.resume(one, admin)
        tell(one, seconds=60)
        assert len(hook.calls) == 1
        assert states(one) == {AlertState.GIVEN_UP}

    def test_once_paused_nothing_else_of_the_batch_is_sent(
        self, admin: User, hook: Receiver, one: AlertRoute
    ) -> None:
        hook.answers = [(410, {})]
        for _ in range(3):
            failed(account())
        tell(one, seconds=20)
        assert len(hook.calls) == 1
        assert not one.is_active
        hook.calls.clear()
        self.resume(one, admin)
        tell(one, seconds=60)
        assert sorted(heard(hook)) == sorted(alert.cause for alert in of_posts())


class TestReturned:
    def test_a_cause_that_went_untold_is_told_when_it_returns(
        self, admin: User, hook: Receiver
    ) -> None:
        one, _ = route("webhook", hook.url, admin)
        publication = failed(account())
        alerts.refresh()
        hook.answers = [(500, {})] * 9
        with later(seconds=16):
            telling.tell(one.id)
        hook.answers = []
        hook.calls.clear()
        flap(publication, seconds=18)
        with later(seconds=50):
            telling.tell(one.id)
        assert heard(hook) == [of_posts()[0].cause]
        assert states(one) == {AlertState.TOLD}

    def test_what_arrived_while_its_cause_was_away_is_not_told_again(
        self, admin: User, hook: Receiver
    ) -> None:
        one, _ = route("webhook", hook.url, admin)
        publication = failed(account())
        alerts.refresh()
        with later(seconds=16):
            (under_way,) = [it for it in telling._take(one.id) if "failed" in it.cause]
        becomes(publication, State.SCHEDULED, seconds=20)
        telling._record(under_way, one.id, telling.Verdict(True))
        assert states(one) == {AlertState.TOLD}
        becomes(publication, State.FAILED, seconds=30)
        with later(seconds=60):
            telling.tell(one.id)
        assert heard(hook) == []

    def test_a_number_that_is_anothers_by_now_is_left_alone(
        self, admin: User, hook: Receiver
    ) -> None:
        one, _ = route("webhook", hook.url, admin)
        failed(account())
        alerts.refresh()
        with later(seconds=16):
            taken = {it.cause: it for it in telling._take(one.id)}
        under_way = taken[of_posts()[0].cause]
        with transaction():
            notices = list(session.scalars(select(AlertNotice)))
            (other,) = [it for it in notices if it.id != under_way.notice_id]
            session.delete(session.get_one(AlertNotice, under_way.notice_id))
            session.flush()
            other.id = under_way.notice_id
        telling._record(under_way, one.id, telling.Verdict(True))
        assert {state for _, state in told(one)} == {AlertState.WAITING}

    def test_what_is_told_anew_bears_no_other_ones_name(self, admin: User, hook: Receiver) -> None:
        """A receiver knows by the name what it has had; a number may be given again by the database."""
        one, _ = route("webhook", hook.url, admin)
        first, second = failed(account()), failed(account())
        alerts.refresh()
        hook.answers = [(500, {})] * 9
        with later(seconds=16):
            telling.tell(one.id)
        names = {
            json.loads(body)["data"]["cause"]: headers["webhook-id"] for headers, body in hook.calls
        }
        hook.answers = []
        hook.calls.clear()
        flap(second, seconds=18)
        flap(first, seconds=31)
        with later(seconds=120):
            telling.tell(one.id)
        assert len(heard(hook)) == 2
        for headers, body in hook.calls:
            assert headers["webhook-id"] == names[json.loads(body)["data"]["cause"]]

    def test_by_letter_as_well(self, admin: User) -> None:
        with mail_server() as box:
            one, _ = route("email", "wei@example.com", admin)
            publication = failed(account(name="班主任"))
            alerts.refresh()
            box.answer_at_end = "451 later"
            with later(seconds=16):
                telling.tell(one.id)
            box.answer_at_end = ""
            flap(publication, seconds=18)
            with later(seconds=60):
                telling.tell(one.id)
            assert "班主任" in box.letters[-1].get_content()
            assert states(one) == {AlertState.TOLD}


class TestSlow:
    def test_a_batch_ends_before_another_may_take_it(
        self, admin: User, hook: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ten causes, a receiver that takes its time over each: no call begins that could outlive
        the lease, and what was left over has used up no try."""
        one, _ = route("webhook", hook.url, admin)
        for _ in range(10):
            failed(account())
        alerts.refresh()
        monkeypatch.setattr(telling, "CALL_SECONDS", 0.5)
        monkeypatch.setattr(telling, "LEASE", timedelta(seconds=1))
        hook.seconds = 0.2
        with later(seconds=16):
            telling.tell(one.id)
            assert 1 <= len(hook.calls) <= 4
            rows = session.scalars(
                select(AlertNotice).execution_options(populate_existing=True)
            ).all()
            left = [row for row in rows if row.state is AlertState.WAITING]
            assert {row.tries for row in left} == {0}
            assert one.id in dict(telling.due())
            monkeypatch.undo()
            hook.seconds = 0
            telling.tell(one.id)
        assert len(heard(hook)) == len(set(heard(hook))) == 10
        assert states(one) == {AlertState.TOLD}
