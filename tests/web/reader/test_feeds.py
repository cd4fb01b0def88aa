"""The feed of a pool: a page, and an RSS document that a real parser accepts."""

from datetime import timedelta

import feedparser
import pytest

from cms.core.clock import now
from cms.core.db import transaction
from schedules import links
from schedules.states import PublicationState
from tests import factories as make
from tests.feedback import live


@pytest.fixture
def pool(app):
    return make.pool(name="Java 一群 & friends")


def entries(pool, number):
    account = make.account(pool)
    made = []
    for n in range(number):
        at = now() - timedelta(hours=number - n)
        of = live.publication(pool=pool, account=account, published_at=at, text=f"Words {n}")
        made.append(live.entry(of))
    return made


def test_the_newest_comes_first_through_its_tracked_link(client, pool):
    made = entries(pool, 3)
    page = client.get(f"/f/{pool.feed_token}").get_data(as_text=True)
    places = [page.index(entry.title) for entry in reversed(made)]
    assert places == sorted(places)
    for entry in made:
        assert f"/l/{links.own_link(entry.publication).code}" in page
    assert client.get(f"/f/{pool.feed_token}").headers["X-Robots-Tag"] == "noindex"


def test_long_feeds_are_paged_with_a_steady_number_of_queries(client, pool, count_queries):
    entries(pool, 23)
    with count_queries() as statements:
        first = client.get(f"/f/{pool.feed_token}").get_data(as_text=True)
    assert len(statements) <= 6
    assert first.count("<li ") == 20
    assert client.get(f"/f/{pool.feed_token}?page=2").get_data(as_text=True).count("<li ") == 3
    assert client.get(f"/f/{pool.feed_token}?page=0").status_code == 422


def test_a_real_parser_accepts_the_document(client, pool):
    made = entries(pool, 2)
    with transaction():
        made[1].title = "Control \x08 and <b>bold</b> & 引号"
    answer = client.get(f"/f/{pool.feed_token}.xml")
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    feed = feedparser.parse(answer.data)
    assert not feed.bozo
    assert feed.version == "rss20"
    assert feed.feed.title == "Java 一群 & friends"
    newest = feed.entries[0]
    assert newest.title == "Control  and <b>bold</b> & 引号"
    assert newest.id == f"seedbed:{made[1].publication.public_id}"
    assert newest.link.endswith(f"/l/{links.own_link(made[1].publication).code}")
    published = made[1].published_at.replace(microsecond=0)
    assert tuple(newest.published_parsed)[:6] == tuple(published.timetuple())[:6]


def test_asking_again_costs_nothing_until_something_changes(client, pool):
    made = entries(pool, 2)
    first = client.get(f"/f/{pool.feed_token}.xml")
    tag = {"If-None-Match": first.headers["ETag"]}
    again = client.get(f"/f/{pool.feed_token}.xml", headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    with transaction():
        made[0].publication.state = PublicationState.CANCELLED
    changed = client.get(f"/f/{pool.feed_token}.xml", headers=tag)
    assert changed.status_code == 200
    assert [entry.id for entry in feedparser.parse(changed.data).entries] == [
        f"seedbed:{made[1].publication.public_id}"
    ]


def test_unknown_and_closed_feeds_look_alike(client, pool):
    entries(pool, 1)
    with transaction():
        pool.is_active = False
    for suffix in ("", ".xml"):
        closed = client.get(f"/f/{pool.feed_token}{suffix}")
        unknown = client.get(f"/f/no-such-feed{suffix}")
        assert (closed.status_code, unknown.status_code) == (404, 404)
        assert closed.data == unknown.data
