"""What every channel must hold to: one test run, each member of the family."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from cms.core import config
from cms.core.db import session
from cms.core.errors import Invalid, Refused, TryAgain
from cms.core.text import Unit
from cms.demo.carriers.mail import Mailbox, kept
from cms.demo.carriers.serving import Carriers
from schedules import addressing, credentials, preflight, publishing
from schedules.channels import CHANNELS, calling
from schedules.channels.base import (
    Channel,
    Confirmation,
    Gives,
    How,
    Limits,
    Receipt,
    Rendered,
    Repeat,
    Takes,
)
from schedules.content import outgoing
from schedules.envelopes import Envelope, Outgoing, Picture
from schedules.models import ChannelAccount, HandOver, ReaderEntry
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.demo_carriers import Start
from tests.schedules.channels.outfits import OUTFITS, equipped
from tests.schedules.ready import approved, tried

SLUGS = CHANNELS.slugs
KINDS = {"text", "number", "choice", "list", "flag", "url"}
NOBODY_THERE = "http://127.0.0.1:9"  # a port on which nothing listens
INSIDE = "http://10.0.0.8"
# What a sound account is told where a carrier has no question that readers would not see.


@dataclass
class Place:
    """A working account of the channel, and its demo carrier where there is one."""

    account: ChannelAccount
    carriers: Carriers | None = None


@pytest.fixture(params=SLUGS)
def channel(request: pytest.FixtureRequest, app: Flask) -> Channel:
    return CHANNELS.get(request.param)


@pytest.fixture
def place(channel: Channel, start_carriers: Start) -> Place:
    made: list[Carriers] = []

    def start(*kinds: Any) -> tuple[Carriers, str]:
        carriers, url = start_carriers(*kinds)
        made.append(carriers)
        return carriers, url

    account = equipped(channel.slug, start)
    return Place(account, made[0] if made else None)


@pytest.fixture
def way(place: Place) -> ChannelAccount:
    return place.account


def envelope_for(way: ChannelAccount, **fields: Any) -> Envelope:
    publication = approved(account=way, **fields)
    fence = publishing.claim(publication.id, worker="here")
    assert fence is not None
    envelope = publishing._prepared(publication.id, fence)
    assert envelope is not None
    return envelope


def elsewhere(envelope: Envelope, base: str) -> Envelope:
    """The same, but whoever is asked for an address is sent to that one."""
    settings = {
        name: f"{base}/there" if isinstance(value, str) and value.startswith("http") else value
        for name, value in envelope.settings.items()
    }
    return replace(envelope, settings=settings)


class TestDeclares:
    def test_what_it_is(self, channel: Channel) -> None:
        assert channel.name
        assert isinstance(channel.repeat_for({}), Repeat)
        assert isinstance(channel.confirmation_for({}), Confirmation)
        asks = channel.repeat_for({}) is Repeat.QUERY
        assert not asks or type(channel).find is not Channel.find
        waits = channel.confirmation_for({}) not in (Confirmation.NOBODY, Confirmation.PERSON)
        assert not waits or type(channel).progress is not Channel.progress
        assert channel.can_amend is (type(channel).amend is not Channel.amend)
        assert channel.can_withdraw is (type(channel).withdraw is not Channel.withdraw)

    def test_its_limits(self, channel: Channel) -> None:
        limits = channel.limits
        assert isinstance(limits, Limits)
        assert isinstance(limits.unit, Unit)
        assert limits.text > 0
        assert limits.pictures >= 0
        assert limits.picture_bytes > 0
        assert set(limits.picture_formats) <= {"jpeg", "png", "gif", "webp"}
        assert limits.picture_formats
        assert (limits.pictures > 0) is (Takes.PICTURES in channel.takes)

    def test_what_it_takes_and_gives(self, channel: Channel) -> None:
        assert channel.takes <= set(Takes)
        assert Takes.TEXT in channel.takes
        assert set(channel.gives) <= set(Gives)
        assert all(isinstance(how, How) for how in channel.gives.values())
        if channel.slug != "sandbox" and Takes.LINK in channel.takes:
            # Our own link counts these wherever a link can be tapped; a carrier may know better.
            assert {*Gives} - {Gives.DELIVERY} <= set(channel.gives)

    def test_what_an_account_is_asked_for(self, channel: Channel) -> None:
        names = [one.name for one in channel.fields]
        assert len(names) == len(set(names))
        for one in channel.fields:
            assert one.label
            assert one.kind in KINDS
            assert bool(one.choices) is (one.kind == "choice")
            assert not (one.is_secret and one.default)
        assert channel.needs or channel.slug not in OUTFITS


class TestAccounts:
    def test_a_fresh_one_is_told_what_it_lacks(self, channel: Channel) -> None:
        wanted = {one.name for one in channel.fields if one.is_required and not one.default}
        if wanted:
            with pytest.raises(Invalid) as raised:
                credentials.judged(channel, {})
            assert set(raised.value.fields) == wanted
            post = make.post(account=make.account(channel=channel.slug))
            codes = [concern.problem.code for concern in preflight.concerns(post)]
            assert "account_incomplete" in codes
        else:
            credentials.judged(channel, {})

    def test_an_address_inside_the_house_is_refused_when_it_is_saved(
        self, channel: Channel
    ) -> None:
        addresses = [one.name for one in channel.fields if credentials.is_address(one)]
        if addresses:
            with pytest.raises(Invalid) as raised:
                credentials.judged(channel, dict.fromkeys(addresses, f"{INSIDE}/hook"))
            for name in addresses:
                assert raised.value.fields[name].code == "address_not_allowed"

    @pytest.mark.parametrize("slip", ["a\u200bb", "ключ", "密钥", "a\nb", "\x7fab"])
    def test_a_secret_with_letters_that_none_has_is_refused_when_it_is_saved(
        self, channel: Channel, slip: str
    ) -> None:
        secrets = [one.name for one in channel.fields if one.is_secret]
        if secrets:
            with pytest.raises(Invalid) as raised:
                credentials.judged(channel, dict.fromkeys(secrets, slip))
            for name in secrets:
                assert raised.value.fields[name].code == "bad_letters"

    def test_the_test_button_connects_and_shows_readers_nothing(
        self, channel: Channel, place: Place
    ) -> None:
        said = channel.try_out(addressing.way_of(place.account))
        assert said == ""
        assert shown(channel, place) in ([], ["endpoint.test"])


def shown(channel: Channel, place: Place) -> list[str]:
    if place.carriers is None:
        return []
    book = place.carriers.members[OUTFITS[channel.slug].carrier.slug].book
    return [one["kind"] for one in book.shown()]


class TestShows:
    def test_the_same_every_time(self, channel: Channel, way: ChannelAccount) -> None:
        content = outgoing(make.post(account=way, text="Frühling 春天\nzweite Zeile"))
        assert channel.render(content) == channel.render(content)

    def test_exactly_what_is_sent(self, channel: Channel, place: Place) -> None:
        envelope = envelope_for(place.account, text="Quittenmus 木瓜\nzweite Zeile")
        drawn = channel.render(envelope.outgoing)
        assert channel.send(envelope).outcome is Outcome.ACCEPTED
        if channel.confirmation_for(envelope.settings) is Confirmation.PERSON:
            return  # nothing leaves: the pack is what the page shows
        told = told_to_carrier(channel, place)
        for words in words_of(drawn):
            assert words in told
        assert envelope.outgoing.link in told or channel.slug == "reader"


def words_of(drawn: Rendered) -> Iterator[str]:
    """The lines a carrier must have been given, as they stand in its own record."""
    assert drawn.text or drawn.html
    for line in drawn.text.splitlines():
        yield json.dumps(line, ensure_ascii=False)[1:-1]
    if drawn.title:
        yield json.dumps(drawn.title, ensure_ascii=False)[1:-1]


def told_to_carrier(channel: Channel, place: Place) -> str:
    """Everything the carrier was told, as one text."""
    if channel.slug == "reader":
        return "\n".join(session.scalars(select(ReaderEntry.text)))
    if channel.slug == "sandbox":
        folder = config.current().folder("sandbox")
        return (folder / f"{place.account.slug}.jsonl").read_text("utf-8")
    if channel.slug == "email":
        assert Mailbox.folder
        [letter] = kept(Mailbox.folder)
        parts = [part for part in letter.message.walk() if part.get_content_maintype() == "text"]
        bodies = [part.get_content() for part in parts]
        return "\n".join([str(letter.message["Subject"]), *bodies])
    assert place.carriers is not None
    book = place.carriers.members[OUTFITS[channel.slug].carrier.slug].book
    rows = book._connection.execute(
        "SELECT content FROM shown UNION ALL SELECT content FROM things"
    )
    return "\n".join(row[0] for row in rows)


class TestLimits:
    def test_at_the_limit_and_one_over_in_its_own_unit(
        self, channel: Channel, way: ChannelAccount
    ) -> None:
        content = outgoing(make.post(account=way, text="x"))

        def used(length: int) -> tuple[Rendered, list[str]]:
            long = rewritten(content, "x" * length)
            codes = [one.code for one in channel.problems(long) if one.code == "content_too_long"]
            return channel.render(long), codes

        fits = drawn_limit(channel, content)
        assert used(fits)[0].used == used(fits)[0].limit
        assert used(fits)[1] == []
        assert used(fits + 1)[1] == ["content_too_long"]

    def test_wide_characters_count_as_the_carrier_counts(
        self, channel: Channel, way: ChannelAccount
    ) -> None:
        content = outgoing(make.post(account=way, text="好" * (channel.limits.text + 1)))
        codes = [problem.code for problem in channel.problems(content)]
        assert codes == ["content_too_long"]
        assert channel.problems(outgoing(make.post(account=way, text="好"))) == []

    def test_pictures_one_too_many(self, channel: Channel, way: ChannelAccount) -> None:
        content = outgoing(make.post(account=way, text="x"))
        most = channel.limits.pictures
        one = Picture(1, "a" * 64, "image/png", 40, 40, 400)
        over = replace(content, pictures=(one,) * (most + 1))
        taken = len(channel.render(over).pictures)
        codes = [problem.code for problem in channel.problems(over)]
        assert ("too_many_pictures" in codes) is (taken > most)
        if taken > most:
            full = replace(content, pictures=(one,) * most)
            codes = [problem.code for problem in channel.problems(full)]
            assert "too_many_pictures" not in codes


def rewritten(content: Outgoing, text: str) -> Outgoing:
    return replace(content, body=text, text=content.text.replace("x", text, 1))


def drawn_limit(channel: Channel, content: Outgoing) -> int:
    """How many of one-byte letters fit beside what the channel adds."""
    drawn = channel.render(rewritten(content, "x"))
    return drawn.limit - drawn.used + 1


class TestSends:
    def test_a_sound_post_is_accepted_and_timed(
        self, channel: Channel, way: ChannelAccount
    ) -> None:
        receipt = channel.send(envelope_for(way))
        assert receipt.outcome is Outcome.ACCEPTED
        assert receipt.detail["ms"] >= 0
        assert not session().in_transaction() or not session().dirty

    def test_the_same_key_has_one_effect_where_it_promises_that(
        self, channel: Channel, way: ChannelAccount
    ) -> None:
        envelope = envelope_for(way)
        first, second = channel.send(envelope), channel.send(envelope)
        if channel.repeat_for(envelope.settings) is Repeat.KEYED:
            assert first.external_id == second.external_id

    def test_it_looks_up_only_what_it_can_know(self, channel: Channel, way: ChannelAccount) -> None:
        found = channel.look_up(envelope_for(way))
        if channel.repeat_for({}) is Repeat.NEVER:
            assert found.outcome is Outcome.UNCERTAIN
        assert found.outcome is not Outcome.REJECTED

    def test_the_ledger_ends_as_its_confirmation_says(
        self, channel: Channel, way: ChannelAccount
    ) -> None:
        publication = approved(account=way)
        tried(publication)
        confirmation = channel.confirmation_for(way.settings)
        by_person = confirmation is Confirmation.PERSON
        is_over = confirmation is Confirmation.NOBODY
        assert publication.state is (State.PUBLISHED if is_over else State.HANDED_OVER)
        assert session.scalar(select(func.count()).select_from(HandOver)) == by_person
        entries = session.scalar(select(func.count()).select_from(ReaderEntry))
        assert entries == (channel.slug == "reader")


class TestFails:
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
        self, channel: Channel, monkeypatch: pytest.MonkeyPatch, fault: Exception, outcome: Outcome
    ) -> None:
        def deliver(_envelope: Envelope) -> Receipt:
            raise fault

        monkeypatch.setattr(channel, "deliver", deliver)
        if channel.speaks_by_calls and outcome is Outcome.UNCERTAIN:
            outcome = Outcome.NOT_SENT  # no call was made: test_nothing_left.py
        assert channel.send(envelope_for(make.account(per_minute=6000))).outcome is outcome

    def test_nobody_there_is_not_sent(self, channel: Channel, way: ChannelAccount) -> None:
        if channel.slug not in OUTFITS:
            return
        envelope = elsewhere(envelope_for(way), NOBODY_THERE)
        calling.allow_in_tests(NOBODY_THERE)
        config.use(replace(config.current(), smtp_url="smtp://127.0.0.1:9"))
        receipt = channel.send(envelope)
        assert receipt.outcome is Outcome.NOT_SENT, receipt
        assert channel.try_out(envelope.way) or channel.untested

    def test_an_address_inside_the_house_is_refused_at_the_call(
        self, channel: Channel, way: ChannelAccount
    ) -> None:
        if channel.slug not in OUTFITS or channel.slug == "email":
            return
        receipt = channel.send(elsewhere(envelope_for(way), INSIDE))
        assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, calling.NOT_ALLOWED)

    def test_without_its_credentials_nothing_can_have_left(
        self, channel: Channel, way: ChannelAccount
    ) -> None:
        if not any(one.is_required and one.is_secret for one in channel.fields):
            return
        receipt = channel.send(replace(envelope_for(way), secrets={}))
        assert receipt.outcome in (Outcome.REJECTED, Outcome.NOT_SENT), receipt


class TestKeepsQuiet:
    def test_no_secret_is_written_down(
        self, channel: Channel, way: ChannelAccount, capsys: pytest.CaptureFixture[str]
    ) -> None:
        envelope = envelope_for(way)
        receipts = [channel.send(envelope), channel.look_up(envelope)]
        calling.allow_in_tests(NOBODY_THERE)
        receipts.append(channel.send(elsewhere(envelope, NOBODY_THERE)))
        tested = channel.try_out(elsewhere(envelope, NOBODY_THERE).way)
        written = [repr(envelope), str(envelope.way), *map(repr, receipts), tested]
        printed = capsys.readouterr()
        for secret in envelope.secrets.values():
            assert secret
            for text in (*written, printed.out, printed.err):
                assert secret not in text
