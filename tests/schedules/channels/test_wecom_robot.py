"""WeCom's group robot: one post is one message, counted in bytes; silence is for a person."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from cms.core import config
from cms.core.clock import now
from cms.core.db import session
from cms.demo.carriers.wecom import ROBOT
from content_library.models import Media
from schedules import addressing, publishing
from schedules.channels import CHANNELS
from schedules.channels.wecom_robot import WecomRobot
from schedules.content import outgoing
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import stored
from tests.schedules.channels.corporation import (
    Corporation,
    again,
    newest,
    sent,
    told,
)
from tests.schedules.ready import approved

pytestmark = pytest.mark.wire

SEND = "/webhook/send"


@pytest.fixture
def public_site(app: Flask) -> Iterator[None]:
    """A site whose pictures a carrier could fetch."""
    before = config.current()
    config.use(dataclasses.replace(before, base_url="https://seeds.example.com"))
    yield
    config.use(before)


@pytest.fixture
def poster(app: Flask) -> Media:
    return stored((300, 200))


def channel() -> WecomRobot:
    found = CHANNELS.get("wecom_robot")
    assert isinstance(found, WecomRobot)
    return found


class TestWhatAppears:
    def test_a_text_is_what_the_preview_said(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_robot"), text="今晚八点开讲")
        assert publication.state is State.PUBLISHED
        (shown,) = corporation.shown("robot_message")
        assert shown["content"] == channel().render(outgoing(publication.post)).text
        assert shown["content"].startswith("今晚八点开讲\nhttp")

    def test_a_card_has_title_words_and_picture(
        self, corporation: Corporation, public_site: None, poster: Media
    ) -> None:
        asset = make.asset(title="标题" * 30)
        account = corporation.account("wecom_robot")
        other = stored((50, 50))
        publication = sent(account, asset=asset, text="来看", media_ids=[poster.id, other.id])
        (shown,) = corporation.shown("robot_message")
        (article,) = shown["articles"]
        drawn = channel().render(outgoing(publication.post))
        assert drawn.card is not None
        assert (article["title"], article["description"]) == (drawn.card.title, drawn.text)
        assert len(article["title"].encode()) <= 128
        assert article["url"] == drawn.card.url
        assert article["picurl"].endswith(f"{poster.sha256}/share")
        codes = [one.code for one in drawn.changes]
        assert codes == ["link_as_card", "title_cut", "pictures_fetched", "pictures_left_out"]

    @pytest.mark.parametrize(
        ("title", "text", "words", "is_told"),
        [
            ("新品", "新品发布会今晚八点", "新品发布会今晚八点", False),
            ("新品", "新品\n今晚八点", "今晚八点", True),
            ("新品", "新品", "", True),
            ("题" * 43, "题" * 43 + "\n今晚", "题" * 43 + "\n今晚", False),
        ],
        ids=["a word that begins alike", "the first line", "nothing else", "a title that is cut"],
    )
    def test_words_are_left_out_only_where_the_title_has_them(
        self, app: Flask, title: str, text: str, words: str, is_told: bool
    ) -> None:
        account = make.account(channel="wecom_robot", settings={"style": "news"})
        post = make.post(account=account, asset=make.asset(title=title), text=text)
        drawn = channel().render(replace(outgoing(post), link="https://x.example/l/abc"))
        assert drawn.card is not None
        assert drawn.text == words
        assert ("title_not_repeated" in [one.code for one in drawn.changes]) is is_told

    def test_too_many_words_for_a_card_go_as_text(
        self, corporation: Corporation, public_site: None, poster: Media
    ) -> None:
        account = corporation.account("wecom_robot")
        post = make.post(account=account, text="好" * 171, media_ids=[poster.id])
        drawn = channel().render(outgoing(post))
        assert (drawn.card, drawn.limit) == (None, 2048)
        assert "pictures_left_out" in [one.code for one in drawn.changes]

    def test_a_picture_alone_goes_as_a_picture(
        self, corporation: Corporation, poster: Media
    ) -> None:
        sent(corporation.account("wecom_robot"), text="", media_ids=[poster.id])
        (shown,) = corporation.shown("robot_message")
        assert shown["msgtype"] == "image"

    @pytest.mark.parametrize("style", ["markdown", "markdown_v2"])
    def test_markdown(
        self, corporation: Corporation, public_site: None, poster: Media, style: str
    ) -> None:
        account = corporation.account("wecom_robot", style=style)
        sent(account, text="**好**", media_ids=[poster.id])
        (shown,) = corporation.shown("robot_message")
        assert shown["msgtype"] == style
        assert shown["content"].startswith("**好**")
        assert ("![](" in shown["content"]) == (style == "markdown_v2")

    def test_bytes_are_counted_not_characters(self, corporation: Corporation) -> None:
        post = make.post(account=corporation.account("wecom_robot"), text="好")
        link = len(outgoing(post).link.encode()) + 1
        for spare, is_fine in ((0, True), (-1, False)):
            text = "x" * (2048 - link - 3 * 600 - spare) + "好" * 600
            content = outgoing(make.post(account=post.account, text=text))
            assert (channel().problems(content) == []) is is_fine, spare


class TestWhatAnswersMean:
    @pytest.mark.parametrize(
        ("word", "outcome", "state", "effects"),
        [
            ("errcode:93000", Outcome.REJECTED, State.HELD, 0),
            ("errcode:93004", Outcome.REJECTED, State.HELD, 0),
            ("errcode:45002", Outcome.REJECTED, State.FAILED, 0),
            ("errcode:40058", Outcome.REJECTED, State.FAILED, 0),
            ("errcode:99999", Outcome.REJECTED, State.FAILED, 0),
            ("errcode:45009", Outcome.NOT_SENT, State.SCHEDULED, 0),
            ("errcode:-1", Outcome.UNCERTAIN, State.UNCERTAIN, 0),
            ("429:7", Outcome.NOT_SENT, State.SCHEDULED, 0),
            ("500", Outcome.UNCERTAIN, State.UNCERTAIN, 0),
            ("before", Outcome.UNCERTAIN, State.UNCERTAIN, 0),
            ("reset", Outcome.UNCERTAIN, State.UNCERTAIN, 1),
            ("html", Outcome.UNCERTAIN, State.UNCERTAIN, 1),
        ],
    )
    def test_outcomes(
        self, corporation: Corporation, word: str, outcome: Outcome, state: State, effects: int
    ) -> None:
        corporation.script(SEND, word)
        publication = sent(corporation.account("wecom_robot"))
        assert newest(publication).outcome is outcome
        assert publication.state is state
        assert publication.account.is_paused is (state is State.HELD)
        assert len(corporation.shown("robot_message")) == effects
        assert ROBOT not in told(publication)

    def test_a_busy_robot_is_for_a_person(self, corporation: Corporation) -> None:
        corporation.script(SEND, "errcode:-1", "ok")
        publication = sent(corporation.account("wecom_robot"))
        assert "leaves open" in told(publication)
        again(publication, later=7200)
        assert publication.state is State.UNCERTAIN
        assert corporation.shown("robot_message") == []

    def test_a_hanging_robot_is_for_a_person(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(addressing, "LONGEST_CALL", 0.3)
        corporation.script(SEND, "hang")
        assert sent(corporation.account("wecom_robot")).state is State.UNCERTAIN

    def test_the_twenty_first_in_a_minute_waits_for_the_next(
        self, corporation: Corporation
    ) -> None:
        account = corporation.account("wecom_robot")
        publication = approved(account=account)
        fence = publishing.claim(publication.id, worker="here")
        assert fence is not None
        envelope = publishing._prepared(publication.id, fence)
        assert envelope is not None
        receipts = [channel().send(envelope) for _ in range(21)]
        assert [one.outcome for one in receipts[:20]] == [Outcome.ACCEPTED] * 20
        assert receipts[20].outcome is Outcome.NOT_SENT
        assert receipts[20].after is not None
        assert receipts[20].after.total_seconds() == 60
        corporation.advance(60)
        assert channel().send(envelope).outcome is Outcome.ACCEPTED

    def test_throttled_rests_the_account_for_a_minute(self, corporation: Corporation) -> None:
        corporation.script(SEND, "errcode:45009", "ok")
        publication = sent(corporation.account("wecom_robot"))
        blocked = publication.account.blocked_until
        assert blocked is not None
        assert 50 < (blocked - now()).total_seconds() <= 60
        assert again(publication).state is State.PUBLISHED


class TestTheKey:
    def test_the_whole_address_may_be_pasted(self, corporation: Corporation) -> None:
        pasted = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={ROBOT}"
        publication = sent(corporation.account("wecom_robot", key=pasted))
        assert publication.state is State.PUBLISHED
        assert ROBOT not in told(publication)

    def test_without_a_key_the_account_is_paused(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_robot", key="https://example.com/"))
        assert publication.state is State.HELD

    def test_testing_shows_nobody_anything(self, corporation: Corporation) -> None:
        way = addressing.way_of(corporation.account("wecom_robot"))
        assert channel().try_out(way) == ""
        corporation.control("kill_robot")
        assert "removed from its group" in channel().try_out(way)
        assert corporation.shown("") == []

    def test_the_log_never_has_the_key(
        self, corporation: Corporation, capsys: pytest.CaptureFixture[str]
    ) -> None:
        corporation.script(SEND, "errcode:93000")
        publication = sent(corporation.account("wecom_robot"))
        session.expire_all()
        assert ROBOT not in "".join(capsys.readouterr())
        assert ROBOT not in publication.account.last_fault
        assert "•••" in json.dumps(newest(publication).detail, ensure_ascii=False)
