"""Pages as a test reads them: asked for, there, and parsed."""

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def parsed(answer: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def read(client: FlaskClient, path: str) -> BeautifulSoup:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return parsed(answer)


def checked(answer: TestResponse) -> BeautifulSoup:
    """The page, which has what every page must have."""
    page = parsed(answer)
    ids = [one["id"] for one in page.select("[id]")]
    assert len(ids) == len(set(ids)), sorted(x for x in ids if ids.count(x) > 1)
    assert page.title is not None
    assert page.title.text.strip(" ·") != "Seedbed"
    assert len(page.select("h1")) == 1
    for field in page.select("input:not([type=hidden]), select, textarea"):
        assert _has_name(page, field), field
    assert not page.select("[style], [onclick], script:not([src])")
    return page


def _has_name(page: BeautifulSoup, field: Tag) -> bool:
    if field.get("aria-label") or field.find_parent("label"):
        return True
    return bool(field.get("id") and page.select(f'label[for="{field["id"]}"]'))
