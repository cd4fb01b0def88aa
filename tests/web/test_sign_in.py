"""Signing in and out: limits, links, sessions, and where one lands."""

import re

import pytest
import time_machine
from sqlalchemy import select

from cms.accounts import passwords, tokens, users
from cms.accounts.models import Role, User, WebSession
from cms.core.db import session, transaction
from cms.web.sessions import COOKIE
from tests import factories
from tests.signing_in import sign_in

PASSWORD = "correct horse battery"
HASHED = passwords.hashed(PASSWORD)


@pytest.fixture
def mei(app):
    return factories.user(Role.PLANNER, login="mei", password_hash=HASHED)


def post_password(client, login="mei", password=PASSWORD, **kwargs):
    return client.post("/sign-in", data={"login": login, "password": password}, **kwargs)


def test_a_right_password_opens_a_new_session(client, mei):
    client.post("/preferences", data={"language": "zh"})
    answer = post_password(client)
    assert answer.status_code == 302
    assert session.scalars(select(WebSession.user_id)).all() == [mei.id]
    cookie = client.get_cookie(COOKIE)
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert client.get("/profile").status_code == 200


def test_wrong_password_and_unknown_user_look_the_same(client, mei):
    wrong = post_password(client, password="wrong password")
    unknown = post_password(client, login="nobody")
    assert wrong.status_code == unknown.status_code == 422
    assert b"do not match" in wrong.data
    assert _bare(wrong.text, "mei") == _bare(unknown.text, "nobody")


def _bare(page, login):
    """The page without what differs anyway: the name typed, and the proof of origin."""
    return re.sub(r'value="[^"]{40,}"', "", page).replace(login, "")


def test_five_failures_close_the_account_for_a_while(client, mei):
    with time_machine.travel("2026-05-01 08:00:00+00:00", tick=False) as clock:
        for _ in range(5):
            assert post_password(client, password="wrong password").status_code == 422
        answer = post_password(client)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 900
        clock.shift(901)
        assert post_password(client).status_code == 302


def test_thirty_failures_close_the_address(client, app):
    for n in range(30):
        post_password(client, login=f"nobody{n}")
    assert post_password(client, login="another").status_code == 429


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "https://evil.example",
        "/\t/evil",
    ],
)
def test_next_never_leaves_the_site(client, mei, target):
    answer = client.post(
        "/sign-in", query_string={"next": target}, data={"login": "mei", "password": PASSWORD}
    )
    assert answer.location == "/"


def test_next_goes_on_to_a_page_of_ours(client, mei):
    assert post_password(client, query_string={"next": "/profile?x=1"}).location == "/profile?x=1"


def test_a_session_known_before_sign_in_is_worthless_after(client, app, mei):
    client.post("/sign-in", data={"login": "mei", "password": "wrong password"})
    client.set_cookie(COOKIE, "chosen-by-somebody-else")
    post_password(client)
    assert client.get_cookie(COOKIE).value != "chosen-by-somebody-else"


def test_signing_out_ends_the_session_for_a_stolen_cookie_too(client, app, mei):
    post_password(client)
    stolen = client.get_cookie(COOKIE).value
    client.post("/sign-out")
    other = app.test_client()
    other.set_cookie(COOKIE, stolen)
    assert other.get("/profile").status_code == 302


def test_a_disabled_user_is_out_at_once(client, mei):
    sign_in(client, mei)
    assert client.get("/profile").status_code == 200
    with transaction():
        users.disable(mei, by=None)
    assert client.get("/profile").status_code == 302


def test_an_idle_session_ends(client, mei):
    with time_machine.travel("2026-05-01 08:00:00+00:00", tick=False) as clock:
        sign_in(client, mei)
        assert client.get("/profile").status_code == 200
        clock.shift(12 * 3600 + 1)
        assert client.get("/profile").status_code == 302


def test_a_one_time_link_asks_first_and_signs_in_once(client, app, mei):
    with transaction():
        token = tokens.issue(tokens.Purpose.SIGN_IN, mei)
    for _ in range(2):
        assert client.get(f"/enter/{token}").status_code == 200
    assert client.post(f"/enter/{token}").status_code == 302
    assert client.get("/profile").status_code == 200
    assert app.test_client().post(f"/enter/{token}").status_code == 404


def test_the_first_administrator_sets_up_their_account(client, app):
    with transaction():
        token = tokens.issue(tokens.Purpose.SET_UP)
    short = client.post(f"/set-up/{token}", data={"login": "li", "name": "Li", "password": "short"})
    assert short.status_code == 422
    assert b"10 to 200" in short.data
    form = {"login": "li", "name": "Li", "password": PASSWORD}
    assert client.post(f"/set-up/{token}", data=form).status_code == 302
    assert session.scalars(select(User.role)).all() == [Role.ADMINISTRATOR]
    assert app.test_client().post(f"/set-up/{token}", data=form).status_code == 404


def test_an_expired_form_keeps_what_was_typed(client, app, mei):
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = client.post("/sign-in", data={"login": "typed", "password": "secret word"})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert answer.status_code == 400
    assert b"typed" in answer.data
    assert b"secret word" not in answer.data


def test_a_foreign_host_is_refused(client, app):
    assert client.get("/sign-in", headers={"Host": "evil.example"}).status_code == 400


def test_unknown_pages_and_methods(client, app):
    assert client.get("/nowhere").status_code == 404
    answer = client.put("/sign-in")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_errors_have_one_json_shape(client, app):
    answer = client.get("/nowhere", headers={"Accept": "application/json"})
    assert set(answer.json) == {"error", "message", "field", "request_id"}
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_every_answer_carries_the_safety_headers(client, app):
    answer = client.get("/sign-in")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
