"""What mail servers refuse: one address, the whole letter, or to be there at all."""

from dataclasses import replace

from sqlalchemy import select

from cms.core import config
from cms.core.db import session, transaction
from schedules import addressing
from schedules.channels import email
from schedules.content import outgoing
from schedules.models import Delivery
from schedules.states import DeliveryState, Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.channels.email.mailing import CHANNEL, listed, send, states
from tests.schedules.ready import again


class TestRefusals:
    def test_a_hard_bounce_fails_alone(self, sink, account):
        sink.handler.script["bo@example.com"] = ["550"]
        publication = send(account)
        assert publication.state is State.PUBLISHED
        assert states(publication) == {"ann": "sent", "bo": "failed", "cy": "sent"}
        row = session.scalar(select(Delivery).where(Delivery.state == DeliveryState.FAILED))
        assert "no such mailbox" in row.reason
        assert publication.carrier_facts["failed"] == 1

    def test_whom_the_server_puts_off_is_tried_again_and_then_given_up(self, sink, account):
        sink.handler.script["bo@example.com"] = ["451"]
        publication = send(account)
        assert (publication.state, publication.reason) == (State.SCHEDULED, email.PUT_OFF)
        for _ in range(email.MOST_ROUNDS):
            again(publication)
        assert publication.state is State.PUBLISHED
        assert states(publication) == {"ann": "sent", "bo": "failed", "cy": "sent"}
        assert len(sink.letters()) == 2

    def test_greylisting_costs_a_round(self, sink, account):
        sink.handler.script["bo@example.com"] = ["451", "ok"]
        assert again(send(account)).state is State.PUBLISHED
        assert len(sink.letters()) == 3

    def test_no_address_taken_is_a_failure_that_can_be_repeated(self, sink, account):
        sink.handler.script["*"] = ["550"]
        publication = send(account)
        assert (publication.state, publication.reason) == (State.FAILED, email.NOBODY_TOOK_IT)
        sink.handler.script.clear()
        with transaction():
            publication.state = State.SCHEDULED
        assert again(publication).state is State.PUBLISHED
        assert len(sink.letters()) == 3

    def test_a_letter_refused_as_a_whole_does_not_burn_the_list(self, sink, account):
        listed(account, *(f"more{number}@example.com" for number in range(20)))
        sink.handler.script["*"] = ["554"]
        publication = send(account)
        assert (publication.state, publication.reason) == (State.FAILED, email.REFUSED)
        assert sorted(states(publication).values()).count("waiting") == 20
        assert sink.letters() == []

    def test_nothing_leaves_when_the_server_is_away(self, sink, account):
        sink.stop()
        publication = send(account)
        sink.start()
        assert publication.attempts[0].outcome is Outcome.NOT_SENT
        assert set(states(publication).values()) == {"waiting"}
        assert again(publication).state is State.PUBLISHED

    def test_without_a_mail_server_the_account_pauses_and_says_so(self, sink, account):
        config.use(replace(config.current(), smtp_url=""))
        publication = send(account)
        assert (publication.state, account.is_paused) == (State.HELD, True)
        assert account.last_fault == email.NO_SERVER
        assert CHANNEL.try_out(addressing.way_of(account)) == email.NO_SERVER

    def test_the_button_greets_the_server_and_sends_nothing(self, sink, account):
        assert CHANNEL.try_out(addressing.way_of(account)) == ""
        assert sink.letters() == []
        sink.stop()
        assert CHANNEL.try_out(addressing.way_of(account)) == email.UNREACHED
        sink.start()

    def test_a_list_without_anybody_is_told_beforehand(self, sink, app):
        empty = make.account(channel="email", per_minute=6000)
        post = make.post(account=empty)
        assert [one.code for one in CHANNEL.problems(outgoing(post))] == ["list_empty"]
