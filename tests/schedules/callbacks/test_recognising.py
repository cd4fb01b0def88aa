"""A job ends whose number never reached us: the carrier's call settles what nobody knew."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from cms.core.clock import now
from cms.core.db import session, transaction
from schedules.models import CarrierCall, Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests.demo_carriers import Start
from tests.schedules.channels.oa_desk import Desk

SUBMIT = "/freepublish/submit"


@pytest.fixture
def desk(start_carriers: Start, client: FlaskClient) -> Desk:
    desk = Desk(start_carriers)
    desk.calls_to(client)
    return desk


def unanswered(desk: Desk, **fields: object) -> Publication:
    """Taken by the carrier, which did not say so."""
    desk.script(SUBMIT, "reset", "ok")
    publication = desk.publish(**fields)
    assert publication.attempts[0].outcome is Outcome.UNCERTAIN
    return publication


def ended(desk: Desk) -> None:
    """The review is over, and the carrier calls."""
    desk.wait(seconds=20)
    desk.control("settle")
    assert desk.control("deliver") == [200]
    desk.handle()


def handed_to_a_person(publication: Publication) -> None:
    with transaction():
        publication.state = State.UNCERTAIN


def test_a_person_is_spared_the_question(desk: Desk) -> None:
    publication = unanswered(desk)
    handed_to_a_person(publication)
    ended(desk)
    assert publication.state is State.PUBLISHED
    assert publication.external_url.startswith("https://mp.demo.invalid/")
    assert session.query(CarrierCall).one().handled_at is not None
    assert len(desk.carrier.book.all("job")) == 1


def test_what_waits_for_its_next_question_is_asked_about_now(desk: Desk) -> None:
    publication = unanswered(desk)
    with transaction():
        publication.due_at = now() + timedelta(days=1)
    ended(desk)
    with desk.at():
        assert publication.due_at <= now()
    assert desk.publish(publication).state is State.PUBLISHED
    desk.handle()
    assert session.query(CarrierCall).one().handled_at is not None
    assert len(desk.shown()) == 1


def test_another_article_of_the_account_settles_nothing(desk: Desk) -> None:
    publication = unanswered(desk)
    [(number, job)] = desk.carrier.book.all("job").items()
    desk.carrier.book.put("job", number, job | {"ready_at": desk.carrier.now() + 9_000})
    handed_to_a_person(publication)
    other = desk.publish()
    with transaction():  # as if a program beside ours had submitted it
        other.carrier_facts, other.external_id = {}, ""
    ended(desk)
    assert publication.state is State.UNCERTAIN
    assert session.query(CarrierCall).one().handled_at is None


def test_a_refusal_of_an_unknown_job_leaves_the_question(desk: Desk) -> None:
    """It names no article: whose job it was, nobody can tell."""
    desk.control("switch", verdict=4)
    publication = unanswered(desk)
    handed_to_a_person(publication)
    ended(desk)
    assert publication.state is State.UNCERTAIN


def test_a_paused_account_is_not_asked(desk: Desk) -> None:
    publication = unanswered(desk)
    handed_to_a_person(publication)
    with transaction():
        desk.account.is_paused = True
    ended(desk)
    assert publication.state is State.UNCERTAIN
