"""What approvers see on the day sheet: the same previews, the changes in small print, few questions."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import transaction
from schedules import subscribers
from schedules.models import ChannelAccount, Post
from tests import factories as make
from tests.schedules.ready import submitted
from tests.signing_in import sign_in


@pytest.fixture
def sheet(client: FlaskClient):
    sign_in(client, make.user(Role.OPERATOR))

    def read() -> BeautifulSoup:
        return BeautifulSoup(client.get("/today/").text, "html.parser")

    return read


def today(way: ChannelAccount, **fields: object) -> Post:
    return submitted(
        pool=way.pools[0], account=way, publish_at=now() + timedelta(minutes=1), **fields
    )


def test_the_small_print_tells_what_is_changed_and_how_full_it_is(sheet) -> None:
    way = make.account(make.pool(), channel="wecom_robot", settings={"style": "text"})
    today(way, text="Good morning")
    card = sheet().select_one(".sheet-card")
    assert card.select_one(".chat .chat__badge").text == "robot"
    assert "The link is added as the last line." in card.select_one(".preview-notes").text
    assert "/ 2,048 bytes" in card.select_one(".meter__words").text


def test_letters_and_messages_ask_no_more_for_many_than_for_one(sheet, count_queries) -> None:
    mail, hook = (make.account(make.pool(), channel=one) for one in ("email", "webhook"))
    with transaction():
        subscribers.add(mail, "ann@example.com", by=None)
    for way in (mail, hook):
        today(way)
    sheet()
    with count_queries() as few:
        sheet()
    for _ in range(4):
        for way in (mail, hook):
            today(way)
    with count_queries() as many:
        assert len(sheet().select(".sheet-card")) == 10
    assert len(many) == len(few)
