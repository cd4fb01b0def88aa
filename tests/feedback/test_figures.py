"""What carriers count: fetched without doubt or doubling, shown apart from our own counts."""

from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from cms.accounts.models import Role
from cms.core import sealing
from cms.core.clock import now
from cms.core.db import session, transaction
from feedback import figures, reports
from feedback.models import CarrierFigure, Event
from schedules.channels import CHANNELS
from schedules.channels.answers import Figure
from schedules.models import Publication
from tests import factories as make
from tests.feedback import live
from tests.schedules.channels.oa_desk import Desk
from tests.signing_in import sign_in


@pytest.fixture
def desk(start_carriers: Any) -> Desk:
    return Desk(start_carriers)


def fetched(desk: Desk, publication: Publication) -> dict[str, figures.Counted]:
    with desk.at():
        figures.fetch(publication.id)
    return {one.metric: one for one in figures.of(publication.id)}


def rows() -> int:
    return session.scalar(select(func.count()).select_from(CarrierFigure)) or 0


class TestOfficialAccount:
    def test_nothing_is_known_on_the_first_day(self, desk: Desk) -> None:
        assert fetched(desk, desk.live()) == {}

    def test_the_series_grows_and_a_second_look_changes_nothing(self, desk: Desk) -> None:
        publication = desk.live()
        desk.wait(days=3)
        first = fetched(desk, publication)
        assert set(first) == set(figures.METRICS)
        series = first["read"].series
        assert len(series) in (3, 4)  # the carrier's day may not be ours
        assert list(series) == sorted(series)
        assert first["read"].value == series[-1] > 0
        count = rows()
        assert fetched(desk, publication)["read"].series == series
        assert rows() == count
        desk.wait(days=1)
        assert len(fetched(desk, publication)["read"].series) == len(series) + 1

    def test_nothing_half_made_is_kept_while_the_carrier_is_behind(self, desk: Desk) -> None:
        publication = desk.live()
        desk.wait(days=3)
        desk.control("switch", delayed=True)
        assert fetched(desk, publication) == {}

    def test_it_is_known_by_its_address_when_its_number_was_never_noted(self, desk: Desk) -> None:
        publication = desk.live()
        with transaction():
            known = publication.carrier_facts
            publication.carrier_facts = {**known, "msg_data_id": ""}
        desk.wait(days=2)
        assert fetched(desk, publication)["read"].value > 0

    def test_another_article_of_the_day_is_not_taken_for_it(self, desk: Desk) -> None:
        asset = make.asset(title="The same title")
        one, other = desk.live(asset=asset), desk.live(asset=asset)
        desk.wait(days=2)
        assert fetched(desk, one)["read"].value != fetched(desk, other)["read"].value
        with transaction():
            one.carrier_facts = {}
        with transaction():
            session.query(CarrierFigure).delete()
        assert fetched(desk, one) == {}  # two of that title: better nothing than the wrong one

    def test_a_mass_sent_article_is_counted_too(self, start_carriers: Any) -> None:
        desk = Desk(start_carriers, "oa_mass")
        publication = desk.live()
        desk.wait(days=2)
        assert fetched(desk, publication)["share"].value > 0

    def test_a_refusal_is_no_fault_of_the_publication(self, desk: Desk) -> None:
        publication = desk.live()
        desk.wait(days=2)
        desk.script("/getarticletotaldetail", "errcode:48001")
        assert fetched(desk, publication) == {}
        assert not publication.account.is_paused


class TestTheNightlyJob:
    def test_it_asks_about_what_is_young_and_whose_carrier_counts(self, desk: Desk) -> None:
        young = desk.live()
        old, paused = desk.live(), desk.live()
        other = desk.open("oa_publish")
        with transaction():
            old.published_at = now() - timedelta(days=40)
            paused.account = other
            other.is_paused = True
        live.publication()  # through the reader pages, which count nothing of their own
        assert figures.due() == [young.id]

    def test_one_that_cannot_be_asked_does_not_stop_the_others(self, desk: Desk) -> None:
        broken = desk.live()
        closed = desk.open("oa_publish")
        with transaction():
            closed.sealed = "gAAAAnonsense"
            broken.account = closed
        sound = desk.live()
        desk.wait(days=2)
        with desk.at():
            assert figures.fetch_all(pause=0) == 1
        assert {one.publication_id for one in session.query(CarrierFigure)} == {sound.id}

    def test_what_was_left_is_first_the_next_time(self, desk: Desk) -> None:
        one, other = desk.live(), desk.live()
        desk.wait(days=2)
        fetched(desk, one)
        assert figures.due() == [other.id, one.id]
        assert figures.fetch_all(pause=0, budget=0) == 0

    def test_a_secret_wrong_by_now_is_told_to_nobody(self, desk: Desk) -> None:
        publication = desk.live()
        desk.wait(days=2)
        with transaction():
            desk.account.sealed = sealing.seal({"appsecret": "changed"})
        assert fetched(desk, publication) == {}


def count(publication: Publication, monkeypatch: pytest.MonkeyPatch, **values: int) -> None:
    """As a carrier might say it for the second of January."""
    told = tuple(Figure(name, date(2026, 1, 2), value) for name, value in values.items())
    monkeypatch.setattr(CHANNELS.get("reader"), "figures", lambda _envelope: told)
    figures.fetch(publication.id)


def test_a_later_word_replaces_the_earlier_one(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    publication = live.publication()
    count(publication, monkeypatch, like=5, wow=1)
    count(publication, monkeypatch, like=4)
    assert [(one.metric, one.value) for one in figures.of(publication.id)] == [
        ("like", 4),
        ("wow", 1),
    ]


def test_they_are_never_added_to_our_own(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    publication = live.publication()
    before = reports.of_publication(publication.id)
    count(publication, monkeypatch, read=500, like=70, collect=9, comment=8)
    assert reports.of_publication(publication.id) == before
    assert session.scalar(select(func.count()).select_from(Event)) == 0


@pytest.mark.parametrize("path", ["/insights/posts/{}", "/today/publications/{}"])
def test_people_see_them_apart_with_source_and_day(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    sign_in(client, make.user(Role.ADMINISTRATOR))
    publication = live.publication()
    page = client.get(path.format(publication.id)).get_data(as_text=True)
    assert "What the carrier counts" not in page
    count(publication, monkeypatch, read=4321, collect=17)
    page = client.get(path.format(publication.id)).get_data(as_text=True)
    block = page[page.index("What the carrier counts") :]
    assert block.index("4321") < block.index("17") < block.index("2026-01-02")
    assert "Reader pages" in block
