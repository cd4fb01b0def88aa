"""The page and the document that say what each carrier can do."""

from bs4 import BeautifulSoup

from cms.accounts.models import Role
from cms.cli import channels
from schedules.channels import CHANNELS
from tests import factories as make
from tests.signing_in import sign_in


def test_every_carrier_stands_on_the_page_twice(client):
    """In the tables, and as a card for phones."""
    sign_in(client, make.user(Role.PLANNER))
    page = BeautifulSoup(client.get("/settings/channels").text, "html.parser")
    names = [channel.name for channel in CHANNELS]
    assert [one.text for one in page.select("section[aria-labelledby=takes] tbody th")] == names
    assert [one.text for one in page.select("section[aria-labelledby=gives] tbody th")] == names
    assert [one.h2.text for one in page.select(".matrix--narrow > section")] == names


def test_its_numbers_are_the_code_s_own(client, monkeypatch):
    sign_in(client, make.user(Role.PLANNER))
    text = BeautifulSoup(client.get("/settings/channels").text, "html.parser").text
    for channel in CHANNELS:
        assert f"{channel.limits.text:,}" in text
        if channel.limits.per_minute:
            assert f"{channel.limits.per_minute} a minute" in text


def test_the_document_is_written_by_the_command(app):
    printed = app.test_cli_runner().invoke(args=["channels", "matrix"])
    assert printed.exit_code == 0
    assert printed.output == channels.document()


def test_the_document_is_current(app):
    """Run `flask channels matrix --write` after changing what a channel declares."""
    assert channels.DOCUMENT.read_text("utf-8") == channels.document()
