"""What every channel must hold to: one test run, each member of the family."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from cms.core.db import session
from cms.core.errors import Refused, TryAgain
from schedules import publishing
from schedules.channels import CHANNELS
from schedules.channels.base import Channel, Confirmation, Limits, Receipt, Repeat
from schedules.content import outgoing
from schedules.envelopes import Envelope
from schedules.models import ChannelAccount, HandOver, ReaderEntry
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.channels.conftest import Start
from tests.schedules.channels.outfits import equipped
from tests.schedules.ready import approved

SLUGS = CHANNELS.slugs


@pytest.fixture
def way(channel: Channel, start_carriers: Start) -> ChannelAccount:
    return equipped(channel.slug, start_carriers)


def envelope_for(way: ChannelAccount) -> Envelope:
    publication = approved(account=way)
    fence = publishing.claim(publication.id, worker="here")
    assert fence is not None
    envelope = publishing._prepared(publication.id, fence)
    assert envelope is not None
    return envelope


@pytest.fixture(params=SLUGS)
def channel(request: pytest.FixtureRequest, app: Flask) -> Channel:
    return CHANNELS.get(request.param)


def test_it_says_what_it_is(channel: Channel) -> None:
    assert channel.name
    assert isinstance(channel.limits, Limits)
    assert channel.limits.text > 0
    assert isinstance(channel.repeat_for({}), Repeat)
    assert isinstance(channel.confirmation, Confirmation)


def test_it_accepts_a_sound_post_and_says_how_long_that_took(
    channel: Channel, way: ChannelAccount
) -> None:
    receipt = channel.send(envelope_for(way))
    assert receipt.outcome is Outcome.ACCEPTED
    assert receipt.detail["ms"] >= 0
    assert not session().in_transaction() or not session().dirty


def test_the_same_key_has_one_effect_where_it_promises_that(
    channel: Channel, way: ChannelAccount
) -> None:
    envelope = envelope_for(way)
    first, second = channel.send(envelope), channel.send(envelope)
    if channel.repeat_for(envelope.settings) is Repeat.KEYED:
        assert first.external_id == second.external_id


def test_it_looks_up_only_what_it_can_know(channel: Channel, way: ChannelAccount) -> None:
    found = channel.look_up(envelope_for(way))
    if channel.repeat_for({}) is Repeat.NEVER:
        assert found.outcome is Outcome.UNCERTAIN
    assert found.outcome is not Outcome.REJECTED


def test_its_limit_counts_in_its_own_unit(channel: Channel, way: ChannelAccount) -> None:
    post = make.post(account=way, text="好" * (channel.limits.text + 1))
    from_content = outgoing(post)
    assert [problem.code for problem in channel.problems(from_content)] == ["content_too_long"]
    assert channel.problems(outgoing(make.post(account=way, text="好"))) == []


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (TryAgain("nobody there"), Outcome.NOT_SENT),
        (Refused("never"), Outcome.REJECTED),
        (ValueError("nonsense"), Outcome.UNCERTAIN),
        (TimeoutError(), Outcome.UNCERTAIN),
    ],
)
def test_its_errors_become_one_of_the_four_outcomes(
    channel: Channel,
    way: ChannelAccount,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    outcome: Outcome,
) -> None:
    def deliver(_envelope: Envelope) -> Receipt:
        raise fault

    monkeypatch.setattr(channel, "deliver", deliver)
    assert channel.send(envelope_for(way)).outcome is outcome


def test_the_ledger_ends_as_its_confirmation_says(channel: Channel, way: ChannelAccount) -> None:
    publication = approved(account=way)
    publishing.publish(publication.id, worker="here")
    session.expire_all()
    confirmation = channel.confirmation_for(way.settings)
    by_person = confirmation is Confirmation.PERSON
    is_over = confirmation is Confirmation.NOBODY
    assert publication.state is (State.PUBLISHED if is_over else State.HANDED_OVER)
    assert session.scalar(select(func.count()).select_from(HandOver)) == by_person
    entries = session.scalar(select(func.count()).select_from(ReaderEntry))
    assert entries == (channel.slug == "reader")
