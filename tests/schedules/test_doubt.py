"""What may be out already: never sent past its key's life, never failed, missed or edited in silence."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Refused, TryAgain
from schedules import (
    approvals,
    attempts,
    decisions,
    late,
    posts,
    publications,
    publishing,
    receipts,
    reconciling,
)
from schedules.channels import CHANNELS
from schedules.channels.base import Receipt, Repeat
from schedules.channels.calling import Silent
from schedules.models import Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import ACCEPTED, FakeCarrier, ready
from tests.schedules.ready import tried

DAY = timedelta(days=1)
PART = Receipt(Outcome.ACCEPTED, goes_on=True, after=timedelta(hours=1))


def keyed(**settings: str) -> Publication:
    return ready(**{"class": "K", "confirmation": "nobody", **settings})


def publish(publication: Publication) -> Publication:
    with transaction():
        publication.due_at = now() - timedelta(seconds=1)
    return tried(publication)


def again(publication: Publication) -> None:
    with transaction():
        decisions.resolve_uncertain(publication, "again", by=make.user(Role.OPERATOR))
    session.expire_all()


def edit(publication: Publication, text: str = "Other words") -> None:
    post = publication.post
    with transaction():
        posts.edit(post, text=text, expected_revision=post.revision, by=make.user(Role.PLANNER))


class TestKeys:
    def test_every_carrier_that_honours_a_key_says_for_how_long(self, app: Flask) -> None:
        ours = {"reader", "email", "sandbox", "manual"}  # nobody else keeps their keys
        for channel in CHANNELS:
            if channel.repeat_for({}) is Repeat.KEYED and channel.slug not in ours:
                assert channel.key_lives is not None, channel.slug

    @pytest.fixture(autouse=True)
    def for_a_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FakeCarrier, "key_lives", DAY)

    def test_within_its_life_the_key_is_used_again(self, carrier: FakeCarrier) -> None:
        carrier.answers["deliver"] = [Silent(), ACCEPTED]
        publication = publish(keyed())
        with time_machine.travel(now() + DAY / 2):
            assert publish(publication).state is State.PUBLISHED
        assert len(carrier.acts) == 2

    def test_past_its_life_a_person_decides(self, carrier: FakeCarrier) -> None:
        """Down over the weekend: the carrier has forgotten the key, and would show it twice."""
        carrier.answers["deliver"] = [Silent(), ACCEPTED]
        publication = publish(keyed())
        with time_machine.travel(now() + DAY):
            with transaction():
                publication.late_after = now() + DAY
            assert publish(publication).state is State.UNCERTAIN
            assert publication.reason == receipts.KEY_FORGOTTEN
            assert len(carrier.acts) == 1
            again(publication)
            assert publish(publication).state is State.PUBLISHED
        assert len(carrier.acts) == 2

    def test_a_crash_found_late_does_not_send_with_a_dead_key(self, carrier: FakeCarrier) -> None:
        publication = keyed()
        carrier.answers["deliver"] = SystemExit()
        with pytest.raises(SystemExit):
            publishing.publish(publication.id, worker="here")
        carrier.answers["deliver"] = ACCEPTED
        with time_machine.travel(now() + 3 * DAY):
            assert reconciling.settle_expired() == 1
            session.expire_all()
            assert publish(publication).state is State.UNCERTAIN
        assert len(carrier.acts) == 1

    def test_a_new_silence_after_a_persons_word_is_a_new_doubt(self, carrier: FakeCarrier) -> None:
        carrier.answers["deliver"] = Silent()
        publication = publish(keyed())
        with time_machine.travel(now() + 2 * DAY, tick=False) as clock:
            with transaction():
                publication.late_after = now() + 9 * DAY
            publish(publication)
            again(publication)
            publish(publication)
            assert publication.state is State.SCHEDULED
            clock.shift(2 * DAY)
            with transaction():
                publication.late_after = now() + 9 * DAY
            assert publish(publication).state is State.UNCERTAIN
        assert len(carrier.acts) == 2


class TestRefusedLater:
    def test_a_no_after_a_silence_says_nothing_of_the_first_try(self, carrier: FakeCarrier) -> None:
        carrier.answers["deliver"] = [Silent(), Refused("No.")]
        publication = publish(publish(keyed()))
        assert publication.state is State.UNCERTAIN
        assert publication.reason == receipts.REFUSED_LATER

    def test_after_a_look_up_a_no_is_a_no(self, carrier: FakeCarrier) -> None:
        carrier.answers["deliver"] = [Silent(), Refused("No.")]
        publication = publish(publish(ready(confirmation="nobody")))
        assert (publication.state, publication.reason) == (State.FAILED, "No.")

    def test_after_a_persons_word_a_no_is_a_no(self, carrier: FakeCarrier) -> None:
        carrier.answers["deliver"] = [Silent(), Refused("No.")]
        publication = publish(keyed(**{"class": "N"}))
        assert publication.state is State.UNCERTAIN
        again(publication)
        assert publish(publication).state is State.FAILED


class TestMissed:
    @pytest.mark.parametrize("kind", ["K", "Q"])
    def test_too_late_and_unknown_is_uncertain(self, carrier: FakeCarrier, kind: str) -> None:
        carrier.answers["deliver"] = Silent()
        publication = publish(keyed(**{"class": kind}))
        assert publication.state is State.SCHEDULED
        with time_machine.travel(publication.late_after + timedelta(minutes=10)):
            assert late.miss_overdue() == 1
        session.expire_all()
        assert (publication.state, publication.reason) == (State.UNCERTAIN, receipts.NOBODY_KNOWS)

    def test_a_claim_that_comes_too_late_says_so_too(self, carrier: FakeCarrier) -> None:
        carrier.answers["deliver"] = Silent()
        publication = publish(keyed())
        with time_machine.travel(publication.late_after + timedelta(minutes=10)):
            assert publish(publication).state is State.SCHEDULED
            late.miss_overdue()
        session.expire_all()
        assert publication.state is State.UNCERTAIN

    def test_what_surely_never_left_is_missed(self, carrier: FakeCarrier) -> None:
        carrier.answers["deliver"] = TryAgain("Nobody there")
        publication = publish(keyed())
        with time_machine.travel(publication.late_after + timedelta(minutes=10)):
            assert late.miss_overdue() == 1
        session.expire_all()
        assert publication.state is State.MISSED


class TestEdited:
    def test_not_while_nobody_knows(self, carrier: FakeCarrier) -> None:
        """Its old words may be live: with new ones it could not be found again, and went out twice."""
        carrier.answers["deliver"] = Silent()
        publication = publish(keyed(**{"class": "Q"}))
        assert publication.state is State.SCHEDULED
        with pytest.raises(Conflict):
            edit(publication)
        with pytest.raises(Conflict), transaction():
            approvals.withdraw_approval(publication.post, by=make.user(Role.OPERATOR))
        with pytest.raises(Conflict), transaction():
            publications.drop(publication, by=None)
        session.expire_all()
        assert publication.state is State.SCHEDULED

    def test_not_while_a_part_is_out(self, carrier: FakeCarrier) -> None:
        """Some employees have their task already: other words would give them a second one."""
        carrier.answers["deliver"] = PART
        publication = publish(keyed(**{"class": "Q"}))
        assert publication.state is State.SCHEDULED
        with pytest.raises(Conflict):
            edit(publication)

    @pytest.mark.parametrize("state", [State.HELD, State.MISSED])
    def test_nor_when_it_stopped_half_way(self, carrier: FakeCarrier, state: State) -> None:
        carrier.answers["deliver"] = PART
        publication = publish(keyed())
        with transaction():
            publications.move(publication, state, by=None)
        with pytest.raises(Conflict), transaction():
            decisions.move(publication, on=now().date() + DAY, by=make.user(Role.PLANNER))
        with transaction():
            decisions.drop(publication, by=make.user(Role.OPERATOR))
        assert publication.state is State.CANCELLED

    def test_what_surely_never_left_may_be_edited(self, carrier: FakeCarrier) -> None:
        carrier.answers["deliver"] = TryAgain("Nobody there")
        publication = publish(keyed())
        edit(publication)
        assert publication.state is State.PLANNED

    def test_dropped_in_doubt_and_planned_again_it_is_another_message(
        self, carrier: FakeCarrier
    ) -> None:
        """Under the old key the carrier would answer with the old words."""
        carrier.answers["deliver"] = [Silent(), ACCEPTED]
        publication = publish(keyed(**{"class": "N"}))
        key = publication.idempotency_key
        with transaction():
            decisions.resolve_uncertain(publication, "drop", by=make.user(Role.OPERATOR))
            publications.plan(publication.post)
            publications.schedule(publication, "a hash", by=None)
        assert publication.idempotency_key != key
        assert attempts.doubtful(publication.id) == []


class TestWaits:
    def test_an_account_that_must_wait_makes_nothing_wait_past_its_patience(
        self, carrier: FakeCarrier
    ) -> None:
        """Missed is shown when it is missed, not hours later."""
        publication = keyed()
        with transaction():
            publication.account.blocked_until = now() + timedelta(hours=6)
        tried(publication)
        assert publication.state is State.SCHEDULED
        assert publication.due_at <= publication.late_after + timedelta(seconds=1)

    def test_a_shorter_wait_never_shortens_a_longer_one(self, carrier: FakeCarrier) -> None:
        first = keyed()
        account = first.account
        until = now() + timedelta(hours=3)

        def others_were_told_to_wait(_envelope: object) -> Receipt:
            with transaction():
                account.blocked_until = until
            return Receipt(Outcome.NOT_SENT, after=timedelta(seconds=1))

        carrier.answers["deliver"] = others_were_told_to_wait
        publish(first)
        assert account.blocked_until == until
