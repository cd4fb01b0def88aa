"""An Official Account's submit got no answer: one article, whatever the look-up finds."""

import pytest

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import addressing, decisions
from schedules.channels import CHANNELS, calling, oa_publish
from schedules.models import Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.channels.oa_desk import Desk, covered, picture

NOBODY_THERE = "http://127.0.0.1:9"


def review_takes(desk: Desk, *, minutes: float) -> None:
    """The job that the carrier has is under way for that long from now on."""
    [(number, job)] = desk.carrier.book.all("job").items()
    desk.carrier.book.put("job", number, job | {"ready_at": desk.carrier.now() + minutes * 60})


def doubted(desk: Desk, publication: Publication) -> Publication:
    """Asked about whenever it is due, until nobody but a person is asked any more."""
    while publication.state is State.SCHEDULED:
        desk.wait(seconds=(publication.due_at - now() - desk.later).total_seconds() + 1)
        desk.publish(publication)
    return publication


def say(desk: Desk, publication: Publication, answer: str) -> None:
    with desk.at(), transaction():
        decisions.resolve_uncertain(publication, answer, by=make.user(Role.OPERATOR))
    session.expire_all()


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
        assert doubted(desk, publication).state is State.UNCERTAIN
        assert len(desk.shown()) == 1

    def test_too_early_a_no_is_not_believed(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "reset", "ok")
        publication = desk.publish()
        desk.wait(seconds=5)  # still being published: neither listed nor gone from the drafts
        assert desk.publish(publication).state is State.SCHEDULED
        assert len(desk.carrier.book.all("job")) == 1
        desk.wait(minutes=6)
        assert desk.publish(publication).state is State.PUBLISHED
        assert len(desk.shown()) == 1

    def test_what_may_have_arrived_is_handed_to_a_person_after_an_hour(self, desk: Desk) -> None:
        """The draft is there whether or not it was submitted; it proves nothing."""
        desk.script("/freepublish/submit", "before", "ok")
        publication = desk.publish()
        assert desk.publish(publication).state is State.SCHEDULED
        assert desk.carrier.book.all("job") == {}
        doubted(desk, publication)
        assert (publication.state, publication.reason) == (State.UNCERTAIN, oa_publish.LOOK_THERE)
        assert desk.carrier.book.all("job") == {}

    @pytest.mark.parametrize("word", ["before", "reset"])
    def test_a_persons_word_sends_it_again_with_the_same_draft(self, desk: Desk, word: str) -> None:
        desk.script("/freepublish/submit", word, "ok")
        publication = desk.publish()
        draft = publication.carrier_facts["draft"]
        if word == "reset":
            review_takes(desk, minutes=600)
        jobs = len(desk.carrier.book.all("job"))
        doubted(desk, publication)
        say(desk, publication, "again")
        assert desk.publish(publication).state is State.HANDED_OVER
        assert publication.carrier_facts["draft"] == draft
        assert list(desk.carrier.book.all("draft")) == [draft]
        assert len(desk.carrier.book.all("job")) == jobs + 1

    def test_a_persons_word_adopts_what_has_come_meanwhile(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "reset", "ok")
        publication = desk.publish()
        review_takes(desk, minutes=90)
        doubted(desk, publication)
        assert publication.state is State.UNCERTAIN
        desk.wait(minutes=60)
        say(desk, publication, "again")
        assert desk.publish(publication).state is State.PUBLISHED
        assert len(desk.shown()) == 1

    def test_a_persons_word_makes_a_new_draft_where_the_old_one_is_gone(self, desk: Desk) -> None:
        desk.script("/freepublish/submit", "before", "ok")
        publication = desk.publish()
        desk.control("delete_drafts")
        assert doubted(desk, publication).state is State.UNCERTAIN
        say(desk, publication, "again")
        for _ in range(2):
            desk.publish(publication)
            desk.wait(minutes=1)
        assert publication.state is State.HANDED_OVER
        assert len(desk.shown()) == 1

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

    @pytest.mark.parametrize("minutes", [4, 20, 50])
    def test_a_slow_review_is_not_mistaken_for_a_loss(self, desk: Desk, minutes: int) -> None:
        """For long there is a draft and no article, though the job is under way."""
        desk.script("/freepublish/submit", "reset", "ok")
        publication = desk.publish()
        review_takes(desk, minutes=minutes)
        assert doubted(desk, publication).state is State.PUBLISHED
        assert len(desk.carrier.book.all("job")) == 1
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
        assert desk.publish(publication).state is State.SCHEDULED
        assert desk.carrier.book.all("job") == {}

    def test_what_never_left_the_house_is_simply_sent(self, desk: Desk) -> None:
        """No connection came about: the carrier cannot have anything."""
        desk.script("/freepublish/submit", "errcode:45011", "ok")
        publication = desk.publish()
        desk.wait(minutes=2)
        calling.allow_in_tests(NOBODY_THERE)
        there = desk.account.settings["base_url"]
        for base, outcome in ((NOBODY_THERE, Outcome.NOT_SENT), (there, Outcome.ACCEPTED)):
            with transaction():
                desk.account.settings = {**desk.account.settings, "base_url": base}
            desk.publish(publication)
            assert publication.attempts[-1].outcome is outcome
        assert "/freepublish/submit" in str(publication.attempts[1].detail["calls"])

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
