"""Alerts: a cause of trouble opens one, however many posts it stops."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import Role
from cms.core import retention, sealing, signing
from cms.core.beats import ProcessBeat
from cms.core.clock import now
from cms.core.db import db, session, transaction
from schedules import accounts, alarm_causes, alerts, publishing
from schedules.models import Alert, AlertNotice, AlertRoute
from schedules.states import AlertState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.alerting import failed, later, of_posts
from tests.schedules.ready import account, approved
from tests.schedules.receiver import receiver


def clock_of_age(seconds: float) -> None:
    with transaction():
        session.add(
            ProcessBeat(
                id=f"host:clock:{seconds}",
                kind="clock",
                host="host",
                pid=1,
                started_at=now() - timedelta(seconds=seconds),
                beat_at=now(),
            )
        )


@pytest.mark.usefixtures("app")
class TestCauses:
    def test_a_cause_opens_once_however_many_posts_it_stops(self) -> None:
        way = account(name="Class teachers")
        failed(way)
        alerts.refresh()
        for _ in range(4):
            failed(way)
        alerts.refresh()
        (alert,) = of_posts()
        assert (alert.count, alert.open_cause) == (5, alert.cause)
        assert alerts.words(alert, str) == (
            "Failed, Class teachers, posts: 5. The carrier refused the post."
        )
        assert alert.path == f"/today/waiting?cause={alert.cause}"
        failed(account())
        failed(way, "Something else")
        alerts.refresh()
        assert len(of_posts()) == 3

    def test_it_settles_and_a_flapping_one_is_the_same(self) -> None:
        publication = failed(account())

        def turn(state: State) -> None:
            with transaction():
                publication.state = state
            alerts.refresh()

        alerts.refresh()
        turn(State.SCHEDULED)
        (alert,) = of_posts()
        assert alert.open_cause is None
        assert alert.settled_at is not None
        with later(minutes=9):
            turn(State.FAILED)
            assert [one.settled_at for one in of_posts()] == [None]
            turn(State.SCHEDULED)
        with later(minutes=20):
            turn(State.FAILED)
        session.expire_all()
        assert [one.open_cause is None for one in of_posts()] == [True, False]

    def test_a_refused_account_is_told_and_one_paused_by_a_person_is_not(self) -> None:
        with receiver() as site:
            site.answers = [(401, {})]
            refused, paused = account(), account()
            with transaction():
                refused.channel, refused.settings = "webhook", {"url": site.url}
                refused.sealed = sealing.seal({"secret": signing.new_secret()})
                accounts.pause(paused, by=make.user(Role.ADMINISTRATOR))
            publishing.publish(approved(account=refused).id, worker="here")
        session.expire_all()
        found = alarm_causes.present()
        assert f"paused-{paused.id}" not in found
        cause = found[f"paused-{refused.id}"]
        words = alarm_causes.worded(cause.message, cause.params, str)
        assert words.startswith(f"The carrier refuses the account {refused.name}, so it is paused.")
        assert cause.path == f"/settings/accounts/{refused.id}"

    def test_what_is_overdue_is_one_cause_unless_it_may_not_go(self) -> None:
        way = account()
        late = [approved(account=way, publish_at=now() - timedelta(minutes=2)) for _ in range(3)]
        assert alarm_causes.present()["overdue"].params == {"number": 3}
        with transaction():
            late[0].due_at = now() - timedelta(seconds=30)
        assert alarm_causes.present()["overdue"].count == 2
        with transaction():
            way.blocked_until = now() + timedelta(minutes=5)
        assert "overdue" not in alarm_causes.present()

    def test_dead_processes_and_a_lost_queue_are_causes(self) -> None:
        clock_of_age(61)
        found = alarm_causes.present()
        assert {"health-queue", "health-processes"} <= set(found)
        assert "health-publishing" not in found
        cause = found["health-queue"]
        words = alarm_causes.worded(cause.message, cause.params, str)
        assert words.startswith("Queue server: The queue server does not answer.")

    def test_workers_may_start_a_moment_after_the_clock(self) -> None:
        """Who switches a machine on must not be told that its workers are dead."""
        assert "health-processes" not in alarm_causes.present()  # it has not beaten at all yet
        clock_of_age(59)
        found = alarm_causes.present()
        assert "health-processes" not in found
        assert "health-queue" in found
        clock_of_age(61)  # another host's, which has run for long
        assert "health-processes" in alarm_causes.present()

    def test_what_a_carrier_said_may_hold_any_sign(self) -> None:
        failed(account(), "100% of %(nothing)s and %d")
        alerts.refresh()
        assert "100% of %(nothing)s and %d" in alerts.words(of_posts()[0], str)

    def test_many_clocks_open_one(self, own_database: Flask) -> None:
        with own_database.app_context():
            failed(account())
        gate = threading.Barrier(4)

        def clock_turn() -> None:
            with own_database.app_context():
                gate.wait()
                alerts.refresh()
                db.session.remove()

        threads = [threading.Thread(target=clock_turn) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with own_database.app_context():
            causes = session.scalars(select(Alert.cause)).all()
            assert len(causes) == len(set(causes)) >= 1


def test_what_was_over_long_ago_is_forgotten_with_its_notices(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cause that comes and goes every day for years must not fill the table."""
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    moment = now()
    with transaction():
        route = AlertRoute(kind="email", address="wei@example.com", created_at=moment)
        for number, age in enumerate((400, 300, 200, 181, 179, None)):
            begun = moment - timedelta(days=age or 500)
            alert = Alert(
                cause=f"cause {number}",
                open_cause=None if age else f"cause {number}",
                message="Trouble",
                first_at=begun,
                last_at=begun,
                settled_at=begun if age else None,
            )
            alert.notices.append(AlertNotice(route=route, next_at=begun, state=AlertState.TOLD))
            session.add(alert)
    assert alerts.forget_old() == 4
    assert set(session.scalars(select(Alert.cause))) == {"cause 4", "cause 5"}
    assert len(session.scalars(select(AlertNotice.id)).all()) == 2
