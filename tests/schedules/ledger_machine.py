"""A machine that tries every story of three posts, and after each step asks whether the ledger tells the truth.

Workers are stepped through claim, attempt, call and record, and may die between any two steps or
answer long after their lease; people approve, edit and decide; the clock goes forwards and back.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role
from cms.core.clock import holding, now
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid
from schedules import approvals, decisions, late, posts, publishing, receipts, reconciling
from schedules.channels.base import Receipt
from schedules.envelopes import Envelope
from schedules.models import Post, Publication
from schedules.states import PublicationState as State
from schedules.states import ReviewState
from tests import factories as make
from tests.schedules.carriers_in_memory import ANSWERS, Scripted
from tests.schedules.ready import submitted

AHEAD = timedelta(minutes=5)
STEPS = ("claim", "attempt", "call", "record")
END = {State.PUBLISHED, State.CANCELLED}


@dataclass
class Worker:
    """One claim in somebody's hands, and how far it has come."""

    publication_id: int
    fence: int
    deadline: datetime
    envelope: Envelope | None = None
    receipt: Receipt | None = None


class Ledger(RuleBasedStateMachine):
    """Three posts, one of each class; two people; as many workers as come along."""

    carrier: Scripted

    def __init__(self) -> None:
        super().__init__()
        self.moment = now()
        self.workers: list[Worker] = []
        self.again: dict[int, int] = {}  # how often a person said "send again"
        self.approved_texts: dict[int, set[str]] = {}
        self.posts: list[int] = []

    @contextmanager
    def at(self) -> Iterator[None]:
        session.expire_all()
        with holding(self.moment):
            yield

    @initialize()
    def begin(self) -> None:
        self.start("scripted", "KQN")

    def start(self, channel: str, classes: str) -> None:
        """A post for each class, all of them approved, and their minute has come."""
        self.carrier.effects.clear()
        self.carrier.sent.clear()
        with self.at():
            self.operator = make.user(Role.OPERATOR)
            self.author = make.user(Role.PLANNER)
            for kind in classes:
                pool = make.pool()
                way = make.account(pool, channel=channel, settings={"class": kind}, per_minute=6000)
                post = submitted(
                    pool=pool,
                    account=way,
                    author_id=self.author.id,
                    publish_at=now() + AHEAD,
                    text="first",
                )
                self.posts.append(post.id)
        for index in range(len(classes)):
            self.approve(index)
        self.moment += AHEAD

    # --- people

    def post(self, index: int) -> Post:
        return session.get_one(Post, self.posts[index % len(self.posts)])

    @rule(index=st.integers(0, 2))
    def approve(self, index: int) -> None:
        with self.at():
            post = self.post(index)
            if post.review is not ReviewState.SUBMITTED:
                return
            with transaction():
                approvals.approve(post, revision=post.revision, by=self.operator)
            self.approved_texts.setdefault(post.publication.id, set()).add(post.text)

    @rule(index=st.integers(0, 2), text=st.sampled_from(["second", "third"]))
    def edit_and_submit(self, index: int, text: str) -> None:
        with self.at():
            post = self.post(index)
            try:
                with transaction():
                    posts.edit(
                        post,
                        text=text,
                        media_ids=[],
                        expected_revision=post.revision,
                        by=self.author,
                    )
                    posts.submit(post, by=self.author)
            except (Conflict, Invalid):
                return

    @rule(index=st.integers(0, 2))
    def take_approval_back(self, index: int) -> None:
        with self.at():
            try:
                with transaction():
                    approvals.withdraw_approval(self.post(index), by=self.operator)
            except (Conflict, Invalid):
                return

    @rule(index=st.integers(0, 2), answer=st.sampled_from(["live", "again", "drop", "now"]))
    def decide(self, index: int, answer: str) -> None:
        with self.at():
            publication = self.post(index).publication
            was = publication.state
            try:
                with transaction():
                    if answer == "now":
                        decisions.publish_now(publication, by=self.operator)
                    else:
                        decisions.resolve_uncertain(publication, answer, by=self.operator)
            except (Conflict, Invalid):
                return
            # Trying again after a silence is a person's word; the machine may count one more.
            if answer == "again" or (answer == "now" and was in (State.HELD, State.FAILED)):
                self.again[publication.id] = self.again.get(publication.id, 0) + 1

    # --- workers: each goes as far as the story says, and may go on, late, or never

    @rule(
        index=st.integers(0, 2), answer=st.sampled_from(ANSWERS), steps=st.integers(1, len(STEPS))
    )
    def work(self, index: int, answer: str, steps: int) -> None:
        with self.at():
            publication_id = self.post(index).publication.id
            fence = publishing.claim(publication_id, worker="w")
            if fence is None:
                return
            ends = self.moment + timedelta(seconds=current().lease_seconds)
            worker = Worker(publication_id, fence, ends)
            self.workers.append(worker)
            for _step in range(steps - 1):
                self.step(worker, answer)

    @precondition(lambda self: self.workers)
    @rule(which=st.integers(0, 9), answer=st.sampled_from(ANSWERS), steps=st.integers(1, 3))
    def go_on_with(self, which: int, answer: str, steps: int) -> None:
        worker = self.workers[which % len(self.workers)]
        with self.at():
            for _step in range(steps):
                self.step(worker, answer)

    @precondition(lambda self: self.workers)
    @rule(which=st.integers(0, 9))
    def die(self, which: int) -> None:
        self.workers.pop(which % len(self.workers))

    def step(self, worker: Worker, answer: str) -> None:
        """The next of: write the attempt, call the carrier, record."""
        if worker not in self.workers:
            return
        deadline = time.monotonic() + (worker.deadline - self.moment).total_seconds()
        if worker.envelope is None:
            worker.envelope = publishing._prepared(worker.publication_id, worker.fence, deadline)
            if worker.envelope is None:
                self.workers.remove(worker)
        elif worker.receipt is None:
            self.carrier.next_answer = answer
            worker.receipt = publishing._spoken(worker.envelope, deadline)
        else:
            receipts.record(worker.envelope, worker.receipt)
            self.workers.remove(worker)

    # --- time

    @rule(seconds=st.sampled_from([1, 20, 61, 300, 3600]))
    def go_on(self, seconds: int) -> None:
        self.moment += timedelta(seconds=seconds)

    @rule()
    def clock_steps_back(self) -> None:
        self.moment -= timedelta(seconds=30)

    @rule()
    def leases_run_out(self) -> None:
        self.moment += timedelta(seconds=current().lease_seconds + 1)
        self.sweep()

    @rule()
    def sweep(self) -> None:
        with self.at():
            reconciling.settle_expired()
            late.miss_overdue()

    # --- what must always be true

    @invariant()
    def the_ledger_tells_the_truth(self) -> None:
        if not self.posts:
            return
        session.expire_all()
        for publication in self.publications():
            effects = self.carrier.effects[publication.idempotency_key]
            allowed = 1 + self.again.get(publication.id, 0)
            assert effects <= allowed, f"I2: happened {effects} times"
            shown = set(self.carrier.sent.get(publication.idempotency_key, []))
            assert shown <= self.approved_texts.get(publication.id, set()), "I6: unapproved"
            if publication.state is State.PUBLISHED and not self.said_live(publication):
                assert effects >= 1, "I3: called published and never happened"
            if publication.state in (State.FAILED, State.MISSED) and not self.again:
                assert effects == 0, f"I4: {publication.state} and has happened"
            assert self.chain_is_whole(publication), "I7: a move without its entry"

    def publications(self) -> list[Publication]:
        wanted = select(Publication).where(Publication.post_id.in_(self.posts))
        return list(session.scalars(wanted))

    def moves(self, publication: Publication) -> list[Any]:
        entries = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.object_type == "publications")
            .where(AuditEntry.object_id == publication.id)
            .order_by(AuditEntry.id)
        )
        return [entry for entry in entries if "from" in entry.detail]

    def said_live(self, publication: Publication) -> bool:
        last = self.moves(publication)[-1]
        return bool(last.actor_id is not None)

    def chain_is_whole(self, publication: Publication) -> bool:
        moves = self.moves(publication)
        ends = ["planned", *(move.action.removeprefix("publication.") for move in moves)]
        starts = [*(move.detail["from"] for move in moves), publication.state.value]
        return ends == starts

    def teardown(self) -> None:
        """Left alone, with everybody dead, every approved post reaches an end or a person (I1)."""
        if not self.posts:
            return
        self.leave_alone(40, timedelta(minutes=5))
        for publication in self.publications():
            allowed = END | {State.PLANNED, State.FAILED, State.MISSED, State.UNCERTAIN, State.HELD}
            assert publication.state in allowed, f"I1: stays {publication.state}"
        self.the_ledger_tells_the_truth()

    def leave_alone(self, rounds: int, apart: timedelta) -> None:
        """Nobody acts any more; the clock and new workers go on by themselves."""
        self.carrier.next_answer = "accepted"
        for _round in range(rounds):
            self.moment += apart
            self.sweep()
            with self.at():
                for publication in self.publications():
                    self.by_itself(publication)
        session.expire_all()

    def by_itself(self, publication: Publication) -> None:
        publishing.publish(publication.id, worker="last")


def search(
    machine: type[Ledger],
    carrier: Scripted,
    examples: int,
    *,
    steps: int,
    phases: tuple[Phase, ...],
) -> None:
    """Try so many stories of that machine; the first that makes the ledger lie is raised."""
    machine.carrier = carrier
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(machine, settings=chosen)
