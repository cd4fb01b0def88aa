"""The links in a letter work as soon as one reader has it, whatever becomes of the other letters."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict
from cms.demo.carriers.mail import MailSink
from content_library.models import AssetVersion
from feedback.ingest import ingest
from feedback.models import Event
from schedules import decisions, link_names, links, posts, receipts
from schedules.channels import email
from schedules.models import ChannelAccount, Publication, Stop
from schedules.states import PublicationState as State
from schedules.states import StopScope
from tests import factories as make
from tests.feedback.live import Reader
from tests.schedules.channels.email.mailing import body, listed, send, states
from tests.schedules.ready import again, approved


@pytest.fixture
def reader(client: FlaskClient) -> Reader:
    return Reader(client)


def link_in(sink: MailSink) -> str:
    found = re.search(r"/l/\S+", body(sink.letters()[0].message, "plain"))
    assert found
    return found[0]


def follows(reader: Reader, url: str, publication: Publication) -> int:
    """What the last of the doors answers: the link of the letter, then the page it leads to."""
    answer = reader.get(url)
    if answer.status_code != 302:
        return answer.status_code
    assert answer.location == f"/p/{publication.public_id}"
    return reader.get(answer.location).status_code


def partly(account: ChannelAccount, monkeypatch: pytest.MonkeyPatch) -> Publication:
    """One has it, and the others wait for their turn."""
    turns = iter([True, False, *[True] * 50])
    monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
    return send(account, asset=make.asset(html="<p>As it was approved</p>"))


def test_between_two_rounds_they_lead_on_and_count(sink, account, reader):
    sink.handler.script["bo@example.com"] = ["451"]
    publication = send(account)
    assert publication.state is State.SCHEDULED
    assert follows(reader, link_in(sink), publication) == 200
    ingest()
    session.expire_all()
    assert {one.publication_id for one in session.query(Event)} == {publication.id}


def test_while_a_stop_lasts(sink, account, reader, monkeypatch):
    publication = partly(account, monkeypatch)
    with transaction():
        session.add(Stop(scope=StopScope.ALL, reason="fire", at=now()))
    assert again(publication).state is State.SCHEDULED
    assert follows(reader, link_in(sink), publication) == 200


@pytest.mark.parametrize("state", [State.CLAIMED, State.HELD, State.MISSED, State.FAILED])
def test_wherever_it_comes_to_rest(sink, account, reader, monkeypatch, state):
    publication = partly(account, monkeypatch)
    with transaction():
        publication.state = state
    assert follows(reader, link_in(sink), publication) == 200


def test_when_the_rest_is_refused_and_dropped(sink, account, reader):
    listed(account, "di@example.com", "eve@example.com", "fay@example.com")
    for name in ("di", "eve", "fay"):
        sink.handler.script[f"{name}@example.com"] = ["554"]
    publication = send(account)
    assert publication.reason == receipts.PARTLY_OUT
    assert follows(reader, link_in(sink), publication) == 200
    with transaction():
        decisions.resolve_uncertain(publication, "drop", by=make.user(Role.OPERATOR))
    assert publication.state is State.CANCELLED
    assert follows(reader, link_in(sink), publication) == 200
    link = links.own_link(publication)
    with transaction(), pytest.raises(Conflict):
        link.alias = link.written = "spring-sale"
        link_names.rename(link, "another", by=None)


def test_a_letter_of_unknown_fate_may_have_a_reader(sink, account, reader):
    sink.handler.script["ann@example.com"] = ["cut"]
    publication = send(account)
    assert (publication.state, states(publication)["ann"]) == (State.SCHEDULED, "uncertain")
    assert follows(reader, link_in(sink), publication) == 200


def test_what_nobody_has_stays_shut(sink, account, reader):
    sink.handler.script["*"] = ["550"]
    waiting, failed = approved(account=account), send(account)
    assert (waiting.state, failed.state) == (State.SCHEDULED, State.FAILED)
    for one in (waiting, failed):
        assert reader.get(f"/l/{links.own_link(one).code}").status_code == 404
        assert reader.get(f"/p/{one.public_id}").status_code == 404


def test_they_show_what_was_sent(sink, account, reader, monkeypatch):
    """Somebody writes on at the asset meanwhile: the letters still come, and its page stays."""
    publication = partly(account, monkeypatch)
    asset = publication.post.asset
    with transaction():
        draft = AssetVersion(asset_id=asset.id, number=2, title="Newer", created_at=now())
        draft.html = "<p>Not approved</p>"
        session.add(draft)
        asset.latest_number, asset.title = 2, "Newer"
    with pytest.raises(Conflict), transaction():
        posts.replace_asset(publication.post, asset, by=None)
    assert follows(reader, link_in(sink), publication) == 200
    assert "As it was approved" in reader.page
    assert "Newer" not in reader.page


def test_words_that_nobody_approved_are_shown_to_nobody(sink, account, reader, monkeypatch):
    """Dropped after a part was out, taken back up, and other words written: those are a draft."""
    publication = partly(account, monkeypatch)
    url, by = link_in(sink), make.user(Role.OPERATOR)
    with transaction():
        publication.state = State.UNCERTAIN
        decisions.resolve_uncertain(publication, "drop", by=by)
    post = publication.post
    with transaction():
        post.wall_date += timedelta(days=1)
    with transaction():
        posts.restore(post, by=by)
    with transaction():
        posts.edit(post, text="Nobody approved this", expected_revision=post.revision, by=by)
    assert publication.state is State.PLANNED
    assert reader.get(url).status_code == 404
    assert reader.get(f"/p/{publication.public_id}").status_code == 404
    with transaction():  # approved with other words, and none of those letters has left
        publication.state, publication.content_hash = State.SCHEDULED, "another"
    assert reader.get(url).status_code == 404
    assert reader.get(f"/p/{publication.public_id}").status_code == 404


def test_the_page_asks_nothing_more_for_it(
    sink, account, reader, monkeypatch, count_queries: Callable
):
    publication = partly(account, monkeypatch)
    url = link_in(sink)
    follows(reader, url, publication)
    asked = {}
    for state in (State.SCHEDULED, State.PUBLISHED):
        with transaction():
            publication.state = state
        session.expire_all()
        for place in (url, f"/p/{publication.public_id}"):
            with count_queries() as statements:
                reader.get(place)
            asked[state, place[:3]] = len(statements)
    assert asked[State.SCHEDULED, "/p/"] == asked[State.PUBLISHED, "/p/"]
    assert (asked[State.PUBLISHED, "/l/"], asked[State.SCHEDULED, "/l/"]) == (1, 2)
