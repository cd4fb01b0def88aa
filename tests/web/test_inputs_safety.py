"""Safety by construction, seen from outside: headers, cookies, sameness, silence of the logs."""

import dataclasses
import json
import logging
import statistics
import time

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from cms.accounts import passwords, tokens, users
from cms.accounts.models import Role
from cms.core import config, logs
from cms.core.db import session, transaction
from content_library.models import Media
from schedules.models import HandOver
from tests import factories as make
from tests.conftest import REAL_HASHER
from tests.schedules.ready import given
from tests.signing_in import sign_in
from tests.web.house import House, rules

PASSWORD = "correct horse battery"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
POLICY = ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'")


def unsafe(answer):
    """What is missing from the headers of an answer."""
    missing = [name for name, value in ALWAYS.items() if answer.headers.get(name) != value]
    policy = answer.headers.get("Content-Security-Policy", "")
    missing += [part for part in POLICY if part not in policy]
    return missing + [word for word in ("unsafe-", "*") if word in policy]


@pytest.fixture
def house(client):
    return House(client)


def test_every_page_carries_the_safety_headers(app, house):
    wrong = []
    for rule in rules(app, "GET"):
        with house.client.get(house.path(rule)) as answer:
            if faults := unsafe(answer):
                wrong.append((rule.rule, faults))
            kept = answer.headers["Cache-Control"]
            if kept != "no-store" and not kept.startswith("private, max-age"):
                wrong.append((rule.rule, kept))
    assert wrong == []


@pytest.mark.parametrize(
    ("status", "ask"),
    [
        (404, {"path": "/nowhere"}),
        (405, {"path": "/sign-in", "method": "PUT"}),
        (302, {"path": "/profile"}),
        (422, {"path": "/sign-in", "method": "POST", "data": {"login": ""}}),
        (400, {"path": "/sign-in", "headers": {"Host": "evil.example"}}),
        (413, {"path": "/sign-in", "method": "POST", "data": {"login": "x" * 3_000_000}}),
        (200, {"path": "/static/css/tokens.css"}),
        (404, {"path": "/static/../cms/core/config.py"}),
        (503, {"path": "/healthz"}),
    ],
)
def test_errors_and_files_carry_them_too(client, status, ask):
    with client.open(**ask) as answer:
        assert answer.status_code == status
        assert unsafe(answer) == []


def test_a_fault_of_ours_tells_its_number_and_nothing_else(client, monkeypatch, capsys):
    def broken(_token):
        raise RuntimeError("cannot reach postgresql://seed:hunter2@db/seed")

    monkeypatch.setattr(tokens, "find", broken)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.configure(process="web")
        answer = client.get("/enter/one-time-secret")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    assert answer.status_code == 500
    assert unsafe(answer) == []
    for word in ("Traceback", "RuntimeError", "hunter2"):
        assert word not in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    written = capsys.readouterr().err
    line = json.loads(written.splitlines()[-1])
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert "RuntimeError" in line["exception"]
    assert "one-time-secret" not in written
    assert "hunter2" not in written


def test_a_fault_of_the_database_does_not_quote_what_was_typed(app):
    with pytest.raises(DatabaseError) as fault:
        session.execute(text("SELECT :typed FROM nowhere"), {"typed": "my number is hunter2"})
    assert "nowhere" in str(fault.value)
    assert "hunter2" not in str(fault.value)


def test_limits_are_named_when_they_are_met(client):
    data = {"login": "x" * 3_000_000}
    answer = client.post("/sign-in", data=data)
    assert answer.status_code == 413
    assert "32 MB" in answer.text
    reply = client.post("/sign-in", data=data, headers={"Accept": "application/json"})
    assert "32 MB" in reply.json["message"]


@pytest.fixture
def behind_tls(app):
    """The same application, reached under https."""
    plain = config.current()
    secure = dataclasses.replace(plain, base_url="https://localhost")
    config.use(secure)
    app.config["SEEDBED"] = secure
    yield
    config.use(plain)
    app.config["SEEDBED"] = plain


