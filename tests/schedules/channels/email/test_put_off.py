"""One address that a server puts off or chokes on keeps no other reader from their letter."""

import pytest
from sqlalchemy import select

from cms.accounts.models import Role
from cms.core.db import session, transaction
from cms.core.errors import Conflict
from schedules import attempts, decisions, mailings, publications, receipts
from schedules.channels import email
from schedules.models import Delivery
from schedules.states import DeliveryState, Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.channels.email.mailing import listed, send, states
from tests.schedules.ready import again

NAMES = "defghijk"


def names(sink) -> list[str]:
    return [one.to.partition("@")[0] for one in sink.letters()]


def more(account) -> None:
    listed(account, *(f"{name}@example.com" for name in NAMES))


@pytest.mark.parametrize("word", ["data:451", "end:451", "rcpt:451"])
def test_the_others_get_theirs_in_the_same_round(sink, account, word):
    sink.handler.script["ann@example.com"] = [word]
    publication = send(account)
    assert (publication.state, publication.reason) == (State.SCHEDULED, email.PUT_OFF)
    assert states(publication) == {"ann": "waiting", "bo": "sent", "cy": "sent"}
    row = session.scalar(select(Delivery).where(Delivery.state == DeliveryState.WAITING))
    assert row.reason.startswith("451 ")
    for _ in range(email.MOST_ROUNDS):
        again(publication)
    assert publication.state is State.PUBLISHED
    assert states(publication) == {"ann": "failed", "bo": "sent", "cy": "sent"}


def test_a_server_that_puts_off_one_letter_at_mail_goes_on_with_the_next(sink, account):
    sink.handler.script["shop@example.com"] = ["451", "ok"]
    publication = send(account)
    assert states(publication) == {"ann": "waiting", "bo": "sent", "cy": "sent"}
    assert again(publication).state is State.PUBLISHED
    assert names(sink) == ["bo", "cy", "ann"]


def test_several_in_a_row_mean_the_server_and_the_next_try_begins_with_others(sink, account):
    more(account)
    for name in ("ann", "bo", "cy"):
        sink.handler.script[f"{name}@example.com"] = ["end:451"]
    publication = send(account)
    assert publication.attempts[0].outcome is Outcome.NOT_SENT
    assert names(sink) == []
    assert again(publication).reason == email.PUT_OFF
    assert names(sink) == list(NAMES)
    sink.handler.script.clear()
    assert again(publication).state is State.PUBLISHED
    assert sorted(names(sink)) == sorted(["ann", "bo", "cy", *NAMES])


@pytest.mark.parametrize("word", ["rcpt:421", "data:421", "end:421"])
def test_an_address_over_which_the_server_hangs_up_stands_in_nobodys_way(sink, account, word):
    sink.handler.script["ann@example.com"] = [word]
    publication = send(account)
    assert publication.attempts[0].outcome is Outcome.NOT_SENT
    assert states(again(publication)) == {"ann": "waiting", "bo": "sent", "cy": "sent"}


def test_a_server_that_has_enough_of_one_line_is_asked_again_where_it_stopped(sink, account):
    sink.handler.script["cy@example.com"] = ["rcpt:421", "ok"]
    publication = send(account)
    assert states(publication) == {"ann": "sent", "bo": "sent", "cy": "waiting"}
    assert publication.reason == email.UNREACHED
    assert again(publication).state is State.PUBLISHED
    assert names(sink) == ["ann", "bo", "cy"]


def test_a_server_that_puts_everybody_off_reached_nobody(sink, account):
    sink.handler.script["*"] = ["rcpt:451"]
    publication = send(account)
    assert publication.attempts[0].outcome is Outcome.NOT_SENT
    assert account.blocked_until is None, "a list of strangers says nothing of the account's others"
    for _ in range(email.MOST_ROUNDS):
        again(publication)
    assert (publication.state, publication.reason) == (State.FAILED, email.NOBODY_TOOK_IT)
    assert not attempts.is_part_out(publication.id)


def test_a_person_who_tries_again_gives_everybody_all_their_rounds(sink, account):
    sink.handler.script["*"] = ["rcpt:451"]
    publication = send(account)
    for _ in range(email.MOST_ROUNDS):
        again(publication)
    sink.handler.script = {"ann@example.com": ["data:451", "ok"]}
    with transaction():
        decisions.publish_now(publication, by=make.user(Role.OPERATOR))
    assert again(publication).reason == email.PUT_OFF
    assert again(publication).state is State.PUBLISHED
    assert sorted(names(sink)) == ["ann", "bo", "cy"]


def test_a_list_in_parts_asks_whom_it_put_off_once_a_round(sink, account, monkeypatch):
    """Each claim has time for two: those put off wait until everybody else had their turn."""
    more(account)
    sink.handler.script["ann@example.com"] = ["end:451"]
    asked = []
    known = mailings.turn
    monkeypatch.setattr(
        mailings, "turn", lambda *given: asked.append(found := known(*given)) or found
    )
    publication = send_in_twos(account, monkeypatch)
    while publication.reason == email.GOES_ON:
        again(publication)
    assert publication.reason == email.PUT_OFF
    assert [one.address[:3] for one in asked if one].count("ann") == 1
    assert len(names(sink)) == 2 + len(NAMES)


def send_in_twos(account, monkeypatch):
    turns = iter([True, True, False] * 50)
    monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
    return send(account)


class TestPartlyOut:
    def test_refused_after_some_have_it_is_no_failure_that_can_be_changed(self, sink, account):
        """The letters that left stay as they were approved: nobody may change the words now."""
        more(account)
        for name in "def":
            sink.handler.script[f"{name}@example.com"] = ["554"]
        publication = send(account)
        assert (publication.state, publication.reason) == (State.UNCERTAIN, receipts.PARTLY_OUT)
        assert publication.attempts[0].outcome is Outcome.REJECTED
        assert publication.attempts[0].detail["letters"]["sent"] == 3
        assert attempts.is_part_out(publication.id)
        with pytest.raises(Conflict):
            publications.refuse_if_going_out(publication.post)

    def test_it_can_be_sent_to_the_rest_and_to_nobody_twice(self, sink, account):
        more(account)
        for name in "def":
            sink.handler.script[f"{name}@example.com"] = ["554", "ok"]
        publication = send(account)
        with transaction():
            decisions.resolve_uncertain(publication, "again", by=make.user(Role.OPERATOR))
        assert again(publication).state is State.PUBLISHED
        assert sorted(names(sink)) == sorted(["ann", "bo", "cy", *NAMES])

    def test_an_innocent_neighbour_of_a_refusal_gets_theirs(self, sink, account):
        """Refused before the content, and nobody after it is blamed."""
        sink.handler.script["ann@example.com"] = ["data:554"]
        publication = send(account)
        assert publication.state is State.PUBLISHED
        assert states(publication) == {"ann": "failed", "bo": "sent", "cy": "sent"}
