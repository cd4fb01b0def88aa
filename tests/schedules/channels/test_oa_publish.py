"""Publishing through an Official Account: judged beforehand, shown as the preview did, taken back."""

from typing import Any

import pytest
from sqlalchemy import func, select

from cms.accounts.models import Role
from cms.core.db import session, transaction
from content_library.models import VersionMedia
from schedules import addressing, decisions
from schedules.channels import CHANNELS, oa_pieces
from schedules.content import outgoing
from schedules.models import CarrierUpload
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import stored
from tests.demo_carriers import Start
from tests.schedules.channels.oa_desk import Desk, covered, picture


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
        desk.wait(minutes=61)
        assert desk.publish(publication).state is State.UNCERTAIN
        with desk.at(), transaction():
            decisions.resolve_uncertain(publication, "again", by=make.user(Role.OPERATOR))
        assert desk.publish(publication).state is State.HANDED_OVER
        assert publication.carrier_facts["publish_id"] != first
        assert len(desk.shown()) == 0
        desk.wait(seconds=20)
        assert desk.ask(publication).state is State.PUBLISHED
        assert len(desk.shown()) == 1


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

    def test_large_pictures_inside_are_told_and_made_smaller(self, desk: Desk) -> None:
        """The carrier takes ten megabytes of a cover, and one of a picture inside."""
        large, small = stored((1500, 1500), noise=True), stored()
        html = "".join(f'<img src="/media/{one.sha256}/full" alt="">' for one in (small, large))
        asset = covered(make.asset(html=html), large)
        with transaction():
            for one in (small, large):
                version_id = asset.versions[0].id
                session.add(
                    VersionMedia(version_id=version_id, media_id=one.id, role="inline", alt="")
                )
        publication = desk.publish(asset=asset)
        drawn = CHANNELS.get("oa_publish").render(outgoing(publication.post))
        [told] = [one for one in drawn.changes if one.code == "picture_smaller"]
        assert (told.params["number"], told.params["limit"]) == (3, "1")
        sizes = sorted(one["bytes"] for one in desk.carrier.book.all("picture").values())
        assert small.size == sizes[0] < sizes[1] <= 1_000_000 < large.size == sizes[2]

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
