"""A Moments job whose answer was lost: however long it works, it is never made twice by itself."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import decisions, reconciling, steps
from schedules.envelopes import Envelope
from schedules.models import Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules import ready
from tests.schedules.channels.corporation import Corporation, again, in_seconds, newest, sent
from tests.schedules.ready import approved, tried

ADD = "/add_moment_task"
SLOW = 8 * 86_400


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Both clocks, ours and the carrier's, go on together."""
    with time_machine.travel(now(), tick=False) as made:
        yield made


def jobs(corporation: Corporation) -> int:
    return len(corporation.wecom.book.all("job"))


def waited(publication: Publication, clock: time_machine.Traveller) -> Publication:
    """Tried whenever it is due, until a person is asked."""
    for _turn in range(12):
        if publication.state is not State.SCHEDULED:
            break
        clock.move_to(publication.due_at + timedelta(seconds=1))
        ready.again(publication)
    return publication


def answered_again(publication: Publication) -> Publication:
    with transaction():
        decisions.resolve_uncertain(publication, "again", by=make.user(Role.OPERATOR))
    session.expire_all()
    return ready.again(publication)


@pytest.mark.parametrize("word", ["reset", "500", "errcode:-1"])
def test_a_job_that_works_for_long_is_left_to_a_person(
    corporation: Corporation, clock: time_machine.Traveller, word: str
) -> None:
    corporation.control("jobs_last", seconds=SLOW)
    corporation.script(ADD, word, "ok")
    publication = waited(sent(corporation.account("wecom_moments")), clock)
    assert publication.state is State.UNCERTAIN
    assert publication.links[0].code in publication.reason
    assert jobs(corporation) == (word == "reset")


def test_a_job_that_ends_within_the_hour_is_adopted(
    corporation: Corporation, clock: time_machine.Traveller
) -> None:
    corporation.control("jobs_last", seconds=1200)
    corporation.script(ADD, "reset", "ok")
    publication = waited(sent(corporation.account("wecom_moments")), clock)
    assert publication.state is State.HANDED_OVER
    assert jobs(corporation) == 1


def test_send_again_really_sends(corporation: Corporation, clock: time_machine.Traveller) -> None:
    corporation.script(ADD, "before", "ok")
    publication = waited(sent(corporation.account("wecom_moments")), clock)
    assert (publication.state, jobs(corporation)) == (State.UNCERTAIN, 0)
    answered_again(publication)
    assert publication.state is State.HANDED_OVER
    assert jobs(corporation) == 1


def test_send_again_adopts_what_has_come_after_all(
    corporation: Corporation, clock: time_machine.Traveller
) -> None:
    corporation.control("jobs_last", seconds=2 * 3600)
    corporation.script(ADD, "reset", "ok")
    publication = waited(sent(corporation.account("wecom_moments")), clock)
    assert publication.state is State.UNCERTAIN
    clock.shift(timedelta(hours=3))
    answered_again(publication)
    assert publication.state is State.HANDED_OVER
    assert jobs(corporation) == 1


def test_a_worker_killed_before_the_call_leaves_no_doubt(
    corporation: Corporation, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = steps.note

    def killed(envelope: Envelope, **facts: Any) -> Envelope:
        if facts.get("asking"):
            raise KeyboardInterrupt
        return real(envelope, **facts)

    publication = approved(account=corporation.account("wecom_moments"))
    with monkeypatch.context() as patch:
        patch.setattr(steps, "note", killed)
        with pytest.raises(KeyboardInterrupt):
            tried(publication)
    with in_seconds(600):
        assert reconciling.settle_expired() == 1
    session.expire_all()
    again(publication, later=700)
    assert (publication.state, jobs(corporation)) == (State.HANDED_OVER, 1)


def test_a_row_from_before_the_word_is_never_made_twice(
    corporation: Corporation, clock: time_machine.Traveller
) -> None:
    corporation.control("jobs_last", seconds=SLOW)
    corporation.script(ADD, "reset", "ok")
    publication = sent(corporation.account("wecom_moments"))
    with transaction():
        facts = publication.carrier_facts
        publication.carrier_facts = {name: facts[name] for name in facts if name != "asking"}
    session.expire_all()
    assert "asking" not in publication.carrier_facts
    waited(publication, clock)
    assert publication.state is State.UNCERTAIN
    assert publication.links[0].code in publication.reason
    assert jobs(corporation) == 1


def test_a_no_leaves_no_doubt(corporation: Corporation) -> None:
    corporation.script(ADD, "errcode:45009", "ok")
    publication = sent(corporation.account("wecom_moments"))
    assert newest(publication).outcome is Outcome.NOT_SENT
    assert publication.carrier_facts["asking"] is False
    assert again(publication, later=61).state is State.HANDED_OVER
