"""Alerts told: once a route, by a real mail server and a real receiver."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role, User
from cms.core import clock, signing, threads
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from schedules import alert_jobs, alert_routes, alerts, telling
from schedules.models import Alert, AlertNotice, AlertRoute
from schedules.states import AlertState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.mail_server import mail_server, use
from tests.schedules.alerting import failed, later, of_posts, route, told
from tests.schedules.ready import account
from tests.schedules.receiver import Receiver, receiver


@pytest.fixture
def admin(app: Flask) -> User:
    return make.user(Role.ADMINISTRATOR)


class TestLetters:
    def test_one_letter_tells_what_opened_together(self, admin: User) -> None:
        with mail_server() as box:
            one, _ = route("email", " Wei@Example.com ", admin, "zh")
            failed(account(name="班主任"))
            failed(account(name="讲师"))
            alerts.refresh()
            telling.tell(one.id)
            assert box.letters == []  # more may follow within seconds
            with later(seconds=16):
                telling.tell(one.id)
                telling.tell(one.id)
            assert len(box.letters) == 1
            letter = box.letters[0]
            assert letter["To"] == "Wei@example.com"
            assert letter["Auto-Submitted"] == "auto-generated"
            text = letter.get_content()
            assert "班主任" in text
            assert "讲师" in text
            for alert in of_posts():
                assert f"http://localhost/today/waiting?cause={alert.cause}" in text
            assert {state for _, state in told(one)} == {AlertState.TOLD}
            with later(minutes=5):
                failed(account(name="另一个"))
                alerts.refresh()
            with later(minutes=6):
                alerts.refresh()
                telling.tell(one.id)
            assert len(box.letters) == 2
            assert "班主任" not in box.letters[1].get_content()

    def test_a_returning_cause_is_not_told_again_within_ten_minutes(self, admin: User) -> None:
        with mail_server() as box:
            one, _ = route("email", "wei@example.com", admin)
            publication = failed(account())
            alerts.refresh()
            with later(seconds=20):
                telling.tell(one.id)
            sent = len(box.letters)
            for minutes, state in ((1, State.SCHEDULED), (2, State.FAILED)):
                with later(minutes=minutes):
                    with transaction():
                        publication.state = state
                    alerts.refresh()
            with later(minutes=3):
                telling.tell(one.id)
            assert len(box.letters) == sent == 1

    def test_what_is_over_before_it_is_told_is_told_to_nobody(self, admin: User) -> None:
        with mail_server() as box:
            one, _ = route("email", "wei@example.com", admin)
            publication = failed(account())
            alerts.refresh()
            with transaction():
                publication.state = State.CANCELLED
            alerts.refresh()
            with later(seconds=20):
                telling.tell(one.id)
            assert not any("failed" in cause for cause, _ in told(one))
            assert all("Failed" not in letter.get_content() for letter in box.letters)

    def test_a_mail_server_that_is_away_is_tried_again_and_the_letter_keeps_its_name(
        self, admin: User
    ) -> None:
        with mail_server() as box:
            one, _ = route("email", "wei@example.com", admin)
            failed(account())
            alerts.refresh()
            box.answer_at_end = "451 later"
            with later(seconds=20):
                telling.tell(one.id)
                session.expire_all()
                notice = session.scalars(select(AlertNotice)).first()
                assert notice is not None
                assert (notice.state, notice.fault, notice.tries) == (
                    AlertState.WAITING,
                    "later",
                    1,
                )
                assert 7 < (notice.next_at - now()).total_seconds() < 13
                telling.tell(one.id)  # not yet
                assert session.scalars(select(AlertNotice.tries)).first() == 1
            box.answer_at_end = ""
            with later(minutes=2):
                telling.tell(one.id)
            assert len(box.letters) == 1
            assert one.last_fault == ""
            assert {state for _, state in told(one)} == {AlertState.TOLD}

    def test_it_is_given_up_after_a_day_or_when_refused_for_good(self, admin: User) -> None:
        with mail_server() as box:
            patient, _ = route("email", "away@example.com", admin)
            gone, _ = route("email", "gone@example.com", admin)
            box.answer_to |= {"away@example.com": "451 not now", "gone@example.com": "550 no box"}
            failed(account())
            alerts.refresh()
            with later(seconds=20):
                telling.tell(gone.id)
            assert {state for _, state in told(gone)} == {AlertState.GIVEN_UP}
            assert gone.last_fault == "no box"
            hours, tries = 0.01, 0
            while AlertState.WAITING in {state for _, state in told(patient)}:
                with later(hours=hours):
                    telling.tell(patient.id)
                hours, tries = hours + 0.5, tries + 1
                assert tries < 100
            assert 20 < hours < 34


class TestWebhooks:
    @pytest.fixture
    def hook(self, app: Flask) -> Iterator[Receiver]:
        with receiver() as made:
            yield made

    def open_and_tell(self, one: AlertRoute, **span: float) -> None:
        alerts.refresh()
        with later(**(span or {"seconds": 16})):
            telling.tell(one.id)

    def test_every_alert_is_signed_and_keeps_its_id(self, admin: User, hook: Receiver) -> None:
        one, secret = route("webhook", hook.url, admin)
        failed(account(name="Class teachers"))
        alerts.refresh()
        hook.answers = [(500, {}) for _ in session.scalars(select(Alert))]
        self.open_and_tell(one)
        first = len(hook.calls)
        self.open_and_tell(one, minutes=2)
        for headers, body in hook.calls:
            at = clock.now() + timedelta(seconds=60)
            assert signing.verify(secret, headers, body, at=at, tolerance=timedelta(minutes=3))
        ids = [headers["webhook-id"] for headers, _ in hook.calls]
        assert ids[:first] == ids[first:]
        assert len(set(ids)) == first
        bodies = [json.loads(body) for _, body in hook.calls]
        mine = next(body for body in bodies if "failed" in body["data"]["cause"])
        assert mine["type"] == "alert.opened"
        assert mine["data"] == {
            "cause": of_posts()[0].cause,
            "message": "Failed, Class teachers, posts: 1. The carrier refused the post.",
            "count": 1,
            "page": f"http://localhost/today/waiting?cause={of_posts()[0].cause}",
        }
        assert {state for _, state in told(one)} == {AlertState.TOLD}

    def test_a_receiver_that_asks_for_time_gets_it(self, admin: User, hook: Receiver) -> None:
        one, _ = route("webhook", hook.url, admin)
        hook.answers = [(429, {"Retry-After": "600"})] * 9
        failed(account())
        self.open_and_tell(one)
        waits = [
            (row.next_at - now()).total_seconds() for row in session.scalars(select(AlertNotice))
        ]
        assert all(560 < wait < 660 for wait in waits)
        assert one.last_fault == "HTTP 429"

    def test_a_receiver_that_has_gone_is_paused(self, admin: User, hook: Receiver) -> None:
        one, _ = route("webhook", hook.url, admin)
        hook.answers = [(410, {})] * 9
        failed(account())
        self.open_and_tell(one)
        assert not one.is_active
        assert "410" in one.last_fault
        assert "alert_route.paused" in session.scalars(select(AuditEntry.action)).all()
        calls = len(hook.calls)
        self.open_and_tell(one, hours=2)
        assert len(hook.calls) == calls

    def test_both_secrets_sign_for_a_day(self, admin: User, hook: Receiver) -> None:
        one, old = route("webhook", hook.url, admin)
        with transaction():
            new = alert_routes.renew_secret(one, by=admin)
        assert telling.try_out(one) == ""
        headers, body = hook.calls[-1]
        assert json.loads(body)["type"] == "alert.test"
        assert signing.verify(old, headers, body)
        assert signing.verify(new, headers, body)
        with later(hours=25):
            assert alert_routes.secrets_of(one) == [new]

    def test_the_secret_is_sealed_and_stands_in_no_trail(self, admin: User, hook: Receiver) -> None:
        one, secret = route("webhook", hook.url, admin)
        entries = session.scalars(select(AuditEntry)).all()
        assert secret not in one.sealed
        assert "key=k1" not in str([entry.detail for entry in entries])
        assert secret not in str([entry.detail for entry in entries])

    @pytest.mark.parametrize(
        ("kind", "address", "code"),
        [
            ("webhook", "http://127.0.0.1:9/hook", "address_not_allowed"),
            ("webhook", "http://169.254.169.254/latest", "address_not_allowed"),
            ("webhook", "file:///etc/passwd", "address_not_allowed"),
            ("webhook", "https://example.com/" + "a" * 600, "bad_address"),
            ("email", "wei@example.com\r\nBcc: all@example.com", "bad_address"),
            ("email", "wei", "bad_address"),
            ("pigeon", "wei@example.com", "bad_choice"),
        ],
    )
    def test_what_is_no_address_is_refused(
        self, app: Flask, kind: str, address: str, code: str
    ) -> None:
        use("smtp://127.0.0.1:9")
        with pytest.raises(Invalid) as refused:
            alert_routes.checked(kind, address, "en")
        assert refused.value.problem.code == code

    def test_without_a_mail_server_no_letters_are_promised(self, app: Flask) -> None:
        use("")
        with pytest.raises(Invalid) as refused:
            alert_routes.checked("email", "wei@example.com", "en")
        assert refused.value.problem.code == "no_mail_server"


def test_the_clock_tells_when_no_worker_listens(own_database: Flask) -> None:
    """In a test there is no queue at all: just what people must hear of."""
    with own_database.app_context(), mail_server() as box:
        route("email", "wei@example.com", make.user(Role.ADMINISTRATOR))
        alert_jobs.look_for_causes()
        with transaction():
            for notice in session.scalars(select(AlertNotice)):
                notice.next_at = now() - timedelta(minutes=1)
        alert_jobs.look_for_causes()
        deadline = time.monotonic() + 10
        while threads._running and time.monotonic() < deadline:  # it ends after its letter has left
            time.sleep(0.05)
        assert "The queue server does not answer." in box.letters[0].get_content()


def test_a_dead_receiver_holds_nobody_up(admin: User) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        use(f"smtp://127.0.0.1:{unused.getsockname()[1]}")
    one, _ = route("email", "wei@example.com", admin)
    assert "refused" in telling.try_out(one)