def test_cookies_are_closed_to_scripts_other_sites_and_plain_http(app, house, behind_tls):
    stranger = app.test_client()
    with transaction():
        token = tokens.issue(tokens.Purpose.SIGN_IN, house.admin)
    answers = [
        app.test_client().post(f"/enter/{token}"),
        stranger.post("/preferences", data={"language": "zh"}),
        stranger.get(f"/p/{house.live.public_id}"),
        house.client.post("/calendar/density", data={"density": "compact"}),
    ]
    for answer in answers:
        [cookie] = answer.headers.getlist("Set-Cookie")
        for word in ("HttpOnly", "SameSite=Lax", "Secure"):
            assert word in cookie, cookie


def test_an_unknown_login_takes_as_long_as_a_wrong_password(client, monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", REAL_HASHER)
    passwords._nobody.cache_clear()
    make.user(login="mei", password_hash=passwords.hashed(PASSWORD))

    def cost(login):
        """Seconds of work, so that a busy machine does not matter."""
        spent = []
        for _ in range(5):
            before = time.thread_time()
            client.post("/sign-in", data={"login": login, "password": "wrong password"})
            spent.append(time.thread_time() - before)
        return statistics.median(spent)

    cost("somebody")
    known, unknown = cost("mei"), cost("nobody")
    passwords._nobody.cache_clear()
    assert 0.5 < known / unknown < 2


def test_a_new_role_ends_open_sessions(client):
    planner = make.user(Role.PLANNER)
    sign_in(client, planner)
    assert client.get("/profile").status_code == 200
    with transaction():
        users.set_role(planner, Role.OPERATOR, by=None)
    assert client.get("/profile").status_code == 302


def test_an_address_that_a_stranger_forges_is_not_believed(client):
    for n in range(31):
        client.post(
            "/sign-in",
            data={"login": f"nobody{n}", "password": "wrong password"},
            headers={"X-Forwarded-For": f"198.51.100.{n}"},
        )
    assert client.post("/sign-in", data={"login": "x", "password": "y"}).status_code == 429


def bare(answer):
    """An answer without what is new in each."""
    text = answer.get_data(as_text=True).replace(answer.headers["X-Request-ID"], "")
    return answer.status_code, text


def test_what_is_anothers_is_answered_like_what_is_missing(client):
    sign_in(client, make.user(Role.PLANNER))
    theirs = given(make.user(Role.PLANNER))
    missing = theirs.id + 1000
    for ask in (
        lambda number: client.get(f"/today/hand-overs/{number}"),
        lambda number: client.post(f"/today/hand-overs/{number}/confirm", data={"note": "x"}),
        lambda number: client.post(f"/today/hand-overs/{number}/decline", data={"reason": "x"}),
    ):
        assert bare(ask(theirs.id)) == bare(ask(missing))
        assert bare(ask(missing))[0] == 404
    assert session.get(HandOver, theirs.id).decided_at is None


def test_strangers_get_no_side_door(app, house):
    """Drafts, versions, thumbnails, exports and previews: all lead to the sign-in page alike."""
    sha = session.query(Media.sha256).first()[0]
    stranger = app.test_client()
    for path in (
        f"/media/{sha}/card",
        f"/media/{'0' * 64}/card",
        f"/library/{house.asset.id}/versions/1",
        f"/library/{house.asset.id}/changes",
        f"/calendar/posts/{house.post.id}",
        "/insights/posts.csv",
        "/palette.json?q=a",
        "/calendar/check.json?asset=1",
        f"/insights/posts/{house.live.id}/live",
    ):
        with stranger.get(path) as answer:
            assert (answer.status_code, answer.location.split("?")[0]) == (302, "/sign-in"), path
    assert stranger.post("/library/preview", data={"body": "x"}).status_code == 302
    assert stranger.get(f"/p/{house.post.publication.public_id}").status_code == 404
    assert stranger.get(f"/m/{house.post.publication.public_id}/{sha}/card").status_code == 404


def test_a_signed_in_reader_sees_unpublished_posts_nowhere_public(house):
    """Even the administrator's browser gets the public answer on the public address."""
    hidden = house.post.publication
    for path in (f"/p/{hidden.public_id}", f"/l/{hidden.links[0].code}"):
        assert house.client.get(path).status_code == 404
    assert house.client.get(f"/f/{house.pool.feed_token}").text.count(house.post.version.title) == 0
