"""A planner signed in, and pages read by selector."""

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from cms.accounts.models import Role
from content_library import jobs
from content_library.search import projection
from tests import factories
from tests.signing_in import sign_in
from tests.web.reading import checked

Page = Callable[[object], BeautifulSoup]


@pytest.fixture
def planner(client: FlaskClient) -> FlaskClient:
    return sign_in(client, factories.user(Role.PLANNER))


@pytest.fixture
def analyst(app) -> FlaskClient:
    return sign_in(app.test_client(), factories.user(Role.ANALYST))


@pytest.fixture(autouse=True)
def index(app):
    projection.index().drop()
    jobs.rebuild()
    yield projection.index()
    projection.index().drop()


@pytest.fixture
def read() -> Page:
    """The answer as a page, checked for what every page must have."""
    return checked
