"""A carrier's token ends in the worst moment: before a send, or while one asks how far a task is."""

import pytest
from flask import Flask

from schedules.states import PublicationState as State
from tests.demo_carriers import Start
from tests.schedules.channels.corporation import Corporation, asked, running, sent


@pytest.fixture
def corporation(app: Flask, start_carriers: Start) -> Corporation:
    return running(start_carriers)


def test_ended_while_polling_only_the_question_is_repeated(corporation: Corporation) -> None:
    publication = sent(corporation.account("wecom_mass"))
    corporation.advance(10)
    corporation.control("confirm")
    corporation.control("void_token")
    tasks, creations = corporation.senders(), len(corporation.shown("mass_task"))
    asked(publication)
    assert publication.state is State.PUBLISHED
    assert corporation.counted("gettoken") == 2
    assert (corporation.senders(), len(corporation.shown("mass_task"))) == (tasks, creations)
    assert [attempt.fence for attempt in publication.attempts] == [1]


def test_ended_before_a_send_nobody_gets_it_twice(corporation: Corporation) -> None:
    account = corporation.account("wecom_mass")
    sent(account)
    corporation.advance(7201)
    publication = sent(account)
    assert publication.state is State.HANDED_OVER
    assert corporation.senders() == ["lina", "wangwei"] * 2
    assert corporation.counted("gettoken") == 2
