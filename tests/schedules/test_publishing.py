"""One publication carried out: claim, attempt, send, record, and every way it can turn out."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from audience.models import PoolKind
from cms.core import events
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import late, publications, publishing, receipts
from schedules.channels.base import Receipt
from schedules.events import PostPublished
from schedules.models import Attempt, Publication, ReaderEntry
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import account, approved, change, moves_of, tried


def make_due(publication: Publication) -> None:
    with transaction():
        publication.due_at = now()


def test_a_due_publication_goes_out_once_and_every_move_is_told(app: Flask, effects: Any) -> None:
    publication = approved(pool=make.pool(size=186))
    told: list[int] = []
    events.subscribe(PostPublished, lambda event: told.append(event.publication_id))
    tried(publication)
    assert tried(publication).state is State.PUBLISHED
    assert (publication.reach, publication.fence) == (186, 1)
    assert publication.published_at is not None
    assert len(effects(publication)) == 1
    assert moves_of(publication) == ["scheduled", "claimed", "sending", "published"]
    assert told == [publication.id]
    assert [attempt.outcome for attempt in publication.attempts] == [Outcome.ACCEPTED]
    assert publication.account.last_success_at is not None


def test_it_waits_for_its_minute(app: Flask, effects: Any) -> None:
    publication = approved(publish_at=now() + timedelta(minutes=5))
    assert tried(publication).state is State.SCHEDULED
    with time_machine.travel(now() + timedelta(minutes=6)):
        assert tried(publication).state is State.PUBLISHED


def test_the_reader_channel_writes_one_entry_however_often_it_is_sent(app: Flask) -> None:
    publication = tried(approved(account=make.account(per_minute=6000)))
    assert publication.state is State.PUBLISHED
    assert publication.external_url.endswith(f"/p/{publication.public_id}")
    with transaction():
        publication.state = State.SCHEDULED  # as if the record had been lost
        publication.due_at = now()
    tried(publication)
    entries = session.scalars(select(ReaderEntry)).all()
    assert [entry.publication_id for entry in entries] == [publication.id]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": "Secretly other words"}, publishing.CHANGED),
        ({"media_ids": [999]}, publishing.CHANGED),
    ],
)
def test_what_differs_from_the_approved_is_held_back(
    app: Flask, effects: Any, change: dict[str, Any], reason: str
) -> None:
    publication = approved()
    with transaction():
        for name, value in change.items():
            setattr(publication.post, name, value)
    tried(publication)
    assert (publication.state, publication.reason) == (State.HELD, reason)
    assert effects(publication) == []


def test_with_the_hash_rule_off_changed_words_do_go_out(
    app: Flask, effects: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: it is the rule that holds the post back."""
    monkeypatch.setenv("SEEDBED_DISABLE", "hash")
    publication = approved()
    with transaction():
        publication.post.text = "Secretly other words"
    tried(publication)
    assert effects(publication)[0]["text"].startswith("Secretly")


def test_a_retired_asset_and_a_withdrawn_approval_hold_it_back(app: Flask, effects: Any) -> None:
    retired, withdrawn = approved(), approved()
    with transaction():
        retired.post.asset.status = "retired"
        withdrawn.post.review = "draft"
    assert tried(retired).state is State.HELD
    assert tried(withdrawn).reason == publishing.NOT_APPROVED
    assert effects(retired) == effects(withdrawn) == []


def test_a_poisonous_row_fails_alone_and_says_so(app: Flask) -> None:
    bad, good = approved(), approved()
    with transaction():
        bad.account.settings = {"class": "?"}
    for publication in (bad, good):
        tried(publication)
    assert (bad.state, bad.reason) == (State.HELD, publishing.BROKEN)
    assert good.state is State.PUBLISHED


@pytest.mark.parametrize(
    ("kind", "minutes", "state"),
    [
        (PoolKind.GROUP, 29, State.PUBLISHED),
        (PoolKind.GROUP, 31, State.MISSED),
        (PoolKind.MOMENTS, 119, State.PUBLISHED),
        (PoolKind.MOMENTS, 121, State.MISSED),
    ],
)
def test_too_late_is_missed_as_the_calendar_says(
    app: Flask, effects: Any, kind: PoolKind, minutes: int, state: State
) -> None:
    publication = approved(
        pool=make.pool(kind=kind),
        calendar=make.calendar(),
        publish_at=now() + timedelta(minutes=1),
    )
    with transaction():
        publication.late_after = publication.due_at + publications.late_by(publication.post)
    with time_machine.travel(publication.due_at + timedelta(minutes=minutes)):
        tried(publication)
        late.miss_overdue()
    session.expire_all()
    assert publication.state is state
    assert len(effects(publication)) == (state is State.PUBLISHED)


def test_a_worker_whose_own_time_leapt_misses_nothing(app: Flask) -> None:
    """Only the clock may, which notices a leap and waits for somebody's word."""
    publication = approved()
    with time_machine.travel(now() + timedelta(days=3)):
        assert tried(publication).state is State.SCHEDULED
    assert tried(publication).state is State.PUBLISHED


def test_the_clock_misses_what_no_worker_ever_took(app: Flask) -> None:
    late_one, fresh = approved(), approved()
    with transaction():
        late_one.late_after = now() - timedelta(seconds=1)
    assert late.miss_overdue() == 1
    session.expire_all()
    assert (late_one.state, fresh.state) == (State.MISSED, State.SCHEDULED)
    assert late_one.reason == late.TOO_LATE


