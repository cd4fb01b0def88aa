"""Packs in a browser: read, copied, confirmed with proof, declined."""

import io

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from cms.accounts.models import Role, User
from cms.core.db import session, transaction
from content_library.models import Media
from schedules import publishing
from schedules.channels.base import Confirmation, Receipt
from schedules.models import HandOver
from schedules.states import HandOverState, Outcome, PublicationState
from tests import factories as make
from tests.schedules.fake_carrier import ready, registered
from tests.schedules.ready import given
from tests.signing_in import sign_in


@pytest.fixture
def holder(client: FlaskClient) -> User:
    user = make.user(Role.PLANNER)
    sign_in(client, user)
    return user


@pytest.fixture
def pack(holder: User) -> HandOver:
    return given(holder)


def test_the_pack_holds_the_text_to_copy(client: FlaskClient, pack: HandOver) -> None:
    listed = client.get("/today/hand-overs")
    assert f"/today/hand-overs/{pack.id}" in listed.text
    page = BeautifulSoup(client.get(f"/today/hand-overs/{pack.id}").text, "html.parser")
    assert page.select_one("#pack-text").text.startswith("Worth a read\nhttp://localhost/l/")
    assert page.select_one("[data-copy-from=pack-text]")


def test_it_is_confirmed_with_a_note(client: FlaskClient, pack: HandOver) -> None:
    answer = client.post(f"/today/hand-overs/{pack.id}/confirm", data={"note": "Live at 20:31"})
    assert answer.status_code == 302
    assert pack.state is HandOverState.CONFIRMED
    assert pack.publication.state is PublicationState.PUBLISHED
    assert "Live at 20:31" in client.get(f"/today/hand-overs/{pack.id}").text


def test_it_is_confirmed_with_a_screenshot(client: FlaskClient, pack: HandOver) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(picture, "PNG")
    picture.seek(0)
    answer = client.post(
        f"/today/hand-overs/{pack.id}/confirm", data={"file": (picture, "proof.png")}
    )
    assert answer.status_code == 302
    assert pack.proof_media_id == session.scalars(select(Media.id)).one()
    assert "proof" in client.get(f"/today/hand-overs/{pack.id}").text


@pytest.mark.parametrize("fields", [{"note": " "}, {"file": (io.BytesIO(b"<html>"), "proof.png")}])
def test_what_is_no_proof_is_said_so(
    client: FlaskClient, pack: HandOver, fields: dict[str, object]
) -> None:
    answer = client.post(f"/today/hand-overs/{pack.id}/confirm", data=fields)
    assert answer.status_code == 422
    assert pack.state is HandOverState.WAITING


def test_it_is_declined_with_a_reason(client: FlaskClient, pack: HandOver) -> None:
    address = f"/today/hand-overs/{pack.id}/decline"
    assert client.post(address, data={"reason": ""}).status_code == 422
    assert client.post(address, data={"reason": "Phone is broken"}).status_code == 302
    assert pack.publication.state is PublicationState.FAILED


def test_anothers_pack_looks_like_none(client: FlaskClient, holder: User) -> None:
    theirs = given(make.user(Role.PLANNER))
    for answer in (
        client.get(f"/today/hand-overs/{theirs.id}"),
        client.post(f"/today/hand-overs/{theirs.id}/confirm", data={"note": "Mine"}),
        client.get("/today/hand-overs/99999"),
    ):
        assert answer.status_code == 404
    assert f"/today/hand-overs/{theirs.id}" not in client.get("/today/hand-overs").text
    assert theirs.state is HandOverState.WAITING


def test_a_pack_of_another_channel_says_what_its_carrier_said(
    client: FlaskClient, holder: User
) -> None:
    words = "The draft is in the console. Publish it there."
    with registered() as carrier:
        carrier.answers["deliver"] = Receipt(
            Outcome.ACCEPTED, "draft-1", confirmation=Confirmation.PERSON, reason=words
        )
        publication = ready()
        with transaction():
            publication.account.persona = make.persona(holder_id=holder.id)
        publishing.publish(publication.id, worker="here")
        pack = session.scalars(select(HandOver)).one()
        page = client.get(f"/today/hand-overs/{pack.id}")
        assert page.status_code == 200
        assert words in page.text
        answer = client.post(f"/today/hand-overs/{pack.id}/confirm", data={"note": "Done at noon"})
        assert answer.status_code == 302
    assert publication.state is PublicationState.PUBLISHED
