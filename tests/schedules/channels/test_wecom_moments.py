"""WeCom's Moments: a job, a post, many employees; never a second job, and live only when they say so."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from cms.core import clock
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.demo.carriers.wecom import CORPID
from content_library.models import Asset, VersionMedia
from schedules import addressing
from schedules.channels import CHANNELS, wecom_moment_figures
from schedules.channels.wecom_moments import NOT_MADE_YET, WecomMoments
from schedules.content import outgoing
from schedules.models import Delivery, Publication
from schedules.states import HandOverState, Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import stored
from tests.schedules.channels.corporation import (
    Corporation,
    again,
    asked,
    employees,
    newest,
    sent,
    told,
)
from tests.schedules.ready import approved

ADD = "/add_moment_task"


def channel() -> WecomMoments:
    found = CHANNELS.get("wecom_moments")
    assert isinstance(found, WecomMoments)
    return found


def covered() -> Asset:
    """An asset whose version has a cover."""
    asset = make.asset(title="标题" * 20)
    with transaction():
        link = VersionMedia(
            version_id=asset.versions[0].id, media_id=stored((1300, 1200)).id, role="cover"
        )
        session.add(link)
    return asset


def made(corporation: Corporation, publication: Publication) -> str:
    """The post's name, once its job is done and employees know of it."""
    corporation.advance(10)
    asked(publication)
    return str(publication.carrier_facts["moment_id"])


class TestSending:
    def test_the_job_carries_what_the_preview_showed(self, corporation: Corporation) -> None:
        pictures = [stored((1300, 1500)).id, stored((40, 40)).id]
        publication = sent(corporation.account("wecom_moments"), media_ids=pictures)
        assert publication.state is State.HANDED_OVER
        (task,) = corporation.shown("moment_task")
        drawn = channel().render(outgoing(publication.post))
        assert task["text"] == drawn.text
        assert outgoing(publication.post).link in drawn.text
        assert [str(one) for one in drawn.changes] == [
            "The link is added as the last line.",
            "Picture 1 is made smaller: 1300 × 1500 → 1080 × 1246 pixels.",
        ]
        (job,) = corporation.wecom.book.all("job").values()
        assert [one["msgtype"] for one in job["asked"]["attachments"]] == ["image", "image"]

    def test_without_pictures_the_link_is_a_card_with_the_cover(
        self, corporation: Corporation
    ) -> None:
        publication = sent(corporation.account("wecom_moments"), asset=covered(), text="看")
        (job,) = corporation.wecom.book.all("job").values()
        ((card,), text) = job["asked"]["attachments"], job["asked"]["text"]
        assert text == {"content": "看"}
        assert card["link"]["url"] == outgoing(publication.post).link
        assert len(card["link"]["title"].encode()) <= 64
        codes = [one.code for one in channel().render(outgoing(publication.post)).changes]
        assert codes == ["link_as_card", "title_cut", "picture_smaller"]

    @pytest.mark.parametrize(("letters", "is_fine"), [(2000, True), (2001, False)])
    def test_characters_are_counted(
        self, corporation: Corporation, letters: int, is_fine: bool
    ) -> None:
        account = corporation.account("wecom_moments")
        post = make.post(account=account, asset=covered(), text="好" * letters)
        assert (channel().problems(outgoing(post)) == []) is is_fine

    def test_who_posts_and_who_sees(self, corporation: Corporation) -> None:
        account = corporation.account(
            "wecom_moments", senders="lina", departments="3, 4", tags=["tag-vip"]
        )
        sent(account)
        sent(corporation.account("wecom_moments", senders=""))
        some, everybody = (job["asked"] for job in corporation.wecom.book.all("job").values())
        assert some["visible_range"] == {
            "sender_list": {"user_list": ["lina"], "department_list": [3, 4]},
            "external_contact_list": {"tag_list": ["tag-vip"]},
        }
        assert everybody["visible_range"] == {}

    @pytest.mark.parametrize(
        ("word", "outcome", "state"),
        [
            ("errcode:40013", Outcome.REJECTED, State.HELD),
            ("errcode:41065", Outcome.REJECTED, State.FAILED),
            ("errcode:41078", Outcome.NOT_SENT, State.SCHEDULED),
            ("errcode:45009", Outcome.NOT_SENT, State.SCHEDULED),
            ("errcode:-1", Outcome.UNCERTAIN, State.SCHEDULED),
            ("500", Outcome.UNCERTAIN, State.SCHEDULED),
        ],
    )
    def test_outcomes(
        self, corporation: Corporation, word: str, outcome: Outcome, state: State
    ) -> None:
        corporation.script(ADD, word)
        publication = sent(corporation.account("wecom_moments"))
        assert newest(publication).outcome is outcome
        assert publication.state is state

    def test_ten_a_minute(self, corporation: Corporation) -> None:
        account = corporation.account("wecom_moments")
        envelope = addressing.envelope_of(approved(account=account))
        outcomes = [channel().send(envelope).outcome for _ in range(11)]
        assert outcomes == [Outcome.ACCEPTED] * 10 + [Outcome.NOT_SENT]

    def test_lost_pictures_are_uploaded_again_once(self, corporation: Corporation) -> None:
        account, picture = corporation.account("wecom_moments"), stored()
        sent(account, media_ids=[picture.id])
        corporation.control("lose_uploads")
        assert sent(account, media_ids=[picture.id]).state is State.HANDED_OVER
        assert corporation.counted("upload") == 2

    def test_uploads_of_mass_messages_are_of_no_use_here(self, corporation: Corporation) -> None:
        picture = stored()
        for slug in ("wecom_mass", "wecom_moments"):
            assert (
                sent(corporation.account(slug), media_ids=[picture.id]).state is State.HANDED_OVER
            )
        assert corporation.counted("upload") == 2


