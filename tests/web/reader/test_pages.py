"""What readers meet: tracked links, the page of a post, pictures, and nothing that is not for them."""

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from cms.accounts.models import WebSession
from cms.core.clock import now
from cms.core.config import ROOT
from cms.core.db import session, transaction
from content_library import media
from content_library.models import AssetVersion, VersionMedia
from feedback import outward, rollups
from feedback.ingest import ingest
from feedback.models import Event, Rollup, Verdict
from schedules import links
from schedules.models import Publication
from schedules.states import OPEN_TO_READERS, PublicationState
from tests import factories as make
from tests.content_library.pictures import png
from tests.feedback import live
from tests.feedback.live import Reader


@pytest.fixture
def reader(client):
    return Reader(client)


def counted():
    ingest()
    rollups.roll_up()
    session.expire_all()


def test_a_tap_leads_to_the_page_and_is_counted_once(reader):
    of = live.publication()
    answer = reader.get(f"/l/{links.own_link(of).code}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    assert reader.get(answer.location).status_code == 200
    reader.tap(of)
    counted()
    click = session.get(Rollup, (of.id, session.query(Event.day).first()[0], "click"))
    assert (click.raw, click.counted, click.people, click.weak) == (2, 1, 1, 0)


def test_readers_leave_no_session_behind(reader):
    reader.tap(live.publication())
    assert session.query(WebSession).count() == 0
    assert "sb_session" not in str(reader.client._cookies)


def test_heads_prefetches_and_programs_are_sent_on_but_not_counted(client):
    of = live.publication()
    url = f"/l/{links.own_link(of).code}"
    assert client.head(url, headers={"User-Agent": live.PHONE}).status_code == 302
    for headers in (
        {"User-Agent": live.PHONE, "Sec-Purpose": "prefetch;prerender"},
        {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"User-Agent": "curl/8.5.0"},
    ):
        assert client.get(url, headers=headers).status_code == 302
    counted()
    assert {event.verdict for event in session.query(Event)} == {Verdict.BOT}
    assert {event.reasons[0].split(":")[0] for event in session.query(Event)} == {
        "method",
        "prefetch",
        "agent",
    }
    row = session.query(Rollup).filter_by(kind="click").one()
    assert (row.raw, row.counted) == (4, 0)


@pytest.mark.parametrize("state", sorted(set(PublicationState) - OPEN_TO_READERS))
def test_what_is_not_live_looks_like_what_never_was(reader, state):
    post = make.post(state=state)
    of = post.publication
    sha = _give_picture(of)
    places = {
        f"/l/{links.own_link(of).code}": "/l/no-such-code",
        f"/p/{of.public_id}": "/p/no-such-page",
        f"/p/{of.public_id}/more": "/p/no-such-page/more",
        f"/m/{of.public_id}/{sha}/full": f"/m/no-such-page/{sha}/full",
    }
    for hidden, missing in places.items():
        answers = [reader.client.get(url) for url in (hidden, missing)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].data == answers[1].data
        kept = [
            {name: value for name, value in answer.headers if name != "X-Request-ID"}
            for answer in answers
        ]
        assert kept[0] == kept[1]
    for act in ("like", "collect", "share", "seen", "comment"):
        assert reader.post(of, act).status_code == 404


@pytest.mark.parametrize("state", [PublicationState.SENDING, PublicationState.UNCERTAIN])
def test_a_reader_who_holds_the_link_early_is_let_in(reader, state):
    """The carrier may have shown the post before its answer reached us, or without any answer."""
    of = make.post(state=state).publication
    assert reader.get(f"/l/{links.own_link(of).code}").status_code == 302
    assert reader.get(f"/p/{of.public_id}").status_code == 200


def test_unknown_codes_are_recorded_as_orphans(reader):
    answer = reader.get("/l/never-given-out")
    assert answer.status_code == 404
    assert "Location" not in answer.headers
    counted()
    orphan = session.query(Event).one()
    assert (orphan.link_code, orphan.publication_id, orphan.flag) == (
        "never-given-out",
        None,
        "unknown_post",
    )


def test_a_draft_saved_later_does_not_leak(reader):
    asset = make.asset(html="<p>The pinned words.</p>")
    of = live.publication(asset=asset)
    with transaction():
        draft = AssetVersion(asset_id=asset.id, number=2, title="Secret title", created_at=now())
        draft.html = "<p>Secret draft</p>"
        session.add(draft)
        asset.latest_number, asset.title = 2, "Secret title"
    reader.get(f"/p/{of.public_id}")
    assert "The pinned words." in reader.page
    assert "Secret" not in reader.page


def test_a_video_leads_out_through_a_link_of_its_own(reader):
    url = "https://www.bilibili.com/video/BV1xx411c7mD"
    of = live.publication(
        asset=make.asset(kind="video", html="", content={"url": url, "host_name": "bilibili"})
    )
    reader.tap(of)
    watch = BeautifulSoup(reader.page, "html.parser").select_one("a.watch")
    code = outward.link_of(of).code
    assert watch["href"].endswith(f"/l/{code}")
    assert reader.get(f"/l/{code}").location == url
    counted()
    kinds = {row.kind: row.counted for row in session.query(Rollup)}
    assert (kinds["click"], kinds["open"]) == (1, 1)


def _give_picture(of: Publication, role: str = "cover") -> str:
    with transaction():
        row = media.store(png(), "cover.png", by=None)
        session.add(
            VersionMedia(version_id=of.post.version_id, media_id=row.id, role=role, alt="A")
        )
    session.expire_all()
    return row.sha256


def test_pictures_are_those_of_the_post_and_no_others(reader):
    of, other = live.publication(), live.publication()
    sha = _give_picture(of)
    for rendition in ("thumb", "card", "share", "full"):
        with reader.get(f"/m/{of.public_id}/{sha}/{rendition}") as answer:
            assert answer.status_code == 200
    assert reader.get(f"/m/{of.public_id}/{sha}/original").status_code == 404
    assert reader.get(f"/m/{of.public_id}/{sha}/../../etc").status_code == 404
    assert reader.get(f"/m/{other.public_id}/{sha}/full").status_code == 404


def test_pictures_in_the_text_are_fetched_from_the_public_place(reader):
    sha = "a" * 64
    of = live.publication(asset=make.asset(html=f'<p><img src="/media/{sha}/full" alt=""></p>'))
    reader.get(f"/p/{of.public_id}")
    assert f'src="/m/{of.public_id}/{sha}/full"' in reader.page
    assert 'src="/media/' not in reader.page


def test_the_page_has_a_share_card_and_says_whose_it_is(reader):
    of = live.publication(asset=make.asset(summary="Short & sweet"))
    sha = _give_picture(of)
    reader.get(f"/p/{of.public_id}")
    page = BeautifulSoup(reader.page, "html.parser")

    def told(name):
        return page.select_one(f'meta[property="{name}"]')["content"]

    assert told("og:title") == of.post.version.title
    assert told("og:description") == "Short & sweet"
    assert told("og:url") == f"http://localhost/p/{of.public_id}"
    assert told("og:image") == f"http://localhost/m/{of.public_id}/{sha}/share"
    assert page.select_one('meta[name="robots"]')["content"] == "noindex"
    assert page.select_one("html")["lang"] == "en"
    assert not page.select("[style], script:not([src])")


def test_a_long_article_with_all_it_loads_is_below_50_kb(reader):
    of = live.publication(asset=make.asset(html="<p>读者看到的文字，一句接一句。</p>" * 250))
    reader.get(f"/p/{of.public_id}")
    assert reader.page.count("读者") == 250
    own = set(re.findall(r'(?:href|src)="/(static/[^"#]+)', reader.page))
    assert any(name.endswith("reader.css") for name in own)
    weight = len(reader.page.encode()) + sum((ROOT / name).stat().st_size for name in own)
    assert weight < 50_000


def test_scripts_in_names_and_titles_are_printed_not_run(reader):
    of = live.publication(asset=make.asset(title="<script>alert(1)</script>{{7*7}}"))
    reader.get(f"/p/{of.public_id}")
    assert "<script>alert" not in reader.page
    assert "{{7*7}}" in reader.page


def test_a_page_asks_few_questions(reader, count_queries):
    of = live.publication()
    for _ in range(5):
        reader.tap(of)
    with count_queries() as statements:
        reader.get(f"/p/{of.public_id}")
    assert len(statements) <= 9
    url = f"/l/{links.own_link(of).code}"
    with count_queries() as statements:
        reader.get(url)
    assert len(statements) == 1


def test_taps_within_two_seconds_are_only_suspected(reader):
    of = live.publication(published_at=now() - timedelta(seconds=0.2))
    reader.get(f"/l/{links.own_link(of).code}")
    counted()
    click = session.query(Event).one()
    assert (click.verdict, click.reasons) == (Verdict.SUSPECTED, ["too_fast"])
