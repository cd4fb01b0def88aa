"""While a first start loads its world, the pages say how far it is; afterwards they are as ever."""

from cms.core import preparing


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
