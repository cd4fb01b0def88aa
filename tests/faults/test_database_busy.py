"""Many writers on one SQLite file, and one that will not let go: callers wait, or hear when to ask again."""

import os
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from audience.models import Pool
from cms.accounts.models import Role, User
from cms.core.db import db, session, transaction
from content_library.models import Asset
from schedules import publishing, reconciling
from schedules.models import Calendar, ChannelAccount, Post, Publication
from schedules.states import PublicationState as State
from schedules.states import ReviewState
from tests import factories as make
from tests.faults import crowd
from tests.faults.conftest import Install
from tests.faults.disk import small_disk
from tests.schedules.ready import account, approved, submitted
from tests.schedules.side_by_side import WORKERS, in_processes
from tests.signing_in import sign_in

HOLD = 10.0
ROUNDS = 6
CLAIMS = 2000


@pytest.fixture
def house(install: Install, tmp_path: Path) -> Flask:
    return install(tmp_path, SEEDBED_LEASE_SECONDS="600")  # so that none is sent home too slow


@contextmanager
def locked(app: Flask) -> Iterator[sqlite3.Connection]:
    """Somebody else's program holds the write lock."""
    path = app.config["SEEDBED"].home / "seedbed.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def approve(client: FlaskClient, post_id: int):  # type: ignore[no-untyped-def]
    return client.post(
        f"/today/posts/{post_id}/approve", data={"revision": "1", "seen": "", "view": "all"}
    )


def state_of(publication_id: int) -> State:
    session.rollback()
    return session.get_one(Publication, publication_id).state


def review_of(post_id: int) -> ReviewState:
    session.rollback()
    return session.get_one(Post, post_id).review


def test_eight_processes_write_and_none_hears_of_a_lock(house: Flask, tmp_path: Path) -> None:
    """Each plans, approves and sends its own posts: five commits a post, all at once."""
    pool, way = make.pool(), account(per_minute=60_000)
    known = (pool, way, make.asset(), make.calendar(), make.user(), make.user(Role.OPERATOR))
    kinds = (Pool, ChannelAccount, Asset, Calendar, User, User)
    ids = [row.id for row in known]

    def work() -> str:
        pool, way, asset, calendar, author, operator = (
            session.get_one(kind, number) for kind, number in zip(kinds, ids, strict=True)
        )
        same = {"pool": pool, "account": way, "asset": asset, "calendar": calendar}
        for _ in range(ROUNDS):
            made = approved(by=operator, author_id=author.id, **same)
            publishing.publish(made.id, worker="here")
        return "done"

    with transaction():
        way.pools.append(pool)
    session.remove()
    assert in_processes(house, work, tmp_path) == ["done"] * WORKERS
    found = session.execute(text("SELECT state, count(*) FROM publications GROUP BY state")).all()
    assert [tuple(row) for row in found] == [("published", WORKERS * ROUNDS)]
    assert session.scalar(text("PRAGMA integrity_check")) == "ok"


def test_eight_claim_two_thousand_due_rows_two_thousand_times(
    install: Install, tmp_path: Path
) -> None:
    """Every process goes for whatever is still due, in an order of its own, until nothing is."""
    with small_disk(tmp_path / "disk", "96m") as disk:
        house = install(disk.folder)
        crowd.of(approved(account=account(per_minute=1_000_000)).post, CLAIMS)
        session.remove()
        told = in_processes(house, _claim_all, tmp_path)
        claims = Counter(int(number) for one in told for number in one.split(","))
        fences = session.execute(text("SELECT fence, count(*) FROM publications GROUP BY fence"))
        assert [tuple(row) for row in fences] == [(1, CLAIMS)]
        moves = "SELECT count(*) FROM audit_entries WHERE action = 'publication.claimed'"
        assert session.scalar(text(moves)) == CLAIMS
    claims.pop(0, None)
    assert (len(claims), set(claims.values())) == (CLAIMS, {1})


def _claim_all() -> str:
    due = text(
        "SELECT id FROM publications WHERE state = 'scheduled' ORDER BY due_at, id LIMIT 200"
    )
    dice, won = random.Random(os.getpid()), list[int]()
    while ids := list(session.scalars(due)):
        session.rollback()
        dice.shuffle(ids)
        won += [one for one in ids if publishing.claim(one, worker="here")]
        session.rollback()
    return ",".join(map(str, won)) or "0"


def test_a_lock_held_for_ten_seconds_is_waited_for(house: Flask) -> None:
    """A person saves, a worker sends and the clock tidies meanwhile; reading does not even notice."""
    admin = sign_in(house.test_client(), make.user(Role.ADMINISTRATOR))
    post, due = submitted(), approved()
    post_id, publication_id = post.id, due.id
    admin.get("/today/")
    session.remove()
    faults: list[Exception] = []

    def in_a_thread(step):  # type: ignore[no-untyped-def]
        def run() -> None:
            with house.app_context():
                try:
                    step()
                except Exception as error:
                    faults.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with locked(house) as other:
        began = time.monotonic()
        threads = [
            in_a_thread(lambda: publishing.publish(publication_id, worker="here")),
            in_a_thread(reconciling.settle_expired),
            threading.Timer(HOLD, other.rollback),
        ]
        threads[-1].start()
        assert admin.get("/today/").status_code == 200
        assert time.monotonic() - began < HOLD / 2
        assert approve(admin, post_id).status_code == 302
        assert time.monotonic() - began >= HOLD
        for thread in threads:
            thread.join()
    assert faults == []
    assert state_of(publication_id) is State.PUBLISHED
    assert review_of(post_id) is ReviewState.APPROVED


def test_a_lock_held_longer_than_anybody_waits_is_told_and_nothing_is_lost(house: Flask) -> None:
    admin = sign_in(house.test_client(), make.user(Role.ADMINISTRATOR))
    post, due = submitted(), approved()
    admin.get("/today/")
    post_id, due_id = post.id, due.id
    _wait_at_most(200)
    with locked(house):
        answer = approve(admin, post_id)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        with pytest.raises(Exception, match="database is locked"):
            publishing.publish(due_id, worker="here")
        assert admin.get("/today/").status_code == 200
    assert (review_of(post_id), state_of(due_id)) == (ReviewState.SUBMITTED, State.SCHEDULED)
    assert approve(admin, post_id).status_code == 302
    publishing.publish(due_id, worker="here")
    assert (review_of(post_id), state_of(due_id)) == (ReviewState.APPROVED, State.PUBLISHED)


def _wait_at_most(milliseconds: int) -> None:
    """On every connection of this process; fifteen seconds of waiting would prove no more."""
    session.remove()
    db.engine.dispose()
    event.listen(
        db.engine,
        "connect",
        lambda connection, _record: connection.execute(f"PRAGMA busy_timeout = {milliseconds}"),
    )
