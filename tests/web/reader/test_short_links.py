"""Following short links: by name, on a domain of their own, to the outside, and after their end."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cms.core import config
from cms.core.clock import now
from cms.core.db import session, transaction
from feedback.ingest import ingest
from feedback.models import Event
from schedules import link_names, links, utm
from schedules.models import Publication, TrackedLink
from schedules.utm import UtmFields
from tests import factories as make
from tests.feedback import live
from tests.feedback.live import Reader

VIDEO = "https://a.example/v?lesson=1"


@pytest.fixture
def reader(client: FlaskClient) -> Reader:
    return Reader(client)


@pytest.fixture
def shown(app: Flask) -> Publication:
    return live.publication(asset=make.asset(kind="video", content={"url": VIDEO}))


def outside(of: Publication) -> TrackedLink:
    return next(one for one in of.links if one.target)


def events() -> list[Event]:
    ingest()
    session.expire_all()
    return session.query(Event).order_by(Event.id).all()


def test_a_tap_on_the_name_counts_like_one_on_the_code(reader: Reader, shown: Publication) -> None:
    link = links.own_link(shown)
    with transaction():
        link_names.rename(link, "spring-sale", by=None)
    for typed in (link.code, "spring-sale", "Spring-Sale"):
        answer = reader.get(f"/l/{typed}")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
        assert answer.location == f"/p/{shown.public_id}"
    assert {(one.link_code, one.publication_id) for one in events()} == {(link.code, shown.id)}


def test_an_ended_link_says_so_and_counts_for_nobody(reader: Reader, shown: Publication) -> None:
    link = links.own_link(shown)
    with transaction():
        link.expires_at = now() - timedelta(seconds=1)
    answer = reader.get(f"/l/{link.code}")
    assert answer.status_code == 410
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "This link has ended" in reader.page
    assert shown.public_id not in reader.page
    assert [(one.link_code, one.publication_id) for one in events()] == [(link.code, None)]
    assert reader.get(f"/p/{shown.public_id}").status_code == 200  # the page itself stays


def test_a_link_works_until_its_end(reader: Reader, shown: Publication) -> None:
    link = links.own_link(shown)
    with transaction():
        link.expires_at = now() + timedelta(minutes=1)
    assert reader.get(f"/l/{link.code}").status_code == 302


def test_campaign_parameters_go_to_the_outside_only(reader: Reader, shown: Publication) -> None:
    with transaction():
        utm.save(UtmFields(source="{channel}", medium="a b"), by=None)
    own = reader.get(f"/l/{links.own_link(shown).code}")
    assert "utm_" not in own.location
    answer = reader.get(f"/l/{outside(shown).code}")
    assert answer.location == f"{VIDEO}&utm_source=reader&utm_medium=a%20b"


def test_a_tap_is_kept_before_it_is_answered(
    reader: Reader, shown: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks while the way on is looked up, the tap is on disk already."""

    def broken(_link: TrackedLink) -> str:
        raise OSError("gone")

    monkeypatch.setattr(utm, "address_of", broken)
    reader.client.application.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        assert reader.get(f"/l/{outside(shown).code}").status_code == 500
    finally:
        reader.client.application.config["PROPAGATE_EXCEPTIONS"] = None
    assert [one.publication_id for one in events()] == [shown.id]


@pytest.fixture
def short_domain(app: Flask) -> Iterator[None]:
    before = config.current()
    config.use(replace(before, link_base_url="https://s.example.com"))
    yield
    config.use(before)


def test_a_short_domain_leads_to_the_pages_own_one(
    reader: Reader, shown: Publication, short_domain: None
) -> None:
    answer = reader.get(f"/l/{links.own_link(shown).code}")
    assert answer.location == f"http://localhost/p/{shown.public_id}"


def test_following_asks_one_question_and_outside_a_second(
    reader: Reader, shown: Publication, count_queries: Callable
) -> None:
    with transaction():
        utm.save(UtmFields(source="all"), by=None)
    own, other = links.own_link(shown).code, outside(shown).code
    reader.get(f"/l/{own}")
    for code, most in ((own, 1), (other, 2)):
        with count_queries() as statements:
            reader.get(f"/l/{code}")
        assert len(statements) == most, statements
