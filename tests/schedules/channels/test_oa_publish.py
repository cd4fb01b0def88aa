"""Publishing through an Official Account: nothing lost, nothing twice, every refusal in words."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import addressing
from schedules.channels import CHANNELS, oa_codes, oa_pieces, oa_publish
from schedules.channels.official_account import Api
from schedules.content import outgoing
from schedules.models import CarrierUpload, HandOver
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.demo_carriers import Start
from tests.schedules.channels.oa_desk import Desk, covered, picture


@pytest.fixture
def desk(start_carriers: Start) -> Desk:
    return Desk(start_carriers)


def article_at(desk: Desk) -> dict[str, Any]:
    """The one article that readers can see."""
    [article] = desk.carrier.book.all("article").values()
    return article["news_item"][0]


class TestTheWayToReaders:
    def test_it_is_handed_over_then_live(self, desk: Desk) -> None:
        publication = desk.publish(text="Two sentences.")
        assert publication.state is State.HANDED_OVER
        assert publication.external_id == publication.carrier_facts["publish_id"]
        assert desk.ask(publication).state is State.HANDED_OVER  # still being published
        desk.wait(seconds=20)
        assert desk.ask(publication).state is State.PUBLISHED
        assert publication.external_url.startswith("https://mp.demo.invalid/s?")
        assert publication.carrier_facts["article_id"]
        assert len(desk.shown()) == 1

    def test_the_article_is_what_the_preview_showed(self, desk: Desk) -> None:
        cover, inside = picture("navy"), picture("tomato")
        asset = make.asset(
            title="How to choose a lens",
            html=f'<p>Look <a href="https://example.com">here</a></p><img src="/media/{inside.sha256}/full" alt="Lenses">',
        )
        with transaction():
            desk.account.settings = {
                **desk.account.settings,
                "author": "Mei",
                "open_comments": "fans",
            }
        publication = desk.live(asset=covered(asset, cover), text="Pick one.")
        found = article_at(desk)
        drawn = CHANNELS.get("oa_publish").render(outgoing(publication.post))
        assert (found["title"], found["digest"]) == (drawn.title, drawn.text)
        assert found["content_source_url"] == drawn.card.url
        assert (found["author"], found["need_open_comment"], found["only_fans_can_comment"]) == (
            "Mei",
            1,
            1,
        )
        assert found["content"].startswith('<p>Look here</p><img src="https://mmbiz.demo.invalid/')
        assert 'alt="Lenses"' in found["content"]
        assert {one.code for one in drawn.changes} >= {"links_lost", "link_below"}
        assert desk.carrier.book.get("picture", found["thumb_media_id"]) is not None

    def test_pictures_are_uploaded_once_for_all_posts(self, desk: Desk) -> None:
        cover = picture("navy")
        for _ in range(2):
            desk.publish(asset=covered(make.asset(), cover))
        assert session.scalar(select(func.count()).select_from(CarrierUpload)) == 1

    def test_a_picture_the_library_has_lost_is_put_back(self, desk: Desk) -> None:
        cover = picture("navy")
        desk.publish(asset=covered(make.asset(), cover))
        desk.control("empty_library")
        again = desk.publish(asset=covered(make.asset(), cover))
        assert again.state is State.HANDED_OVER

    def test_a_poster_goes_as_its_pictures_with_the_link_in_the_words(self, desk: Desk) -> None:
        one, two = picture("navy"), picture("tomato")
        asset = make.asset(kind="poster", html="")
        publication = desk.live(asset=asset, media_ids=[one.id, two.id], text="Sale today")
        found = article_at(desk)
        assert found["article_type"] == "newspic"
        assert len(found["image_info"]["image_list"]) == 2
        assert (
            found["content"]
            == outgoing(publication.post).body + "\n" + outgoing(publication.post).link
        )

    def test_words_alone_become_an_article_under_the_standing_cover(self, desk: Desk) -> None:
        publication = desk.live(asset=make.asset(kind="note", html=""), text="One & two\n\nThree")
        found = article_at(desk)
        assert found["content"] == "<p>One &amp; two</p><p>Three</p>"
        assert found["content_source_url"] == outgoing(publication.post).link

    @pytest.mark.parametrize(
        ("verdict", "state", "words"),
        [
            (2, State.FAILED, "originality"),
            (3, State.FAILED, "could not publish"),
            (4, State.FAILED, "review"),
        ],
    )
    def test_a_refusal_after_all_says_why(
        self, desk: Desk, verdict: int, state: State, words: str
    ) -> None:
        desk.control("switch", verdict=verdict)
        publication = desk.live()
        assert publication.state is state
        assert words in publication.reason
        assert desk.shown() == []

    def test_what_was_refused_can_be_sent_anew(self, desk: Desk) -> None:
        """The refused job's number must not be taken for the new one's."""
        desk.control("switch", verdict=4)
        publication = desk.live()
        first = publication.carrier_facts["publish_id"]
        desk.control("switch", verdict=0)
        with transaction():
            publication.state = State.SCHEDULED
        desk.script("/freepublish/submit", "before", "ok")
        assert desk.publish(publication).state is State.SCHEDULED
        desk.wait(minutes=6)
        assert desk.publish(publication).state is State.HANDED_OVER
        assert publication.carrier_facts["publish_id"] != first
        assert len(desk.shown()) == 0
        desk.wait(seconds=20)
        assert desk.ask(publication).state is State.PUBLISHED
        assert len(desk.shown()) == 1


class TestSilence:
    """The submit was taken and its answer lost: the look-up decides, and there is one article."""

    @pytest.mark.parametrize("word", ["reset", "html", "huge"])
    def test_what_was_taken_is_adopted(self, desk: Desk, word: str) -> None:
        desk.script("/freepublish/submit", word, "ok")
        publication = desk.publish()
        assert publication.attempts[0].outcome is Outcome.UNCERTAIN
        assert publication.state is State.SCHEDULED
        desk.wait(minutes=6)
        assert desk.publish(publication).state is State.PUBLISHED
        assert publication.external_url
        assert len(desk.shown()) == 1

    def test_a_set_of_pictures_is_known_by_the_link_in_its_words(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "reset", "ok")
        poster = make.asset(kind="poster", html="")
        publication = desk.publish(asset=poster, media_ids=[picture().id])
        desk.wait(minutes=6)
        assert desk.publish(publication).state is State.PUBLISHED
        assert len(desk.shown()) == 1

    def test_another_article_of_the_same_title_is_not_adopted(self, desk: Desk) -> None:
        asset = make.asset(title="The same title")
        desk.live(asset=asset)
        desk.script("/freepublish/submit", "before", "ok")
        publication = desk.publish(asset=asset)
        desk.wait(minutes=6)
        assert desk.publish(publication).state is State.HANDED_OVER
        desk.wait(seconds=20)
        assert len(desk.shown()) == 2

    def test_too_early_a_no_is_not_believed(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "reset", "ok")
        publication = desk.publish()
        desk.wait(seconds=5)  # still being published: neither listed nor gone from the drafts
        assert desk.publish(publication).state is State.SCHEDULED
        assert len(desk.carrier.book.all("job")) == 1
        desk.wait(minutes=6)
        assert desk.publish(publication).state is State.PUBLISHED
        assert len(desk.shown()) == 1

    def test_what_never_arrived_is_sent_again_with_the_same_draft(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "before", "ok")
        publication = desk.publish()
        draft = publication.carrier_facts["draft"]
        desk.wait(minutes=6)
        assert desk.publish(publication).state is State.HANDED_OVER
        assert publication.carrier_facts["draft"] == draft
        assert len(desk.carrier.book.all("draft")) == 1

    def test_taken_and_in_review_is_asked_about_and_never_sent_again(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "reset", "ok")
        publication = desk.publish()
        desk.control(
            "delete_drafts"
        )  # as if the review had the draft, and the list not the article
        for number, job in desk.carrier.book.all("job").items():
            later = desk.carrier.now() + 2_000
            desk.carrier.book.put("job", number, job | {"ready_at": later})
        for _ in range(3):
            desk.wait(minutes=6)
            assert desk.publish(publication).state is State.SCHEDULED
        assert len(desk.carrier.book.all("job")) == 1
        desk.wait(minutes=20)
        assert desk.publish(publication).state is State.PUBLISHED
        assert len(desk.shown()) == 1

    def test_a_slow_review_is_not_mistaken_for_a_loss(self, desk: Desk) -> None:
        """For minutes there is a draft and no article, though the job is under way."""
        desk.script("/freepublish/submit", "reset", "ok")
        publication = desk.publish()
        [(number, job)] = desk.carrier.book.all("job").items()
        desk.carrier.book.put("job", number, job | {"ready_at": desk.carrier.now() + 200})
        for seconds in (30, 60, 60, 200):
            desk.wait(seconds=seconds)
            desk.publish(publication)
        assert publication.state is State.PUBLISHED
        assert len(desk.shown()) == 1

    def test_a_draft_used_up_since_we_looked_is_no_reason_for_another(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "reset", "ok")
        publication = desk.publish()
        desk.wait(seconds=20)
        desk.control("settle")
        receipt = CHANNELS.get("oa_publish").send(addressing.envelope_of(publication))
        assert receipt.outcome is Outcome.UNCERTAIN
        assert desk.carrier.book.all("draft") == {}

    def test_a_busy_carrier_is_asked_before_anything_is_sent_again(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "errcode:-1", "ok")
        publication = desk.publish()
        assert publication.attempts[0].outcome is Outcome.UNCERTAIN
        desk.wait(minutes=6)
        assert desk.publish(publication).state is State.HANDED_OVER

    def test_a_look_up_that_fails_sends_nothing(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "reset", "ok")
        publication = desk.publish()
        desk.wait(minutes=6)
        desk.script("/freepublish/batchget", "500")
        assert desk.publish(publication).state is State.SCHEDULED
        desk.script("/freepublish/batchget", "ok")
        desk.wait(minutes=6)
        assert desk.publish(publication).state is State.PUBLISHED
        assert len(desk.shown()) == 1

    @pytest.mark.parametrize("path", ["/draft/add", "/stable_token", "/material/add_material"])
    @pytest.mark.parametrize("word", ["reset", "500", "html"])
    def test_a_silent_step_that_no_reader_sees_is_made_again(
        self, desk: Desk, path: str, word: str
    ) -> None:
        """An orphan in the drafts harms nobody."""
        desk.script(path, word, "ok")
        publication = desk.publish(asset=covered(make.asset(), picture("navy")))
        assert publication.attempts[0].outcome is Outcome.NOT_SENT
        assert publication.state is State.SCHEDULED
        desk.wait(minutes=1)
        assert desk.publish(publication).state is State.HANDED_OVER
        desk.wait(seconds=20)
        assert len(desk.shown()) == 1

    def test_a_draft_that_a_person_removed_is_made_anew(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "errcode:45011", "ok")
        publication = desk.publish()
        assert publication.state is State.SCHEDULED
        desk.control("delete_drafts")
        for _ in range(2):
            desk.wait(minutes=2)
            desk.publish(publication)
        assert publication.state is State.HANDED_OVER
        desk.wait(seconds=20)
        assert len(desk.shown()) == 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "outcome", "pauses"),
        [
            (45009, Outcome.NOT_SENT, False),
            (45011, Outcome.NOT_SENT, False),
            (53501, Outcome.NOT_SENT, False),
            (53503, Outcome.REJECTED, False),
            (45003, Outcome.REJECTED, False),
            (99999, Outcome.REJECTED, False),
            (40164, Outcome.REJECTED, True),
            (40013, Outcome.REJECTED, True),
            (48004, Outcome.REJECTED, True),
            (-1, Outcome.UNCERTAIN, False),
        ],
    )
    def test_each_code_becomes_its_outcome(
        self, desk: Desk, code: int, outcome: Outcome, pauses: bool
    ) -> None:
        desk.script("/freepublish/submit", f"errcode:{code}")
        publication = desk.publish()
        attempt = publication.attempts[0]
        assert (attempt.outcome, publication.account.is_paused) == (outcome, pauses)
        assert attempt.detail["reason"]

    def test_the_days_share_used_up_waits_for_the_next_day(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "errcode:45009")
        publication = desk.publish()
        wait = publication.account.blocked_until - now()
        assert timedelta(minutes=4) < wait <= timedelta(hours=6)  # the ledger's longest

    @pytest.mark.parametrize("code", [48001, 53504, 53505])
    def test_what_only_the_console_can_do_becomes_a_persons_task(
        self, desk: Desk, code: int
    ) -> None:
        if code == 48001:
            desk.control("switch", unverified=True)
        else:
            desk.control("switch", submit=code)
        publication = desk.publish()
        assert publication.state is State.HANDED_OVER
        assert publication.reason == oa_codes.BY_HAND
        assert publication.poll_at is None
        assert session.scalar(select(func.count()).select_from(HandOver)) == 1
        assert len(desk.carrier.book.all("draft")) == 1
        assert desk.shown() == []

    def test_a_wrong_secret_pauses_the_account(self, desk: Desk) -> None:
        with transaction():
            desk.account.settings = {**desk.account.settings, "appid": "wx-none"}
        publication = desk.publish()
        assert publication.account.is_paused
        assert publication.account.last_fault == oa_codes.WRONG_APP

    def test_a_server_that_is_not_listed_is_told_so(self, desk: Desk) -> None:
        desk.control("switch", blocks_address=True)
        assert CHANNELS.get("oa_publish").try_out(addressing.way_of(desk.account)) == (
            oa_codes.NOT_LISTED
        )

    def test_the_test_button_tells_what_works(self, desk: Desk) -> None:
        channel, way = CHANNELS.get("oa_publish"), addressing.way_of(desk.account)
        assert channel.try_out(way) == ""
        desk.control("switch", unverified=True)
        assert channel.try_out(way) == oa_publish.DRAFTS_ONLY


class TestTokens:
    @pytest.mark.parametrize("code", [40001, 40014, 42001])
    def test_a_refused_one_is_renewed_once_and_the_call_repeated_once(
        self, desk: Desk, code: int
    ) -> None:
        desk.script("/draft/add", f"errcode:{code}", "ok")
        assert desk.publish().state is State.HANDED_OVER

    def test_one_voided_early_is_forced_anew(self, desk: Desk) -> None:
        desk.publish()
        desk.control("void_token")
        assert desk.publish().state is State.HANDED_OVER

    def test_one_refused_for_ever_pauses_the_account(self, desk: Desk) -> None:
        desk.script("/draft/add", "errcode:40001")
        publication = desk.publish()
        assert publication.account.is_paused

    def test_the_submit_is_repeated_after_a_refused_token(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "errcode:42001", "ok")
        assert desk.publish().state is State.HANDED_OVER
        desk.wait(seconds=20)
        assert len(desk.shown()) == 1

    def test_no_secret_stands_in_the_attempt_log(self, desk: Desk) -> None:
        publication = desk.publish()
        told = str(publication.attempts[0].detail)
        token = desk.carrier.book.get("current", "stable")
        for secret in (token, "d3m0d3m0"):
            assert secret not in told
        assert "freepublish/submit" in told

    def test_another_secret_is_another_realm(self, desk: Desk) -> None:
        way = addressing.way_of(desk.account)
        one = Api.through(way).realm
        assert one.startswith(f"oa:{desk.account.settings['appid']}:")
        assert Api.through(replace(way, secrets={"appsecret": "other"})).realm != one


def test_the_plain_token_voids_its_predecessor_and_leaves_the_stable_one(desk: Desk) -> None:
    """What the product avoids by using the stable one."""
    desk.publish()

    def plain() -> str:
        query = {
            "grant_type": "client_credential",
            "appid": desk.account.settings["appid"],
            "secret": "d3m0" * 8,
        }
        request = Request(EnvironBuilder(query_string=query).get_environ())
        return str(desk.carrier.plain_token(request).get_json()["access_token"])

    first, second = plain(), plain()
    kept = desk.carrier.book
    assert kept.get("token", first).get("is_void")
    assert not kept.get("token", second).get("is_void")
    assert not kept.get("token", kept.get("current", "stable")).get("is_void")


class TestJudgedBeforehand:
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"title": "好" * 33}, "title_too_long"),
            ({"html": "<p>" + "x" * 20_000 + "</p>"}, "article_too_long"),
        ],
    )
    def test_what_the_carrier_would_not_take_is_told_before(
        self, desk: Desk, fields: dict[str, Any], code: str
    ) -> None:
        post = make.post(account=desk.account, asset=make.asset(**fields), text="Short")
        found = CHANNELS.get("oa_publish").problems(outgoing(post))
        assert [problem.code for problem in found] == [code]

    def test_a_digest_is_counted_in_characters(self, desk: Desk) -> None:
        channel = CHANNELS.get("oa_publish")
        for length, codes in ((128, []), (129, ["content_too_long"])):
            post = make.post(account=desk.account, text="好" * length)
            assert [one.code for one in channel.problems(outgoing(post))] == codes

    def test_an_article_without_any_cover_is_stopped_here(self, start_carriers: Start) -> None:
        desk = Desk(start_carriers, cover_media_id="")
        post = make.post(account=desk.account)
        found = CHANNELS.get("oa_publish").problems(outgoing(post))
        assert [problem.code for problem in found] == ["cover_missing"]
        with_cover = make.post(account=desk.account, asset=covered(make.asset(), picture()))
        assert CHANNELS.get("oa_publish").problems(outgoing(with_cover)) == []

    def test_an_author_too_long_is_told_with_both_numbers(self, start_carriers: Start) -> None:
        desk = Desk(start_carriers, author="x" * 17)
        [problem] = CHANNELS.get("oa_publish").problems(outgoing(make.post(account=desk.account)))
        assert (problem.code, problem.params) == ("author_too_long", {"count": 17, "limit": 16})

    def test_pictures_elsewhere_are_told_and_left_out(self, desk: Desk) -> None:
        html = '<p>A</p><img src="https://elsewhere.example/a.png" alt="x"><p>B</p>'
        post = make.post(account=desk.account, asset=make.asset(html=html))
        drawn = CHANNELS.get("oa_publish").render(outgoing(post))
        assert drawn.html == "<p>A</p><p>B</p>"
        [told] = [one for one in drawn.changes if one.code == "pictures_lost"]
        assert told.params == {"count": 1}

    def test_the_summary_stands_in_for_words_that_were_not_written(self, desk: Desk) -> None:
        asset = make.asset(summary="s" * 200)
        drawn = CHANNELS.get("oa_publish").render(
            outgoing(make.post(account=desk.account, asset=asset, text=""))
        )
        assert drawn.text == "s" * 128
        assert "summary_used" in {one.code for one in drawn.changes}
        assert oa_pieces.SUMMARY_USED in {one.message for one in drawn.changes}


class TestAfterwards:
    def test_it_is_taken_back_once(self, desk: Desk) -> None:
        publication = desk.live()
        channel = CHANNELS.get("oa_publish")
        for _ in range(2):
            receipt = channel.carry_withdrawal(addressing.envelope_of(publication))
            assert receipt.outcome is Outcome.ACCEPTED
        assert article_at(desk)["is_deleted"]

    def test_the_number_is_asked_for_when_it_was_never_noted(self, desk: Desk) -> None:
        publication = desk.live()
        with transaction():
            job = publication.carrier_facts["publish_id"]
            publication.carrier_facts = {"publish_id": job}
        envelope = addressing.envelope_of(publication)
        receipt = CHANNELS.get("oa_publish").carry_withdrawal(envelope)
        assert receipt.outcome is Outcome.ACCEPTED
        assert article_at(desk)["is_deleted"]

    def test_it_cannot_be_changed(self, desk: Desk) -> None:
        receipt = CHANNELS.get("oa_publish").carry_amendment(addressing.envelope_of(desk.live()))
        assert receipt.outcome is Outcome.REJECTED
