"""Two people, or a person and a worker, at one publication at one moment: nobody's word is lost."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from cms.accounts.models import Role, User
from cms.core.clock import now
from cms.core.db import db, session, transaction
from schedules import (
    approvals,
    carrying,
    decisions,
    posts,
    preflight,
    publishing,
    receipts,
    stops,
    wishes,
)
from schedules.channels.base import Receipt
from schedules.models import ChannelAccount, Publication
from schedules.states import Act, Outcome, StopScope
from schedules.states import PublicationState as State
from schedules.stops import StopFields
from tests import factories as make
from tests.schedules.planning import World
from tests.schedules.ready import account, approved, change, tried

PATIENCE = 0.5  # seconds in which whoever does not have to wait would long be through


class Somebody(threading.Thread):
    """Does it in a session of their own, and is given a moment's head start."""

    def __init__(self, app: Flask, work: Callable[[], object]) -> None:
        super().__init__()
        self.app, self.work = app, work

    def run(self) -> None:
        with self.app.app_context():
            try:
                with transaction():
                    self.work()
            finally:
                db.session.remove()

    def begin(self) -> None:
        self.start()
        self.join(PATIENCE)


def test_publish_now_and_a_move_never_send_it_days_early(
    own_database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_database.app_context():
        world = World()
        post = world.approved()
        post_id, publication_id, planner_id = post.id, post.publication.id, world.planner.id
        check = preflight.check_now

        def move() -> None:
            by = session.get_one(User, planner_id)
            later = world.day + timedelta(days=1)
            posts.move(posts.get(post_id), wall_date=later, wall_time=post_at, by=by)

        post_at, mover = post.wall_time, Somebody(own_database, move)

        def slowly(publication: Publication) -> None:
            check(publication)
            mover.begin()

        monkeypatch.setattr(preflight, "check_now", slowly)
        operator = make.user(Role.OPERATOR)
        with transaction():
            decisions.publish_now(session.get_one(Publication, publication_id), by=operator)
        mover.join()
        session.expire_all()
        post = posts.get(post_id)
        assert post.publication.state is State.PLANNED
        with transaction():
            posts.submit(post, by=session.get_one(User, planner_id))
        with transaction():
            approvals.approve(post, revision=post.revision, by=operator)
        assert post.publication.due_at == post.publish_at > now() + timedelta(hours=1)
        assert tried(post.publication).state is State.SCHEDULED


def test_a_new_approval_waits_for_the_posts_own_minute(app: Flask) -> None:
    """Whatever an earlier round had put it off to, or hurried it to."""
    world = World()
    post = world.approved()
    with transaction():
        posts.move(post, wall_date=world.day + timedelta(days=1), wall_time=post.wall_time, by=None)
    change(post.publication, due_at=now(), late_after=now())
    with transaction():
        posts.submit(post, by=world.planner)
    with transaction():
        approvals.approve(post, revision=post.revision, by=make.user(Role.OPERATOR))
    assert post.publication.due_at == post.publish_at
    assert post.publication.late_after > post.publish_at


def test_a_late_reminder_wipes_out_no_withdrawal(
    own_database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_database.app_context():
        by = make.user(Role.ADMINISTRATOR)
        publication = tried(approved(account=account()))
        with transaction():
            wishes.keep(publication, Act.REMIND, by=by)
            stops.raise_stop(StopFields(StopScope.ALL, "fire"), by=by)
        publication_id, by_id = publication.id, by.id
        session.rollback()
        holds_back = stops.holds_back

        def withdraw() -> None:
            one = session.get_one(Publication, publication_id)
            wishes.ask_withdrawal(one, session.get_one(User, by_id), "wrong picture")

        somebody = Somebody(own_database, withdraw)

        def slowly(account_id: int) -> bool:
            held = holds_back(account_id)
            somebody.begin()
            return held

        monkeypatch.setattr(stops, "holds_back", slowly)
        carrying.carry(publication_id, worker="here")
        somebody.join()
        session.expire_all()
        one = session.get_one(Publication, publication_id)
        assert (one.wish, one.wish_by_id) == (Act.WITHDRAW, by_id)
        assert one.wish_at is not None


def test_of_two_answers_at_once_the_longer_wait_counts(
    own_database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_database.app_context():
        way, pool = account(), make.pool()
        long, short = (approved(account=way, pool=pool) for _ in range(2))
        envelopes = [
            publishing._prepared(one.id, publishing.claim(one.id, worker="here") or 0)
            for one in (long, short)
        ]
        assert all(envelopes)
        account_id = way.id
        session.rollback()
        block, begun = receipts._block, threading.Event()

        def answer() -> None:
            receipts.record(envelopes[0], Receipt(Outcome.NOT_SENT, after=timedelta(hours=5)))

        def slowly(blocked: ChannelAccount, wait: timedelta) -> None:
            block(blocked, wait)
            if wait > timedelta(hours=1):
                session.flush()
                begun.set()
                threading.Event().wait(PATIENCE)

        monkeypatch.setattr(receipts, "_block", slowly)
        other = Somebody(own_database, answer)
        other.start()
        begun.wait(10)
        receipts.record(envelopes[1], Receipt(Outcome.NOT_SENT, after=timedelta(seconds=60)))
        other.join()
        session.expire_all()
        until = session.get_one(ChannelAccount, account_id).blocked_until
        assert until is not None
        assert until > now() + timedelta(hours=4)


def test_who_has_moved_it_meanwhile_is_not_put_off_to_now(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker frozen between hearing that it must wait and writing it down."""
    publication = approved()
    change(publication.account, blocked_until=now() + timedelta(seconds=30))
    next_week, put_off = now() + timedelta(days=7), publishing._put_off

    def after_a_move(*known: object) -> None:
        change(publication, due_at=next_week, late_after=next_week + timedelta(hours=2))
        put_off(*known)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "_put_off", after_a_move)
    assert publishing.claim(publication.id, worker="here") is None
    session.expire_all()
    assert publication.due_at == next_week
