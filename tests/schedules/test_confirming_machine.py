"""However confirmations, refusals, withdrawals and late calls come in: the ledger tells the truth.

The machine of `ledger_machine` goes on here past the moment when a carrier has taken a post:
employees act at the carrier, the carrier refuses or takes down, people take back, confirm by hand
or give up, and everything the carrier ever said may be said again later.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid, NotFound
from schedules import (
    by_hand,
    carrying,
    decisions,
    inbox,
    polling,
    posts,
    progress,
    wishes,
)
from schedules.callbacks import handling
from schedules.channels.base import Progress, Standing
from schedules.models import Publication
from schedules.states import HandOverState, ReviewState
from schedules.states import PublicationState as State
from tests.schedules.carriers_in_memory import ANSWERS, Confirming, Task, joined
from tests.schedules.ledger_machine import AHEAD, Ledger, search

EXAMPLES = 12


class Staff(Ledger):
    """Two posts through a carrier whose employees post them, or do not."""

    carrier: Confirming

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, Progress]] = []  # by whom of the tasks, everything ever said
        self.by_person: set[int] = set()  # publications of which a person said that they are live
        self.keys: dict[int, set[str]] = {}  # all that a publication was ever sent under

    @initialize()
    def begin(self) -> None:
        self.carrier.tasks.clear()
        self.start("confirming", "QQ")

    # --- at the carrier

    def task(self, which: int) -> Task:
        return self.carrier.tasks[which % len(self.carrier.tasks)]

    def note(self, task: Task) -> None:
        self.said.append((task.name, task.told()))

    @precondition(lambda self: self.carrier.tasks)
    @rule(which=st.integers(0, 5), employee=st.sampled_from(["ada", "bo"]))
    def employee_posts(self, which: int, employee: str) -> None:
        task = self.task(which)
        if task.standing is Standing.WAITING:
            task.employees[employee] = HandOverState.CONFIRMED
        self.note(task)

    @precondition(lambda self: self.carrier.tasks)
    @rule(which=st.integers(0, 5), standing=st.sampled_from([Standing.REFUSED, Standing.WITHDRAWN]))
    def carrier_ends_it(self, which: int, standing: Standing) -> None:
        task = self.task(which)
        if task.standing is Standing.WAITING:
            task.standing = standing
        self.note(task)

    @precondition(lambda self: self.said)
    @rule(which=st.integers(0, 50))
    def a_call_comes(self, which: int) -> None:
        """Anything ever said, in any order, once more: told of the publication that bears its name."""
        name, told = self.said[which % len(self.said)]
        with self.at():
            for publication in self.publications():
                known = publication.external_id == name
                if known and handling._is_settled(publication, told):
                    before = self.looks(publication)
                    progress.apply(publication.id, told)
                    session.expire_all()
                    after = self.looks(publication)
                    progress.apply(publication.id, told)
                    session.expire_all()
                    assert self.looks(publication) == after, "saying it again changes nothing"
                    assert before[0] is not State.PUBLISHED or after[0] is State.PUBLISHED

    def looks(self, publication: Publication) -> tuple[object, ...]:
        return publication.state, publication.confirmed, publication.expected, publication.reason

    @rule(index=st.integers(0, 1), answer=st.sampled_from(ANSWERS))
    def ask(self, index: int, answer: str) -> None:
        self.carrier.next_answer = answer
        with self.at():
            polling.ask(self.post(index).publication.id)

    # --- people

    @rule(index=st.integers(0, 1))
    def ask_back(self, index: int) -> None:
        with self.at():
            try:
                with transaction():
                    wishes.ask_withdrawal(self.post(index).publication, self.operator)
            except Conflict:
                return

    @rule(index=st.integers(0, 1), answer=st.sampled_from(ANSWERS))
    def carry(self, index: int, answer: str) -> None:
        self.carrier.next_answer = answer
        with self.at():
            carrying.carry(self.post(index).publication.id, worker="w")

    @rule(index=st.integers(0, 1))
    def let_be(self, index: int) -> None:
        with self.at(), transaction():
            wishes.let_be(self.post(index).publication, by=self.operator)

    @rule(index=st.integers(0, 1), employee=st.sampled_from(["", "ada", "bo"]))
    def confirm(self, index: int, employee: str) -> None:
        with self.at():
            publication = self.post(index).publication
            try:
                with transaction():
                    by_hand.confirm_by_hand(publication, employee, by=self.operator, note="Seen")
            except (Conflict, NotFound):
                return
            self.by_person.add(publication.id)

    @rule(index=st.integers(0, 1))
    def say_absent(self, index: int) -> None:
        with self.at():
            try:
                with transaction():
                    decisions.say_absent(self.post(index).publication, by=self.operator)
            except Conflict:
                return

    @rule(index=st.integers(0, 1))
    def restore(self, index: int) -> None:
        """Planned anew after it was dropped or taken back, at a time to come."""
        with self.at():
            post = self.post(index)
            publication = post.publication
            if publication.state is not State.CANCELLED:
                return
            try:
                with transaction():
                    post.publish_at = now() + AHEAD
                    posts.publications.plan(post, by=self.author)
                    post.review = ReviewState.SUBMITTED
            except (Conflict, Invalid):
                return
            self.again[publication.id] = self.again.get(publication.id, 0) + 1

    # --- what must always be true

    @invariant()
    def the_ledger_tells_the_truth(self) -> None:
        if not self.posts:
            return
        session.expire_all()
        for publication in self.publications():
            made = self.made(publication)
            allowed = 1 + self.again.get(publication.id, 0)
            assert len(made) <= allowed, f"I2: {len(made)} tasks, {allowed} allowed"
            if publication.state is State.PUBLISHED and not self.is_vouched(publication):
                assert any(self.was_live(task) for task in made), "I3: published, and never was"
            if publication.state is State.HANDED_OVER:
                assert made, "I3: handed over to nobody"
                is_moved = publication.poll_at is not None
                assert is_moved or self.is_shown(publication), "I1: nobody asks, nobody is shown"
            if publication.state in (State.FAILED, State.MISSED) and not self.is_vouched(
                publication
            ):
                open_ones = [one for one in made if one.standing is Standing.WAITING]
                assert not open_ones, f"I4: {publication.state}, and employees have it"
            assert publication.confirmed <= publication.expected
            assert self.chain_is_whole(publication), "I7: a move without its entry"

    def made(self, publication: Publication) -> list[Task]:
        return [task for task in self.carrier.tasks if task.key in self.keys_of(publication)]

    def keys_of(self, publication: Publication) -> set[str]:
        known = self.keys.setdefault(publication.id, set())
        known.add(publication.idempotency_key)
        return known

    def is_vouched(self, publication: Publication) -> bool:
        return publication.id in self.by_person or self.said_live(publication)

    def was_live(self, task: Task) -> bool:
        return HandOverState.CONFIRMED in task.employees.values()

    def is_shown(self, publication: Publication) -> bool:
        with self.at():
            return inbox.trouble_of(publication) is not None

    def teardown(self) -> None:
        """Left alone for days, everything has an end or stands before somebody (I1)."""
        if not self.posts:
            return
        self.leave_alone(25, timedelta(hours=2))
        quiet = {State.PUBLISHED, State.CANCELLED, State.PLANNED}
        for publication in self.publications():
            is_quiet = publication.state in quiet and publication.wish is None
            assert is_quiet or self.is_shown(publication), f"I1: {publication.state} in silence"
        self.the_ledger_tells_the_truth()

    def by_itself(self, publication: Publication) -> None:
        super().by_itself(publication)
        polling.ask(publication.id)
        carrying.carry(publication.id, worker="last")


@pytest.fixture
def confirming(app: Flask) -> Iterator[Confirming]:
    with joined(Confirming()) as made:
        yield made


def test_no_order_of_answers_makes_the_ledger_lie(confirming: Confirming) -> None:
    search(Staff, confirming, EXAMPLES, steps=40, phases=tuple(Phase))


def test_some_order_does_where_created_counts_as_published(
    confirming: Confirming, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A net that cannot fail proves nothing. The rules of sending are switched off one by one in
    test_ledger_machine.py, test_publishing.py, test_dead_workers.py and tests/chaos."""
    monkeypatch.setattr(progress, "_leads_to", lambda *_known: State.PUBLISHED)
    with pytest.raises(AssertionError, match="I3: published, and never was"):
        search(Staff, confirming, 100, steps=30, phases=(Phase.generate,))
