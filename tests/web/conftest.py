"""Who sits at the screen in tests of pages."""

import pytest
from flask.testing import FlaskClient

from cms.accounts.models import Role, User
from tests import factories as make
from tests.signing_in import sign_in


@pytest.fixture
def operator(client: FlaskClient) -> User:
    user = make.user(Role.OPERATOR)
    sign_in(client, user)
    return user


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user = make.user(Role.ADMINISTRATOR, name="Ada")
    sign_in(client, user)
    return user
