"""A list too long for one turn: sent in parts, and a part that is out is never called missed or failed."""

from dataclasses import replace
from datetime import timedelta

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import decisions, obstacles, receipts
from schedules.channels import email
from schedules.models import Stop
from schedules.states import Outcome, StopScope
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.channels.email.mailing import CHANNEL, claimed, listed, send, states
from tests.schedules.ready import again, approved, tried


class TestLongLists:
    def test_it_sends_what_fits_and_goes_on_at_once(self, sink, account, monkeypatch):
        turns = iter([True, True, False, True, True])
        monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
        publication = send(account)
        assert publication.state is State.SCHEDULED
        assert publication.reason == email.GOES_ON
        assert (publication.tries, publication.due_at <= now()) == (0, True)
        assert len(sink.letters()) == 2
        assert again(publication).state is State.PUBLISHED
        assert len(sink.letters()) == 3

    def test_a_part_that_is_out_is_never_missed(self, sink, account, monkeypatch):
        turns = iter([True, False])
        monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
        publication = approved(account=account, publish_at=now() - timedelta(minutes=1))
        with transaction():
            publication.late_after = now() + timedelta(seconds=60)
        tried(publication)
        assert publication.late_after > now() + timedelta(hours=20)

    def test_a_part_that_is_out_has_not_failed(self, sink, account, monkeypatch):
        """The server goes away for good after the first letter: somebody has it, the others wait."""
        turns = iter([True, False, *[True] * 20])
        monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
        publication = send(account)
        sink.stop()
        for _try in range(receipts.MOST_TRIES):
            again(publication)
        sink.start()
        assert (publication.state, publication.reason) == (State.UNCERTAIN, receipts.PARTLY_OUT)
        with transaction():
            decisions.resolve_uncertain(publication, "again", by=make.user(Role.OPERATOR))
        assert again(publication).state is State.PUBLISHED
        assert len(sink.letters()) == 3

    def test_a_part_that_is_out_was_not_refused(self, sink, account, monkeypatch):
        turns = iter([True, False, *[True] * 20])
        monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
        listed(account, *(f"more{number}@example.com" for number in range(20)))
        publication = send(account)
        sink.handler.script["*"] = ["554"]
        assert again(publication).reason == receipts.PARTLY_OUT
        assert publication.state is State.UNCERTAIN

    def test_a_claim_that_is_nearly_over_begins_nobody(self, sink, account):
        publication, envelope = claimed(account)
        receipt = CHANNEL.send(replace(envelope, deadline=0.0))
        assert receipt.outcome is Outcome.NOT_SENT
        assert set(states(publication).values()) == {"waiting"}

    def test_the_emergency_stop_reaches_the_next_letter(self, sink, account, monkeypatch):
        def stop_after_first(self: email._Round) -> bool:
            if self.sent == 0 and sink.letters():
                return True
            if sink.letters():
                with transaction():
                    session.add(Stop(scope=StopScope.ALL, reason="fire", at=now()))
            return True

        monkeypatch.setattr(email._Round, "_has_time", stop_after_first)
        publication = send(account)
        assert (publication.state, publication.reason) == (State.SCHEDULED, obstacles.STOPPED)
        assert len(sink.letters()) == 1
