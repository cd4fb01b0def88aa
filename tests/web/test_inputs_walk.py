"""Every route there is, met with what no page of ours would send."""

import re
from typing import ClassVar

import pytest
from sqlalchemy import event
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import IntegerConverter

from cms.core.db import db
from tests.web.house import House, rules

JSON = {"Accept": "application/json"}
HOSTILE = (
    "\x00",
    "9" * 30,
    "9" * 5000,
    "²",
    "-1",
    "' OR 1=1 --<script>alert(1)</script>{{7*7}}\x1b[2J\u202e/../../etc" + "😀" * 300,
)
PROVEN_BY_ADDRESS = {"reader.leave_list"}  # the token in the letter; mail programs post it
EXPECTED_WRITES = re.compile(r" web_sessions\b")  # a stranger's sign-in form needs its proof kept


class Noting(ImmutableMultiDict):
    """Notes which names a view asks for, whether or not they were sent."""

    asked: ClassVar[set[str]] = set()

    def __getitem__(self, name):
        Noting.asked.add(name)
        return super().__getitem__(name)

    def get(self, name, *args, **kwargs):
        Noting.asked.add(name)
        return super().get(name, *args, **kwargs)

    def getlist(self, name, *args, **kwargs):
        Noting.asked.add(name)
        return super().getlist(name, *args, **kwargs)

    def __contains__(self, name):
        Noting.asked.add(name)
        return super().__contains__(name)


@pytest.fixture
def asked(app, monkeypatch):
    """The names that a request makes its view ask for."""
    monkeypatch.setattr(app.request_class, "parameter_storage_class", Noting)

    def names(house, path, **given):
        Noting.asked.clear()
        house.client.open(path, **given).close()
        return sorted(Noting.asked - {"csrf_token", "X-CSRFToken"})

    return names


@pytest.fixture
def house(client):
    return House(client)


def test_no_form_takes_a_field_it_did_not_offer(app, house):
    wrong = []
    for rule in rules(app, "POST"):
        answer = house.client.post(house.path(rule), data={"approved_by": "1"}, headers=JSON)
        told = (answer.status_code, (answer.json or {}).get("error"))
        if told != (422, "unknown_field"):
            wrong.append((rule.rule, *told))
    assert wrong == []


def test_no_query_breaks_a_page(app, house, asked):
    broken, tried = [], 0
    for rule in rules(app, "GET"):
        path = house.path(rule)
        for name in asked(house, path):
            for text in HOSTILE:
                tried += 1
                with house.client.get(path, query_string={name: text}) as answer:
                    if answer.status_code >= 500:
                        broken.append((rule.rule, name, text[:9], answer.status_code))
    assert broken == []
    assert tried > 300


def test_no_field_breaks_a_form(app, house, asked):
    broken, tried = [], 0
    for rule in rules(app, "POST"):
        path = house.path(rule)
        names = asked(house, path, method="POST", data={"csrf_token": "x"})
        for some in (names, *([one] for one in names)):
            for text in HOSTILE:
                tried += 1
                answer = house.client.post(path, data=dict.fromkeys(some, text))
                if answer.status_code >= 500:
                    broken.append((rule.rule, some, text[:9], answer.status_code))
    assert broken == []
    assert tried > 300


def places(app, *, numbers):
    """Every place in every route's path that takes a number, or that takes words."""
    for method in ("GET", "POST"):
        for rule in rules(app, method):
            for name in rule.arguments:
                if isinstance(rule._converters[name], IntegerConverter) is numbers:
                    yield method, rule, name


def test_a_number_no_row_can_have_is_simply_not_there(app, house):
    wrong = []
    for method, rule, name in places(app, numbers=True):
        for number in (2**31, 10**30):
            path = house.path(rule, **{name: number})
            answer = house.client.open(path, method=method)
            if answer.status_code not in (404, 405):  # 405: the other method has the route
                wrong.append((method, path, answer.status_code))
    assert wrong == []


def test_no_name_in_an_address_breaks_a_page(app, house):
    broken = []
    for method, rule, name in places(app, numbers=False):
        for text in HOSTILE:
            path = house.path(rule, **{name: text.replace("/", "")})
            with house.client.open(path, method=method) as answer:
                if answer.status_code >= 500:
                    broken.append((method, rule.rule, text[:9], answer.status_code))
    assert broken == []


def test_looking_changes_nothing(app, house):
    written = []

    def note(_connection, _cursor, statement, *_rest):
        is_write = re.match(r"\s*(INSERT|UPDATE|DELETE|REPLACE)\b", statement, re.IGNORECASE)
        if is_write and not EXPECTED_WRITES.search(statement):
            written.append(statement)

    changes = []
    connection = db._app_engines[app][None]
    event.listen(connection, "before_cursor_execute", note)
    try:
        for method in ("GET", "OPTIONS"):
            for rule in rules(app, "GET"):
                house.client.open(house.path(rule), method=method).close()
                changes += [(method, rule.rule, statement) for statement in written]
                written.clear()
    finally:
        event.remove(connection, "before_cursor_execute", note)
    assert changes == []


def test_nothing_is_sent_without_the_forms_own_proof(app, house):
    """Readers' forms answer 403, since their proof is of another kind; all others say "expired"."""
    app.config["WTF_CSRF_ENABLED"] = True
    open_to_forgery = []
    try:
        for rule in rules(app, "POST"):
            if rule.endpoint in PROVEN_BY_ADDRESS:
                continue
            for data in ({}, {"csrf_token": "stale"}):
                answer = house.client.post(house.path(rule), data=data, headers=JSON)
                told = (answer.status_code, (answer.json or {}).get("error"))
                if told[0] != 403 and told != (400, "form_expired"):
                    open_to_forgery.append((rule.rule, data, *told))
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert open_to_forgery == []
