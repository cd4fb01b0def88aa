"""Many at once on a database of their own: claims, plans and hints that race for real."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from cms.accounts.models import Role
from cms.core.db import db, session, transaction
from cms.core.jobs import Job
from cms.core.threads import each_in_a_thread
from schedules import publications, publishing, receipts
from schedules.jobs import hint_due, publish_batch
from schedules.models import Post, Publication
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import account, approved, submitted

THREADS = 8


@pytest.fixture
def real_app(own_database: Flask) -> Iterator[Flask]:
    """An application whose transactions really commit, so that threads see each other's rows."""
    with own_database.app_context():
        yield own_database


def at_once(app: Flask, work: Callable[[], None]) -> None:
    """Run it in eight threads that start together, each with a session of its own."""
    start, faults = threading.Barrier(THREADS), []

    def run() -> None:
        with app.app_context():
            start.wait()
            try:
                work()
            except Exception as error:
                faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def due(number: int) -> list[int]:
    """Approved and due, made in one transaction: many commits would only cost time."""
    operator, author = make.user(Role.OPERATOR), make.user()
    pool, asset, calendar = make.pool(), make.asset(), make.calendar()
    way = account(per_minute=60_000)
    same = {"pool": pool, "asset": asset, "calendar": calendar, "account": way}
    with transaction():
        made = [approved(by=operator, author_id=author.id, **same) for _ in range(number)]
    return [publication.id for publication in made]


def look_anew() -> None:
    """End the reading transaction, whose picture is older than what the threads wrote."""
    session.rollback()
    session.expire_all()


def test_eight_claim_two_hundred_rows_two_hundred_times(real_app: Flask) -> None:
    ids, claims = due(200), Counter[int]()
    lock = threading.Lock()

    def claim_all() -> None:
        for publication_id in ids:
            if publishing.claim(publication_id, worker=threading.current_thread().name):
                with lock:
                    claims[publication_id] += 1

    at_once(real_app, claim_all)
    assert claims == Counter(ids)
    look_anew()
    fences = session.scalars(select(Publication.fence)).all()
    assert set(fences) == {1}


def test_without_the_condition_a_row_is_claimed_by_several(
    real_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: all eight have read the row before one of them writes."""
    monkeypatch.setenv("SEEDBED_DISABLE", "conditional")
    (publication_id,), claims = due(1), list[int | None]()
    read, gate = publishing._claimable, threading.Barrier(THREADS)

    def read_together(number: int) -> object:
        found = read(number)
        session.rollback()
        gate.wait()
        return found

    monkeypatch.setattr(publishing, "_claimable", read_together)
    at_once(real_app, lambda: claims.append(publishing.claim(publication_id, worker="one of 8")))
    assert claims == [1] * THREADS


def test_a_batch_hinted_eight_times_goes_out_once(real_app: Flask) -> None:
    ids = due(20)
    at_once(real_app, lambda: publish_batch(*ids))
    look_anew()
    assert publications.counts_by_state()[State.PUBLISHED] == 20
    ledger = next((real_app.config["SEEDBED"].home / "sandbox").iterdir())
    assert len(ledger.read_text().splitlines()) == 20


def test_the_same_post_planned_by_eight_has_one_publication(real_app: Flask) -> None:
    post = submitted()
    with transaction():
        session.delete(post.publication.links[0])
        session.delete(post.publication)
    post_id = post.id

    def plan() -> None:
        with transaction():
            publications.plan(session.get_one(Post, post_id))

    at_once(real_app, plan)
    look_anew()
    assert session.scalar(select(func.count()).select_from(Publication)) == 1


def test_a_poisonous_row_does_not_stop_its_batch(real_app: Flask) -> None:
    ids = due(5)
    bad = session.get_one(Publication, ids[2])
    with transaction():
        bad.content_hash = None
    publish_batch(*ids)
    look_anew()
    counts = publications.counts_by_state()
    assert (counts[State.PUBLISHED], counts[State.HELD]) == (4, 1)


def test_no_connection_is_held_while_the_carrier_is_spoken_to(
    real_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    (publication_id,) = due(1)
    session.remove()
    held: list[int] = []

    def deliver(_channel: object, _envelope: object) -> receipts.Receipt:
        held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
        return receipts.Receipt(receipts.Outcome.ACCEPTED)

    monkeypatch.setattr("schedules.channels.sandbox.Sandbox.deliver", deliver)
    publishing.publish(publication_id, worker="here")
    assert held == [0]


def test_a_result_is_kept_while_the_database_is_away(
    real_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    (publication_id,) = due(1)
    record, refusals = receipts.record, [1, 2]

    def away_at_first(*known: object) -> bool:
        if refusals:
            refusals.pop()
            raise OperationalError("UPDATE", {}, ConnectionError("gone"))
        return record(*known)  # type: ignore[arg-type]

    monkeypatch.setattr(receipts, "record", away_at_first)
    publishing.publish(publication_id, worker="here")
    look_anew()
    assert session.get_one(Publication, publication_id).state is State.PUBLISHED
    assert refusals == []


def test_the_clock_hints_in_portions_and_not_twice(
    real_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, sent = due(45), []
    monkeypatch.setattr("schedules.hints.MOST_UNDER_WAY", 45)
    monkeypatch.setattr("schedules.jobs.is_broker_there", lambda: True)
    monkeypatch.setattr(Job, "_send", lambda _job, args, key: sent.append((args, key)))
    hint_due()
    hint_due()
    assert [len(args) for args, _key in sent] == [20, 20, 5]
    assert [one for args, _key in sent for one in args] == ids
    assert len({key for _args, key in sent}) == 3


def test_threads_have_sessions_of_their_own(real_app: Flask) -> None:
    seen: list[object] = [session()]
    each_in_a_thread(lambda _item: seen.append(session()), range(4), threads=4)
    assert len({id(one) for one in seen}) == 5
