"""The channel `webhook`: what a receiver gets, and what its answers prove."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cms.core import sealing, signing
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.demo.carriers.receiver import Receiver
from cms.demo.carriers.simulator import Simulator
from content_library import media
from schedules import addressing
from schedules.channels import CHANNELS, calling, webhook
from schedules.content import outgoing
from schedules.models import Attempt, Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import png
from tests.core.answering import Server
from tests.demo_carriers import Start
from tests.schedules.ready import again, approved, tried

pytestmark = pytest.mark.wire

SECRET, OTHER = signing.new_secret(), signing.new_secret()
CHANNEL = CHANNELS.get("webhook")


class Place:
    """A receiver that runs, and an account that leads to it."""

    def __init__(self, start: Start, **settings: str) -> None:
        carriers, url = start(Receiver)
        self.receiver: Simulator = carriers.members["receiver"]
        self.receiver.book.put("own", "secrets", [SECRET])
        self.account = make.account(
            channel="webhook",
            per_minute=6000,
            persona_id=make.persona(slug="aunt").id,
            settings={"url": f"{url}/receiver/hook", **settings},
        )
        self.keep(secret=SECRET)

    def keep(self, **secrets: str) -> None:
        with transaction():
            self.account.sealed = sealing.seal(secrets)

    def script(self, *words: str) -> None:
        self.receiver.book.put("script", "/hook", list(words))

    def publish(self) -> Publication:
        publication = approved(account=self.account, text="新品到店\n“周三”")
        return tried(publication)

    @property
    def shown(self) -> list[dict]:
        return self.receiver.book.shown()


@pytest.fixture
def place(app: Flask, start_carriers: Start) -> Place:
    return Place(start_carriers)


def test_the_receiver_gets_the_whole_post_signed(place: Place) -> None:
    publication = place.publish()
    assert publication.state is State.PUBLISHED
    [message] = place.shown
    assert message["type"] == "publication.sent"
    data = message["data"]
    assert (data["text"], data["persona"]) == ("新品到店\n“周三”", "aunt")
    assert (data["pool"], data["stage"]) == (publication.pool.slug, publication.pool.stage.slug)
    assert data["id"] == publication.public_id
    assert data["link"].endswith(f"/l/{publication.links[0].code}")
    assert data["pictures"] == []
    assert message["message"] == f"msg_{publication.idempotency_key}" == publication.external_id


def test_pictures_travel_by_public_address_and_hash(place: Place) -> None:
    with transaction():
        picture = media.store(png(), "a.png", by=None)
    post = make.post(account=place.account, media_ids=[picture.id])
    drawn = CHANNEL.render(outgoing(post))
    [told] = json.loads(drawn.payload)["data"]["pictures"]
    assert told == {
        "url": f"http://localhost/m/{post.publication.public_id}/{picture.sha256}/full",
        "sha256": picture.sha256,
    }


def test_a_repeat_after_silence_carries_the_same_id_and_shows_once(place: Place) -> None:
    place.script("reset", "ok")
    publication = place.publish()
    assert publication.state is State.SCHEDULED
    assert publication.attempts[0].outcome is Outcome.UNCERTAIN
    assert again(publication).state is State.PUBLISHED
    assert len(place.shown) == 1


def test_without_a_receiver_that_knows_repeats_a_person_decides(
    app: Flask, start_carriers: Start
) -> None:
    place = Place(start_carriers, receiver_dedupes="no")
    place.script("reset", "ok")
    assert place.publish().state is State.UNCERTAIN


@pytest.mark.parametrize(
    ("word", "outcome", "reason"),
    [
        ("301", Outcome.REJECTED, webhook.MOVED),
        ("302", Outcome.REJECTED, webhook.MOVED),
        ("400", Outcome.NOT_SENT, "The receiver answered 400."),
        ("404", Outcome.NOT_SENT, "The receiver answered 404."),
        ("408", Outcome.UNCERTAIN, webhook.BROKE),
        ("409", Outcome.UNCERTAIN, "The receiver answered 409."),
        ("413", Outcome.NOT_SENT, "The receiver answered 413."),
        ("422", Outcome.NOT_SENT, "The receiver answered 422."),
        ("425", Outcome.NOT_SENT, "The receiver answered 425."),
        ("429:90", Outcome.NOT_SENT, webhook.BUSY),
        ("500", Outcome.UNCERTAIN, webhook.BROKE),
        ("503", Outcome.UNCERTAIN, webhook.BROKE),
        ("504", Outcome.UNCERTAIN, webhook.BROKE),
        ("reset", Outcome.UNCERTAIN, None),
        ("huge", Outcome.UNCERTAIN, None),
    ],
)
def test_what_each_answer_proves(
    place: Place, word: str, outcome: Outcome, reason: str | None
) -> None:
    place.script(word)
    publication = place.publish()
    attempt = publication.attempts[0]
    assert attempt.outcome is outcome
    assert reason is None or attempt.detail["reason"] == reason
    assert not place.account.is_paused
    expected = {Outcome.REJECTED: State.FAILED}.get(outcome, State.SCHEDULED)
    assert publication.state is expected


@pytest.mark.parametrize("word", ["404", "409", "422", "425"])
def test_a_receiver_that_comes_round_gets_it_once(place: Place, word: str) -> None:
    """As the specification asks: every other answer is tried again, with the same id."""
    place.script(word, word, "ok")
    publication = place.publish()
    assert publication.state is State.SCHEDULED
    assert again(publication).state is State.SCHEDULED
    assert again(publication).state is State.PUBLISHED
    assert len(place.shown) == 1


@pytest.mark.parametrize(("word", "end"), [("422", State.FAILED), ("409", State.UNCERTAIN)])
def test_a_receiver_that_never_comes_round_is_not_told_for_ever(
    place: Place, word: str, end: State
) -> None:
    place.script(word)
    publication = place.publish()
    for _ in range(7):
        again(publication)
    assert publication.state is end
    assert len(publication.attempts) == 8
    assert not place.account.is_paused


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("409", State.UNCERTAIN),
        ("404", State.FAILED),
        ("422", State.FAILED),
        ("429", State.SCHEDULED),
    ],
)
def test_where_repeats_are_unknown_no_answer_but_a_wait_is_repeated(
    app: Flask, start_carriers: Start, word: str, state: State
) -> None:
    place = Place(start_carriers, receiver_dedupes="no")
    place.script(word)
    assert place.publish().state is state


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", State.SCHEDULED),
        (
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
            State.SCHEDULED,
        ),
        (
            b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n",
            State.PUBLISHED,
        ),
    ],
)
def test_an_answer_on_its_way_is_none_yet(
    place: Place, request: pytest.FixtureRequest, answers: bytes, state: State
) -> None:
    server = Server(lambda connection: connection.sendall(answers))
    request.addfinalizer(server.close)
    url = f"http://127.0.0.1:{server.port}"
    calling.allow_in_tests(url)
    with transaction():
        place.account.settings = {**place.account.settings, "url": f"{url}/hook"}
    publication = place.publish()
    assert publication.state is state
    expected = Outcome.ACCEPTED if state is State.PUBLISHED else Outcome.UNCERTAIN
    assert publication.attempts[0].outcome is expected


@pytest.mark.parametrize("word", ["401", "403", "410"])
def test_a_receiver_that_is_gone_or_rejects_us_pauses_the_account(place: Place, word: str) -> None:
    place.script(word)
    assert place.publish().state is State.HELD
    assert place.account.is_paused


@pytest.mark.parametrize(("word", "seconds"), [("429:90", 90), ("503", 40)])
def test_the_wish_to_wait_is_kept(place: Place, word: str, seconds: int) -> None:
    place.script(word)
    publication = place.publish()
    assert abs(publication.due_at - now() - timedelta(seconds=seconds)) < timedelta(seconds=8)


def test_a_wrong_secret_is_noticed(place: Place) -> None:
    place.keep(secret=OTHER)
    publication = place.publish()
    assert publication.state is State.HELD
    assert place.account.last_fault == webhook.UNWELCOME
    assert place.shown == []


def test_during_a_rotation_both_secrets_sign(place: Place) -> None:
    place.keep(secret=OTHER, previous_secret=SECRET)
    assert place.publish().state is State.PUBLISHED


def test_a_secret_that_is_none_pauses_before_anything_leaves(place: Place) -> None:
    place.keep(secret="whsec_short")
    assert place.publish().state is State.HELD
    assert place.account.last_fault == webhook.BAD_SECRET


def test_secrets_stand_in_no_record(place: Place) -> None:
    place.publish()
    rows = session.scalars(select(Attempt)).all()
    assert rows
    for row in rows:
        assert SECRET not in json.dumps(row.detail)


def test_changing_and_taking_back_are_messages_of_their_own(place: Place) -> None:
    publication = place.publish()
    envelope = addressing.envelope_of(publication)
    changed = replace(envelope, outgoing=replace(envelope.outgoing, text="Anders"))
    first, repeated = CHANNEL.carry_amendment(changed), CHANNEL.carry_amendment(changed)
    assert first.external_id == repeated.external_id != publication.external_id
    with transaction():
        publication.amended_at = now()
    assert CHANNEL.carry_amendment(changed).external_id != first.external_id
    CHANNEL.carry_withdrawal(envelope)
    CHANNEL.carry_withdrawal(envelope)
    kinds = [one["type"] for one in place.shown]
    assert kinds == ["publication.sent", *["publication.amended"] * 2, "publication.withdrawn"]
    assert place.shown[1]["data"]["text"] == "Anders"
    assert "text" not in place.shown[-1]["data"]


def test_the_button_sends_a_test_that_shows_no_post(place: Place) -> None:
    assert CHANNEL.try_out(addressing.way_of(place.account)) == ""
    assert [one["type"] for one in place.shown] == ["endpoint.test"]
    place.keep(secret=OTHER)
    assert CHANNEL.try_out(addressing.way_of(place.account)) == webhook.UNWELCOME


def test_the_whole_message_stays_below_the_standards_limit(place: Place) -> None:
    def problems(text: str) -> list[str]:
        return [
            one.code
            for one in CHANNEL.problems(outgoing(make.post(account=place.account, text=text)))
        ]

    assert problems("\n" * 1000 + "x" * 14_000) == []
    assert problems("x" * 15_000) == []
    assert problems("x" * 15_001) == ["content_too_long"]
    assert problems("\n" * 9_990 + "x") == ["message_too_long"]  # each takes two bytes as JSON


def test_an_address_that_changed_to_a_private_one_is_refused_at_the_call(place: Place) -> None:
    with transaction():
        place.account.settings = {**place.account.settings, "url": "http://10.0.0.8/hook"}
    assert place.publish().state is State.FAILED
