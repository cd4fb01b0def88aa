"""The carriers' door: what is let in, what is refused, and what the answer gives away."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from cms.core import sealing
from cms.core.db import session, transaction
from cms.web.callbacks import views
from schedules.callbacks import doors, handling
from schedules.callbacks.events import CarrierTold
from schedules.models import CarrierCall, ChannelAccount
from tests import factories as make
from tests.schedules.callbacks.carriers_letters import path_of, plain, reading, scan, sealed
from tests.schedules.callbacks.test_cipher import CORP, ECHO, MESSAGE


@pytest.fixture(autouse=True)
def patient() -> None:
    views.failures.forget()


def calls() -> list[CarrierCall]:
    session.expire_all()
    return list(session.scalars(select(CarrierCall).order_by(CarrierCall.id)))


def post(client: FlaskClient, account: ChannelAccount, letter: tuple[dict[str, str], bytes]) -> Any:
    query, body = letter
    return client.post(path_of(account, **query), data=body, content_type="text/xml")


class TestTheAddress:
    def test_it_is_made_when_asked_for_and_stays(self, app: Flask) -> None:
        account = make.account(channel="oa_publish")
        made = doors.address(account)
        assert made.startswith("http://localhost/callbacks/")
        assert doors.address(account) == made
        assert doors.address(make.account(channel="oa_publish")) != made

    def test_a_channel_that_is_never_called_has_none(self, app: Flask) -> None:
        assert doors.address(make.account(channel="reader")) == ""

    def test_the_published_check_gets_its_plain_word_and_nothing_else(
        self, client: FlaskClient
    ) -> None:
        query = {
            "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
            "timestamp": "1409659589",
            "nonce": "263014780",
            "echostr": ECHO,
        }
        answer = client.get(path_of(reading(), **query))
        assert (answer.status_code, answer.data) == (200, b"1616140317555161061")
        assert answer.mimetype == "text/plain"

    def test_a_plain_check_gets_its_word_back(self, client: FlaskClient) -> None:
        query, _body = plain({})
        answer = client.get(path_of(reading(), **query, echostr="6123456789<b>"))
        assert (answer.status_code, answer.data) == (200, b"6123456789<b>")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_a_wrong_check_is_refused_and_not_repeated_to_its_sender(
        self, client: FlaskClient
    ) -> None:
        query, _body = plain({})
        for wrong in ({"signature": "0" * 40}, {"echostr": ""}, {"nonce": "other"}):
            given = {**query, "echostr": "secret-word", **wrong}
            answer = client.get(path_of(reading(), **given))
            assert (answer.status_code, answer.data) == (403, b"")

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_strangers_addresses_look_like_any_page_that_is_not_there(
        self, client: FlaskClient, method: str
    ) -> None:
        without_keys = make.account(channel="oa_publish")
        unopenable = make.account(channel="oa_publish", sealed="gAAAAnonsense")
        ask = getattr(client, method)
        said = {
            (answer.status_code, answer.data.replace(request_id(answer), b""))
            for answer in (
                ask("/callbacks/" + "x" * 32),
                ask(path_of(without_keys)),
                ask(path_of(unopenable)),
                ask("/callbacks-of-nobody"),
            )
        }
        assert len(said) == 1
        assert next(iter(said))[0] == 404


def request_id(answer: Any) -> bytes:
    return str(answer.headers["X-Request-ID"]).encode()


class TestCalls:
    def test_a_good_one_is_stored_before_it_is_answered(self, client: FlaskClient) -> None:
        account = reading()
        answer = post(client, account, sealed(scan()))
        assert (answer.status_code, answer.data) == (200, b"success")
        [call] = calls()
        assert (call.account_id, call.kind) == (account.id, "SCAN")
        assert call.content["EventKey"] == "scene-1"
        assert call.handled_at is None

    def test_the_published_message_comes_in(self, client: FlaskClient) -> None:
        query = {
            "msg_signature": "477715d11cdb4164915debcba66cb864d751f3e6",
            "timestamp": "1409659813",
            "nonce": "1372623149",
        }
        body = f"<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{MESSAGE}]]></Encrypt></xml>"
        assert post(client, reading(), (query, body.encode())).status_code == 200
        [call] = calls()
        assert (call.key, call.kind, call.content["Content"]) == (
            "message 4561255354251345929",
            "text",
            "hello",
        )

    def test_further_parameters_change_nothing(self, client: FlaskClient) -> None:
        query, body = sealed(scan())
        answer = post(client, reading(), ({**query, "added": "1", "signature": "x"}, body))
        assert answer.status_code == 200
        assert len(calls()) == 1

    def test_a_repeat_is_answered_and_stored_once(self, client: FlaskClient) -> None:
        account = reading()
        letter = sealed(scan())
        assert [post(client, account, one).status_code for one in (letter, letter)] == [200, 200]
        assert post(client, account, sealed(scan())).status_code == 200  # sealed anew, same event
        assert len(calls()) == 1

    def test_two_changes_of_one_second_are_two_calls(self, client: FlaskClient) -> None:
        account = reading()
        changed = scan(Event="change_external_contact", ChangeType="add_external_contact")
        for who in ("wm-one", "wm-two"):
            post(client, account, sealed(changed | {"ExternalUserID": who}))
        group = scan(Event="change_external_chat", ChangeType="update", ChatId="wr-one")
        for what in ("add_member", "del_member"):
            post(client, account, sealed(group | {"UpdateDetail": what}))
        assert len(calls()) == 4

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda query, body: ({**query, "msg_signature": "0" * 40}, body),
            lambda query, body: ({**query, "timestamp": "1"}, body),
            lambda query, body: ({}, body),
            lambda query, body: (query, body.replace(b"<Encrypt>", b"<Encrypt>A")),
            lambda query, body: (query, b"not xml"),
            lambda query, body: (query, b""),
            lambda query, body: sealed(scan(), receiver="wx0000000000000000"),
            lambda query, body: sealed(b"<xml><a>"),
            lambda query, body: sealed(b'<!DOCTYPE x [<!ENTITY a "b">]><xml><c>&a;</c></xml>'),
        ],
    )
    def test_a_wrong_one_is_refused_and_stored_nowhere(
        self, client: FlaskClient, spoil: Any
    ) -> None:
        answer = post(client, reading(), spoil(*sealed(scan())))
        assert (answer.status_code, answer.data) == (403, b"")
        assert calls() == []

    def test_an_entity_bomb_costs_nothing(self, client: FlaskClient) -> None:
        levels = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
        bomb = f'<!DOCTYPE x [<!ENTITY l0 "ha">{levels}]><xml><Encrypt>&l9;</Encrypt></xml>'
        query, _body = sealed(scan())
        assert post(client, reading(), (query, bomb.encode())).status_code == 403

    def test_too_large_a_one_is_not_read(self, client: FlaskClient) -> None:
        query, body = sealed(scan())
        answer = post(client, reading(), (query, body + b" " * 1_048_577))
        assert answer.status_code == 413
        assert calls() == []

    def test_wrong_ones_wear_out_our_patience_with_their_sender_only(
        self, client: FlaskClient
    ) -> None:
        account = reading()
        wrong = sealed(scan(), receiver="wx0000000000000000")
        statuses = {post(client, account, wrong).status_code for _ in range(40)}
        assert statuses == {403, 429}
        assert post(client, reading(), sealed(scan())).status_code == 200
        query, body = sealed(scan())
        other = {"REMOTE_ADDR": "198.51.100.7"}
        again = client.post(path_of(account, **query), data=body, environ_overrides=other)
        assert again.status_code == 200


class TestPlainCalls:
    def test_an_account_without_a_key_takes_them(self, client: FlaskClient) -> None:
        assert post(client, reading(key=""), plain(scan())).status_code == 200
        assert calls()[0].kind == "SCAN"

    def test_an_old_one_is_refused_since_anybody_could_have_changed_it(
        self, client: FlaskClient
    ) -> None:
        account = reading(key="")
        assert post(client, account, plain(scan(), age=3_600)).status_code == 403
        assert post(client, account, plain(scan(), age=60)).status_code == 200

    def test_an_account_with_a_key_takes_none(self, client: FlaskClient) -> None:
        assert post(client, reading(), plain(scan())).status_code == 403
        assert calls() == []

    def test_one_in_both_forms_is_read_from_its_sealed_half(self, client: FlaskClient) -> None:
        query, body = sealed(scan())
        both = body.replace(b"<Encrypt>", b"<EventKey>forged</EventKey><Encrypt>")
        assert post(client, reading(), (query, both)).status_code == 200
        assert calls()[0].content["EventKey"] == "scene-1"


class TestWeCom:
    def test_the_corporation_is_the_receiver_and_encryption_a_must(
        self, client: FlaskClient
    ) -> None:
        account = reading("wecom_mass", settings={"corpid": CORP, "appid": ""})
        contact = scan(
            FromUserName="sys",
            Event="change_external_contact",
            ChangeType="add_external_contact",
            ExternalUserID="wm-one",
            State="post-7",
        )
        assert post(client, account, sealed(contact)).status_code == 200
        assert calls()[0].content["State"] == "post-7"
        unsealed = reading("wecom_mass", settings={"corpid": CORP}, key="")
        assert post(client, unsealed, plain(contact)).status_code == 404  # it was given no key
        another = reading("wecom_mass", settings={"corpid": "ww-other"})
        assert post(client, another, sealed(contact)).status_code == 403


def test_no_form_token_is_asked_for(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        assert post(client, reading(), sealed(scan())).status_code == 200
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_what_a_carrier_tells_of_people_is_passed_on_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[CarrierTold] = []
    monkeypatch.setattr(handling.events, "emit", heard.append)
    account = reading()
    post(client, account, sealed(scan(Event="subscribe", EventKey="qrscene_7")))
    [call] = calls()
    for _ in range(2):
        handling.handle(call.id)
    assert [(told.account_id, told.kind) for told in heard] == [(account.id, "subscribe")]
    assert heard[0].content["EventKey"] == "qrscene_7"
    assert calls()[0].handled_at is not None


def test_secrets_that_changed_are_used_at_once(client: FlaskClient) -> None:
    account = reading()
    letter = sealed(scan())
    with transaction():
        account.sealed = sealing.seal({"callback_secret": "another"})
    assert post(client, account, letter).status_code == 403
