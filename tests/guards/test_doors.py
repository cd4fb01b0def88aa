"""Every endpoint names who may enter, and every role gets exactly that."""

import pytest
from werkzeug.routing import IntegerConverter

from cms.accounts.models import Role
from cms.accounts.permissions import MARK, PERMISSIONS, PUBLIC
from tests import factories
from tests.signing_in import sign_in

SAMPLE = {
    "token": "no-such-token",
    "code": "nosuchcode",
    "feed_token": "no-such-feed",
    "public_id": "no-such-page",
    "sha": "0" * 64,
    "rendition": "thumb",
    "monday": "2026-03-02",
    "kind": "article",
    "slug": "no-such-slug",
    "day": "2026-03-02",
}


def rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def test_every_view_carries_a_mark(application):
    bare = [
        rule.rule
        for rule in rules(application)
        if not hasattr(application.view_functions[rule.endpoint], MARK)
    ]
    assert bare == []


def test_nothing_that_changes_answers_to_get(application):
    """Forms may be shown by GET; operations named after verbs may not."""
    verbs = ("approve", "reject", "delete", "drop", "accept", "undo", "confirm", "submit", "retry")
    loose = [
        rule.rule
        for rule in rules(application)
        if rule.rule.rsplit("/", 1)[-1] in verbs and "GET" in (rule.methods or ())
    ]
    assert loose == []


@pytest.mark.parametrize("role", [None, *Role])
def test_each_role_enters_where_its_permissions_say(client, app, role):
    """Walk every route: strangers are sent to sign in, others get 403 exactly where they lack."""
    if role is not None:
        sign_in(client, factories.user(role))
    wrong = []
    for rule in rules(app):
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        mark = getattr(app.view_functions[rule.endpoint], MARK)
        if mark == PUBLIC:
            continue
        answer = client.open(_path(rule), method=method)
        if role is None:
            allowed = answer.status_code == 302 and "/sign-in" in answer.location
        elif mark in PERMISSIONS[role]:
            allowed = answer.status_code != 403 and answer.status_code < 500
        else:
            allowed = answer.status_code == 403
        if not allowed:
            wrong.append((rule.rule, method, answer.status_code))
    assert wrong == []


def _path(rule):
    """The rule's path with every place filled: numbers by one that no row has."""
    values = {
        name: 999_999 if isinstance(converter, IntegerConverter) else SAMPLE.get(name, "none")
        for name, converter in rule._converters.items()
    }
    return rule.build(values)[1]


def test_public_views_are_the_ones_we_know(application):
    """A new public page must be added here on purpose."""
    open_to_all = {
        rule.endpoint.split(".")[0]
        for rule in rules(application)
        if getattr(application.view_functions[rule.endpoint], MARK) == PUBLIC
    }
    # The style guide is registered in test and development mode only.
    assert open_to_all <= {"account", "reader", "callbacks", "healthz", "styleguide"}
