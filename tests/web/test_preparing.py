"""A first start tells how far it is, and a demo says on every page that it is one."""

from cms.core import preparing
from tests import factories
from tests.signing_in import sign_in


def test_the_pages_tell_how_far_the_first_start_is(client, data_home):
    preparing.say(data_home, "library: 36 pictures", 3)
    try:
        for path in ("/", "/sign-in"):
            page = client.get(path)
            assert page.status_code == 200
            assert "library: 36 pictures" in page.text
            assert 'http-equiv="refresh"' in page.text
    finally:
        preparing.clear(data_home)
    assert "library: 36 pictures" not in client.get("/sign-in").text


def test_demo_pages_say_that_they_are_made_up(client, app):
    sign_in(client, factories.user(is_demo=True))
    assert "demo-mark" in client.get("/profile").text
    sign_in(client, factories.user())
    assert "demo-mark" not in client.get("/profile").text