def test_a_refusal_is_final_and_says_why(app: Flask) -> None:
    publication = tried(approved(account=account("reject")))
    assert publication.state is State.FAILED
    assert "refused" in publication.reason


def test_what_provably_was_not_sent_is_tried_again_with_the_same_key(
    app: Flask, effects: Any
) -> None:
    publication = approved(account=account("not_sent not_sent ok", "N"))
    for tries in (1, 2):
        assert tried(publication).state is State.SCHEDULED
        assert publication.tries == tries
        assert publication.due_at > now()
        make_due(publication)
    assert tried(publication).state is State.PUBLISHED
    assert len(effects(publication)) == 1
    assert [attempt.fence for attempt in publication.attempts] == [1, 2, 3]


def test_trying_again_has_an_end(app: Flask) -> None:
    publication = approved(account=account("not_sent"))
    for _try in range(receipts.MOST_TRIES):
        make_due(publication)
        tried(publication)
    assert publication.state is State.FAILED


def test_who_is_asked_to_wait_has_not_failed(app: Flask) -> None:
    """The late policy ends it, not a count; and the questions become rarer all the same."""
    publication = approved(account=account("not_sent", settings={"retry_after": 1}))
    change(publication, late_after=now() + timedelta(hours=2))
    for _try in range(receipts.MOST_TRIES + 2):
        make_due(publication)
        change(publication.account, blocked_until=None)
        assert tried(publication).state is State.SCHEDULED
    assert publication.due_at - now() > timedelta(seconds=30)
    assert (len(publication.attempts), publication.tries) == (receipts.MOST_TRIES + 2, 0)
    with time_machine.travel(publication.late_after + timedelta(minutes=1)):
        late.miss_overdue()
    session.expire_all()
    assert publication.state is State.MISSED


def test_a_carriers_wish_to_wait_holds_up_its_own_account_only(app: Flask) -> None:
    slow = account("not_sent", settings={"retry_after": 10**9})
    pool = make.pool()
    first, second = approved(account=slow, pool=pool), approved(account=slow, pool=pool)
    with transaction():
        for one in (first, second):
            one.late_after = now() + timedelta(days=2)
    other = approved()
    tried(first)
    assert timedelta(hours=5, minutes=59) < first.due_at - now() < timedelta(hours=6, minutes=1)
    assert tried(second).state is State.SCHEDULED
    assert second.attempts == []
    assert tried(other).state is State.PUBLISHED


def test_class_k_is_sent_again_with_the_same_key_and_has_one_effect(
    app: Flask, effects: Any
) -> None:
    publication = approved(account=account("uncertain_accepted ok", "K"))
    assert tried(publication).state is State.SCHEDULED
    make_due(publication)
    assert tried(publication).state is State.PUBLISHED
    assert len(effects(publication)) == 1


@pytest.mark.parametrize("first", ["uncertain", "uncertain_accepted"])
def test_class_q_is_looked_up_before_it_is_sent_again(app: Flask, effects: Any, first: str) -> None:
    publication = tried(approved(account=account(f"{first} ok", "Q")))
    make_due(publication)
    assert tried(publication).state is State.PUBLISHED
    assert len(effects(publication)) == 1


def test_class_n_stops_and_asks_a_person(app: Flask, effects: Any) -> None:
    publication = tried(approved(account=account("uncertain_accepted ok", "N")))
    assert (publication.state, publication.reason) == (State.UNCERTAIN, receipts.NOBODY_KNOWS)
    tried(publication)
    assert len(effects(publication)) == 1


def test_an_unknown_outcome_is_never_called_missed_or_failed(app: Flask) -> None:
    """It may be live: neither lateness nor later refusals to connect may hide that."""
    publication = tried(approved(account=account("uncertain_accepted not_sent", "K")))
    with time_machine.travel(now() + timedelta(hours=5)):
        assert late.miss_overdue() == 0
    for _try in range(receipts.MOST_TRIES):
        make_due(publication)
        tried(publication)
    assert publication.state is State.UNCERTAIN


def test_no_transaction_is_open_while_the_carrier_is_spoken_to(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = approved()
    seen: list[bool] = []

    def deliver(_channel: Any, _envelope: Any) -> Receipt:
        seen.append(session().in_transaction())
        return Receipt(Outcome.ACCEPTED)

    monkeypatch.setattr("schedules.channels.sandbox.Sandbox.deliver", deliver)
    tried(publication)
    assert seen == [False]


def test_the_attempt_stands_in_the_ledger_before_the_first_byte_leaves(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = approved()
    seen: list[Any] = []

    def deliver(_channel: Any, envelope: Any) -> Receipt:
        seen.append(session.scalar(select(Attempt.outcome)))
        seen.append(session.scalar(select(Publication.state)))
        assert envelope.key == publication.idempotency_key
        session.rollback()
        return Receipt(Outcome.ACCEPTED)

    monkeypatch.setattr("schedules.channels.sandbox.Sandbox.deliver", deliver)
    tried(publication)
    assert seen == [None, State.SENDING]
    assert session.scalar(select(Attempt)).outcome is Outcome.ACCEPTED


def test_rescheduling_is_an_update(app: Flask) -> None:
    publication = approved()
    with transaction():
        session.execute(
            update(Publication)
            .where(Publication.id == publication.id)
            .values(due_at=now() + timedelta(hours=1))
        )
    assert tried(publication).state is State.SCHEDULED