class TestNeverTwice:
    @pytest.mark.parametrize("word", ["reset", "html", "hang"])
    def test_accepted_and_then_silent_is_looked_up(
        self, corporation: Corporation, word: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(addressing, "LONGEST_CALL", 0.4)
        corporation.script(ADD, word, "ok")
        publication = sent(corporation.account("wecom_moments"))
        assert newest(publication).outcome is Outcome.UNCERTAIN
        monkeypatch.setattr(addressing, "LONGEST_CALL", 20)
        again(publication, later=30)  # the job still works: in no list yet, and not believed
        assert publication.state is State.SCHEDULED
        corporation.advance(10)
        assert again(publication, later=200).state is State.HANDED_OVER
        assert len(corporation.shown("moment_task")) == 1
        assert publication.external_id.startswith("mom")

    def test_a_card_is_found_by_its_link(self, corporation: Corporation) -> None:
        corporation.script(ADD, "reset", "ok")
        publication = sent(corporation.account("wecom_moments"), asset=covered())
        corporation.advance(10)
        assert again(publication, later=400).state is State.HANDED_OVER
        assert len(corporation.shown("moment_task")) == 1

    def test_another_post_with_the_same_words_is_not_taken_for_it(
        self, corporation: Corporation
    ) -> None:
        account = corporation.account("wecom_moments")
        sent(account, text="同样的话")
        corporation.script(ADD, "before", "ok")
        publication = sent(account, text="同样的话")
        corporation.advance(10)
        assert again(publication, later=301).state is State.SCHEDULED
        assert publication.external_id == ""

    def test_a_job_that_was_noted_is_never_asked_for_again(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_moments"))
        envelope = addressing.envelope_of(publication)
        for step in (channel().send, channel().look_up):
            receipt = step(envelope)
            assert receipt.outcome is Outcome.ACCEPTED
            assert receipt.external_id == publication.carrier_facts["jobid"]
        assert len(corporation.shown("moment_task")) == 1

    def test_more_than_can_be_searched_is_not_taken_for_nothing(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = corporation.account("wecom_moments")
        for _ in range(2):
            sent(account)
        corporation.script(ADD, "before", "ok")
        publication = sent(account)
        corporation.advance(10)
        page = corporation.wecom.page
        monkeypatch.setattr(
            corporation.wecom,
            "page",
            lambda rows, asked, most, name: page(rows, asked, most, name) | {"next_cursor": "c0"},
        )
        again(publication, later=400)
        assert publication.state is State.SCHEDULED
        assert len(corporation.shown("moment_task")) == 2


class TestHowFarItIs:
    def test_created_handed_over_confirmed(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_moments"))
        asked(publication, later=16)
        assert "moment_id" not in publication.carrier_facts
        assert publication.state is State.HANDED_OVER
        moment_id = made(corporation, publication)
        assert publication.external_id == moment_id
        assert employees(publication) == {
            "lina": HandOverState.WAITING,
            "wangwei": HandOverState.WAITING,
        }
        corporation.control("confirm", employee="lina")
        asked(publication, later=2 * 3600)
        assert publication.state is State.HANDED_OVER
        corporation.control("confirm", employee="wangwei")
        asked(publication, later=3 * 3600)
        assert publication.state is State.PUBLISHED
        reached = select(Delivery.recipient).where(Delivery.publication_id == publication.id)
        assert len(session.scalars(reached).all()) == 16

    def test_being_dispatched_is_no_trouble(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_moments"))
        corporation.advance(5)
        asked(publication)
        assert publication.carrier_facts["moment_id"]
        assert "counted" not in publication.carrier_facts
        assert (publication.state, publication.account.last_fault) == (State.HANDED_OVER, "")

    def test_some_in_time_is_partly_published(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_moments", confirm_hours=2))
        made(corporation, publication)
        corporation.control("confirm", employee="lina")
        asked(publication, later=3 * 3600)
        assert publication.state is State.PUBLISHED
        assert (publication.confirmed, publication.expected) == (1, 2)

    def test_senders_that_wecom_does_not_take_have_declined(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_moments", senders="nobody lina"))
        made(corporation, publication)
        assert employees(publication)["nobody"] is HandOverState.DECLINED

    def test_a_job_that_fails_is_a_failure(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_moments", senders="nobody"))
        corporation.advance(10)
        asked(publication)
        assert publication.state is State.FAILED
        assert publication.reason

    def test_a_forgotten_job_is_found_in_the_list(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_moments"))
        corporation.advance(25 * 3600)
        asked(publication)
        assert publication.external_id.startswith("mom")

    def test_employees_do_it_by_themselves_where_the_demo_says_so(
        self, corporation: Corporation
    ) -> None:
        corporation.control("auto")
        publication = sent(corporation.account("wecom_moments", senders=""))
        corporation.advance(2 * 86_400)
        asked(publication)
        assert publication.confirmed >= 3
        assert len(corporation.shown("moment_posted")) == publication.confirmed


class TestAfterwards:
    def test_likes_and_comments_are_counted_by_the_day(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_moments"))
        moment_id = made(corporation, publication)
        corporation.control("confirm", employee="lina")
        friends = corporation.wecom.customers(CORPID, "lina")
        day = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)  # 23:00 at the carrier
        for number, (verb, hours) in enumerate([("like", 0), ("like", 2), ("comment", 2)]):
            corporation.control(
                verb,
                moment_id=moment_id,
                employee="lina",
                customer=friends[number],
                at=day.timestamp() + hours * 3600,
            )
        figures = channel().ask_figures(addressing.envelope_of(publication))
        by_metric: dict[str, list[tuple[int, int]]] = {}
        for one in figures:
            by_metric.setdefault(one.metric, []).append((one.on.day, one.value))
        assert by_metric["like"][:2] == [(1, 1), (2, 2)]
        assert by_metric["comment"][0] == (2, 1)
        assert by_metric["like"][-1][1] == 2

    def test_many_employees_are_asked_in_portions_and_never_half_counted(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A part shown as the whole would be a lie; what came since the count began waits."""
        monkeypatch.setattr(wecom_moment_figures, "PORTION", 1)
        publication = sent(corporation.account("wecom_moments"))
        moment_id = made(corporation, publication)
        corporation.control("confirm")
        today = now()
        for employee in ("lina", "wangwei"):
            (friend, *_rest) = corporation.wecom.customers(CORPID, employee)
            known = {"moment_id": moment_id, "employee": employee, "customer": friend}
            corporation.control("like", **known, at=today.timestamp())

        def counted(days: float = 0) -> list[tuple[str, int]]:
            with clock.holding(today + timedelta(days=days)):
                found = channel().ask_figures(addressing.envelope_of(publication))
            session.expire_all()
            return [(one.metric, one.value) for one in found]

        assert counted() == []
        late = corporation.wecom.customers(CORPID, "wangwei")[1]
        corporation.control(
            "like",
            moment_id=moment_id,
            employee="wangwei",
            customer=late,
            at=(today + timedelta(days=1)).timestamp(),
        )
        assert counted(days=1) == [("like", 2), ("comment", 0)]
        assert counted(days=2) == []
        assert counted(days=2)[-2:] == [("like", 3), ("comment", 0)]

    def test_stopping_waits_for_the_job_and_leaves_what_is_posted(
        self, corporation: Corporation
    ) -> None:
        publication = sent(corporation.account("wecom_moments"))
        receipt = channel().carry_withdrawal(addressing.envelope_of(publication))
        assert (receipt.outcome, receipt.reason) == (Outcome.NOT_SENT, NOT_MADE_YET)
        made(corporation, publication)
        corporation.control("confirm", employee="lina")
        for _ in range(2):
            receipt = channel().carry_withdrawal(addressing.envelope_of(publication))
            assert receipt.outcome is Outcome.ACCEPTED
        corporation.control("confirm", employee="wangwei")
        assert [one["userid"] for one in corporation.shown("moment_posted")] == ["lina"]

    def test_the_account_can_be_tested(self, corporation: Corporation) -> None:
        account = corporation.account("wecom_moments")
        assert channel().try_out(addressing.way_of(account)) == ""
        corporation.script("/get_moment_list", "errcode:48002")
        assert "lacks a right" in channel().try_out(addressing.way_of(account))
        assert corporation.shown("") == []

    def test_secrets_are_in_no_log(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_moments"))
        (token,) = corporation.wecom.book.all("token")
        assert token not in told(publication)
