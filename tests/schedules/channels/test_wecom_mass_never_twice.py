"""One task of a WeCom mass message for each employee, and never two, whatever breaks in between."""

import pytest

from cms.core.db import session, transaction
from schedules import addressing, reconciling, steps
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests.schedules.channels.corporation import (
    Corporation,
    again,
    in_seconds,
    newest,
    sent,
)
from tests.schedules.ready import approved, tried

ADD = "/add_msg_template"


class TestNeverTwice:
    @pytest.mark.parametrize("word", ["reset", "html", "hang"])
    def test_accepted_and_then_silent_is_looked_up(
        self, corporation: Corporation, word: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(addressing, "LONGEST_CALL", 0.4)
        corporation.script(ADD, word, "ok")
        publication = sent(corporation.account("wecom_mass"))
        assert newest(publication).outcome is Outcome.UNCERTAIN
        monkeypatch.setattr(addressing, "LONGEST_CALL", 20)
        again(publication, later=61)  # adopts the one in doubt
        again(publication, later=122)  # makes the missing one
        assert publication.state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_one_who_cannot_be_asked_about_yet_is_known_by_our_own_note(
        self, corporation: Corporation
    ) -> None:
        corporation.script(ADD, "reset", "ok")
        publication = sent(corporation.account("wecom_mass", senders="lina"))
        corporation.script("/get_groupmsg_task", "errcode:41063")
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina"]

    def test_never_arrived_is_believed_only_after_a_while(self, corporation: Corporation) -> None:
        corporation.script(ADD, "before", "ok")
        publication = sent(corporation.account("wecom_mass"))
        again(publication, later=5)
        assert (publication.state, corporation.senders()) == (State.SCHEDULED, [])
        again(publication, later=70)  # a minute after the last look
        assert publication.state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_busy_is_no_proof_that_nothing_was_made(self, corporation: Corporation) -> None:
        """The number comes from a front that may have passed the call on."""
        corporation.script(ADD, "errcode:-1", "ok")
        publication = sent(corporation.account("wecom_mass", senders="lina"))
        assert newest(publication).outcome is Outcome.UNCERTAIN
        assert corporation.wecom.book.all("mass") == {}
        again(publication, later=61)
        assert publication.state is State.HANDED_OVER
        assert "look_up" in newest(publication).detail

    def test_a_list_too_long_to_read_is_left_to_a_person(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        corporation.script(ADD, "reset", "ok")
        publication = sent(corporation.account("wecom_mass", senders="lina"))
        page = corporation.wecom.page
        monkeypatch.setattr(
            corporation.wecom,
            "page",
            lambda rows, asked, most, name: page([], asked, most, name) | {"next_cursor": "c0"},
        )
        again(publication, later=61)
        assert publication.state is State.SCHEDULED
        again(publication, later=3700)
        assert publication.state is State.UNCERTAIN
        assert corporation.senders() == ["lina"]

    def test_a_question_that_fails_sends_nothing(self, corporation: Corporation) -> None:
        corporation.script(ADD, "reset", "ok")
        corporation.script("/get_groupmsg_list_v2", "500", "ok")
        publication = sent(corporation.account("wecom_mass"))
        again(publication, later=61)
        assert corporation.senders() == ["lina"]
        again(publication, later=122)
        again(publication, later=183)
        assert corporation.senders() == ["lina", "wangwei"]

    @pytest.mark.parametrize("notes", [1, 2, 3, 4])
    def test_a_worker_killed_between_employees_leaves_one_in_doubt_at_most(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch, notes: int
    ) -> None:
        """Killed at the first, second … note: before or after either employee's call."""
        left = [notes]
        note = steps.note

        def killed(*args: object, **facts: object) -> object:
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            return note(*args, **facts)  # type: ignore[arg-type]

        publication = approved(account=corporation.account("wecom_mass"))
        with monkeypatch.context() as patch:
            patch.setattr(steps, "note", killed)
            with pytest.raises(KeyboardInterrupt):
                tried(publication)
        session.expire_all()
        assert publication.state is State.SENDING
        with in_seconds(600):
            assert reconciling.settle_expired() == 1
        session.expire_all()
        for later in (700, 800, 900):
            again(publication, later=later)
        assert publication.state is State.HANDED_OVER
        assert sorted(corporation.senders()) == ["lina", "wangwei"]
        assert sorted(publication.carrier_facts["tasks"]) == ["lina", "wangwei"]

    def test_trouble_in_the_middle_goes_on_with_those_who_lack_theirs(
        self, corporation: Corporation
    ) -> None:
        corporation.script(ADD, "ok", "errcode:45009", "ok")
        publication = sent(corporation.account("wecom_mass"))
        assert newest(publication).outcome is Outcome.ACCEPTED
        assert (publication.state, corporation.senders()) == (State.SCHEDULED, ["lina"])
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_a_secret_withdrawn_in_the_middle_pauses_and_loses_nobody(
        self, corporation: Corporation
    ) -> None:
        corporation.script(ADD, "ok", "errcode:60020", "ok")
        publication = sent(corporation.account("wecom_mass"))
        assert publication.account.is_paused
        assert publication.state is State.SCHEDULED
        with transaction():
            publication.account.is_paused = False
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_a_stop_reaches_the_next_employee(
        self, corporation: Corporation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = corporation.account("wecom_mass")
        note = steps.note

        def stopping(*args: object, **facts: object) -> object:
            noted = note(*args, **facts)  # type: ignore[arg-type]
            with transaction():
                account.is_paused = True
            return noted

        monkeypatch.setattr(steps, "note", stopping)
        publication = sent(account)
        assert (publication.state, corporation.senders()) == (State.SCHEDULED, ["lina"])
        monkeypatch.setattr(steps, "note", note)
        with transaction():
            account.is_paused = False
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]

    def test_facts_that_were_lost_are_asked_for(self, corporation: Corporation) -> None:
        corporation.script(ADD, "ok", "reset", "ok")
        publication = sent(corporation.account("wecom_mass"))
        with transaction():
            publication.carrier_facts = {}
        corporation.advance(10)
        assert again(publication, later=61).state is State.HANDED_OVER
        assert corporation.senders() == ["lina", "wangwei"]
        assert sorted(publication.carrier_facts["tasks"]) == ["lina", "wangwei"]
