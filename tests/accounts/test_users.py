"""Users: added, changed, shut out; and the one administrator who must remain."""

import pytest
from sqlalchemy import select

from cms.accounts import tokens, users
from cms.accounts.models import AuditEntry, Role
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid, NotFound
from tests import factories

pytestmark = pytest.mark.usefixtures("app")


def test_adding_a_user_folds_the_login_and_is_audited():
    with transaction():
        user = users.add(" Mei@Example.com ", "Mei", Role.PLANNER, by=None)
    assert user.login == "mei@example.com"
    assert users.by_login("MEI@example.com") is user
    assert session.scalars(select(AuditEntry.action)).all() == ["user.added"]


@pytest.mark.parametrize(
    ("login", "name", "field"),
    [("a b", "Mei", "login"), ("", "Mei", "login"), ("mei", "\u200b ", "name")],
)
def test_bad_users_are_refused_beside_the_field(login, name, field):
    with pytest.raises(Invalid) as caught, transaction():
        users.add(login, name, Role.PLANNER, by=None)
    assert list(caught.value.fields) == [field]


def test_a_login_is_given_once():
    factories.user(login="mei")
    with pytest.raises(Invalid) as caught, transaction():
        users.add("MEI", "Another", Role.ANALYST, by=None)
    assert caught.value.problem.code == "login_taken"


def test_the_last_administrator_stays():
    only = factories.user(Role.ADMINISTRATOR)
    with pytest.raises(Conflict), transaction():
        users.disable(only, by=only)
    factories.user(Role.ADMINISTRATOR)
    with transaction():
        users.disable(only, by=only)
    assert not only.is_active


def test_a_one_time_link_works_once():
    user = factories.user()
    with transaction():
        token = tokens.issue(tokens.Purpose.SIGN_IN, user)
    with transaction():
        assert tokens.use(token).user is user
    with pytest.raises(NotFound), transaction():
        tokens.use(token)
