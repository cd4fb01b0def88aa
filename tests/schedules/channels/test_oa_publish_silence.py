"""An Official Account's submit was taken and its answer lost: one article, whatever the look-up finds."""

import pytest

from schedules import addressing
from schedules.channels import CHANNELS
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.channels.oa_desk import Desk, covered, picture


class TestSilence:
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
