"""What readers meet when a post has been taken back: kind words, and nothing of the post."""

import pytest
from flask.testing import FlaskClient

from cms.accounts.models import Role
from cms.core.db import session, transaction
from schedules import carrying, links, wishes
from schedules.models import Publication
from schedules.states import PublicationState
from tests import factories as make
from tests.schedules.ready import approved, tried


@pytest.fixture
def shown(client: FlaskClient) -> Publication:
    way = make.account(per_minute=6000)
    publication = approved(account=way, text="Words that go away")
    return tried(publication)


def take_back(publication: Publication) -> None:
    with transaction():
        wishes.ask_withdrawal(publication, make.user(Role.OPERATOR), "Wrong picture")
    carrying.carry(publication.id, worker="here")
    session.expire_all()


def test_page_and_link_are_gone_and_say_so_kindly(client: FlaskClient, shown: Publication) -> None:
    page, code = f"/p/{shown.public_id}", links.own_link(shown).code
    assert client.get(page).status_code == 200
    assert client.get(f"/l/{code}").status_code == 302
    take_back(shown)
    for address in (page, f"/l/{code}"):
        answer = client.get(address)
        assert answer.status_code == 410
        assert "has been taken back" in answer.text
        assert "Words that go away" not in answer.text
    assert client.get("/p/never-was").status_code == 404
    assert client.post(f"{page}/like").status_code == 410


def test_the_feed_drops_it(client: FlaskClient, shown: Publication) -> None:
    token = shown.pool.feed_token
    for address in (f"/f/{token}", f"/f/{token}.xml"):
        assert "Words that go away" in client.get(address).text
    take_back(shown)
    for address in (f"/f/{token}", f"/f/{token}.xml"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "Words that go away" not in answer.text


def test_a_post_that_only_its_carrier_took_down_is_gone_here_too(
    client: FlaskClient, shown: Publication
) -> None:
    with transaction():
        shown.withdrawn_at = shown.published_at
    assert shown.state is PublicationState.PUBLISHED
    assert client.get(f"/p/{shown.public_id}").status_code == 410
    assert client.get(f"/f/{shown.pool.feed_token}").text.count("Words that go away") == 0


def test_what_never_was_live_stays_unknown(client: FlaskClient, shown: Publication) -> None:
    with transaction():
        shown.state = PublicationState.CANCELLED
    assert client.get(f"/p/{shown.public_id}").status_code == 404
