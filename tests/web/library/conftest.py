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

    def reading(answer) -> BeautifulSoup:
        page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
        ids = [one["id"] for one in page.select("[id]")]
        assert len(ids) == len(set(ids)), sorted(x for x in ids if ids.count(x) > 1)
        assert page.title is not None
        assert page.title.text.strip(" ·") != "Seedbed"
        assert len(page.select("h1")) == 1
        for field in page.select("input:not([type=hidden]), select, textarea"):
            assert _has_name(page, field), field
        assert not page.select("[style], [onclick], script:not([src])")
        return page

    return reading


def _has_name(page: BeautifulSoup, field) -> bool:
    if field.get("aria-label") or field.find_parent("label"):
        return True
    return bool(field.get("id") and page.select(f'label[for="{field["id"]}"]'))
