"""The page of alerts: routes added, tried, paused, removed; what was told of what."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from cms.accounts.models import Role
from cms.core import clock, signing
from cms.core.db import session
from schedules import alerts, telling
from schedules.models import AlertRoute
from schedules.states import PublicationState as State
from tests import factories as make
from tests.mail_server import mail_server, use
from tests.schedules.receiver import Receiver, receiver
from tests.signing_in import sign_in

PAGE = "/settings/alerts"


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    return sign_in(client, make.user(Role.ADMINISTRATOR))


@pytest.fixture
def hook(app: Flask) -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def page(client: FlaskClient) -> BeautifulSoup:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def routes() -> list[AlertRoute]:
    return list(session.scalars(select(AlertRoute)))


def test_a_webhook_is_added_and_its_secret_is_shown_once(
    admin: FlaskClient, hook: Receiver
) -> None:
    form = {"kind": "webhook", "address": hook.url, "lang": "zh"}
    shown = admin.post(PAGE, data=form, follow_redirects=True).text
    secret = next(word for word in shown.replace("<", " ").split() if word.startswith("whsec_"))
    assert secret not in admin.get(PAGE).text
    (route,) = routes()
    tried = admin.post(f"{PAGE}/test", data={"route": route.id}, follow_redirects=True)
    assert "The test was taken." in tried.text
    headers, body = hook.calls[0]
    assert signing.verify(secret, headers, body)
    assert json.loads(body)["type"] == "alert.test"


def test_a_test_letter_really_leaves_or_the_page_says_why_not(admin: FlaskClient) -> None:
    with mail_server() as box:
        admin.post(PAGE, data={"kind": "email", "address": "wei@example.com", "lang": "en"})
        (route,) = routes()
        admin.post(f"{PAGE}/test", data={"route": route.id})
        assert "A test of the alerts: it arrived." in box.letters[0].get_content()
        box.answer_to["wei@example.com"] = "550 no such box"
        failed = admin.post(f"{PAGE}/test", data={"route": route.id}, follow_redirects=True)
        assert "The test did not get through: no such box" in failed.text
        assert "The last try failed: no such box" in page(admin).text


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"kind": "webhook", "address": "http://10.0.0.1/x", "lang": "en"}, "only public http"),
        ({"kind": "email", "address": "wei", "lang": "en"}, "Write an address such as"),
        ({"kind": "pigeon", "address": "wei", "lang": "en"}, "Choose one of those offered."),
    ],
)
def test_a_bad_address_comes_back_with_what_was_typed(
    admin: FlaskClient, form: dict[str, str], told: str
) -> None:
    use("smtp://127.0.0.1:9")
    answer = admin.post(PAGE, data=form)
    assert answer.status_code == 422
    assert told in answer.text
    assert form["address"] in answer.text
    assert routes() == []


def test_routes_pause_resume_change_their_secret_and_go(admin: FlaskClient, hook: Receiver) -> None:
    admin.post(PAGE, data={"kind": "webhook", "address": hook.url, "lang": "en"})
    number = routes()[0].id
    for action, is_active in (("pause", False), ("pause", False), ("resume", True)):
        assert admin.post(f"{PAGE}/{action}", data={"route": number}).status_code == 302
        assert routes()[0].is_active is is_active
    renewed = admin.post(f"{PAGE}/secret", data={"route": number}, follow_redirects=True)
    assert "whsec_" in renewed.text
    admin.post(f"{PAGE}/remove", data={"route": number})
    assert routes() == []
    assert admin.post(f"{PAGE}/test", data={"route": number}).status_code == 404
    assert admin.post(f"{PAGE}/test", data={"route": "x"}).status_code == 404


def test_alerts_are_listed_with_who_was_told(admin: FlaskClient) -> None:
    make.post(state=State.FAILED, account=make.account(name="Class teachers"))
    with mail_server():
        admin.post(PAGE, data={"kind": "email", "address": "wei@example.com", "lang": "en"})
        alerts.refresh()
        assert "is being told" in page(admin).text
        with clock.holding(clock.now() + timedelta(seconds=16)):
            telling.tell(routes()[0].id)
    listed = page(admin)
    assert listed.find("a", string=lambda text: text and "Class teachers" in text) is not None
    assert "wei@example.com: told" in listed.text
    sign_in(admin, make.user(Role.OPERATOR))
    seen = page(admin)
    assert "Class teachers" in seen.text
    assert "wei@example.com" not in seen.text  # addresses are for those who keep them
    assert seen.select("main form") == []
    assert admin.post(f"{PAGE}/test", data={"route": routes()[0].id}).status_code == 403
