"""What carriers say about posts they have taken: merged in any order, moved on once, never back."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cms.accounts.models import Role
from cms.core import events
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import decisions, inbox, polling, progress, publications, publishing
from schedules.channels.answers import EmployeeAnswer, Progress, Reached, Standing
from schedules.events import PostHandedOver, PostPublished
from schedules.inbox import Trouble
from schedules.models import Delivery, EmployeeTask, Publication
from schedules.states import DeliveryState, HandOverState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import FakeCarrier, handed_over, ready
from tests.schedules.ready import moves_of

AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def staff(standing: Standing = Standing.WAITING, /, **states: str) -> Progress:
    answers = tuple(
        EmployeeAnswer(name, HandOverState(state), AT if state == "confirmed" else None)
        for name, state in states.items()
    )
    return Progress(standing, employees=answers)


def live(**more: Any) -> Progress:
    return Progress(Standing.LIVE, **more)


def told(publication: Publication, *answers: Progress) -> Publication:
    for answer in answers:
        progress.apply(publication.id, answer)
    session.expire_all()
    return publication


def heard(kind: type) -> list[int]:
    found: list[int] = []
    events.subscribe(kind, lambda event: found.append(event.publication_id))
    return found


def test_taken_is_not_live_and_both_are_told_once(carrier: FakeCarrier) -> None:
    taken, shown = heard(PostHandedOver), heard(PostPublished)
    publication = handed_over()
    session.expire_all()
    assert (publication.state, publication.external_id) == (State.HANDED_OVER, "task-1")
    assert publication.published_at is None
    assert not publication.hand_overs, "the carrier's own staff confirm; nobody here holds a pack"
    told(publication, staff(ada="waiting", bo="waiting"), live(), live(), staff(ada="waiting"))
    assert publication.state is State.PUBLISHED
    assert (taken, shown) == ([publication.id], [publication.id])
    assert moves_of(publication)[-2:] == ["handed_over", "published"]


def test_a_task_once_confirmed_never_goes_back(carrier: FakeCarrier) -> None:
    publication = told(
        handed_over(), staff(ada="confirmed", bo="waiting"), staff(ada="waiting", bo="waiting")
    )
    assert (publication.expected, publication.confirmed) == (2, 1)
    assert publication.state is State.HANDED_OVER
    ada = publication.employee_tasks[0]
    assert (ada.state, ada.confirmed_at) == (HandOverState.CONFIRMED, AT)


def test_the_same_answer_twice_is_no_news(carrier: FakeCarrier) -> None:
    publication = handed_over()
    answer = staff(ada="confirmed", bo="waiting")
    assert progress.apply(publication.id, answer) is True
    assert progress.apply(publication.id, answer) is False


def test_late_confirmations_raise_the_number_and_change_its_words(carrier: FakeCarrier) -> None:
    publication = handed_over(confirm_hours=1)
    told(publication, staff(ada="confirmed", bo="waiting", cy="waiting"))
    with time_machine.travel(now() + timedelta(hours=2)):
        told(publication, Progress(Standing.UNKNOWN))
        assert publication.state is State.PUBLISHED
        assert publication.reason == "1 of 3 have confirmed it."
        assert [task.state for task in publication.employee_tasks] == [
            HandOverState.CONFIRMED,
            HandOverState.EXPIRED,
            HandOverState.EXPIRED,
        ]
        told(publication, staff(bo="confirmed"))
        assert publication.reason == "2 of 3 have confirmed it."
        told(publication, staff(Standing.LIVE, cy="confirmed"), staff(ada="waiting"))
    assert (publication.confirmed, publication.expected, publication.reason) == (3, 3, "")
    assert moves_of(publication).count("published") == 1


def test_when_nobody_confirms_it_stays_and_says_so_once(carrier: FakeCarrier) -> None:
    publication = handed_over(confirm_hours=5)
    told(publication, staff(ada="waiting"))
    assert inbox.trouble_of(publication) is None
    with time_machine.travel(now() + timedelta(hours=6)):
        told(publication, Progress(Standing.UNKNOWN), staff(ada="waiting"))
        assert (publication.state, publication.reason) == (
            State.HANDED_OVER,
            progress.NOBODY_CONFIRMED,
        )
        assert publication.employee_tasks[0].state is HandOverState.EXPIRED
        assert moves_of(publication).count("unconfirmed") == 1
        assert inbox.trouble_of(publication) is Trouble.EXPIRED
        assert publication in session.scalars(publications.expiring_confirmations()).all()
        told(publication, staff(ada="confirmed"))
        assert publication.state is State.PUBLISHED


def test_expiring_ones_are_shown_before_their_time_is_over(carrier: FakeCarrier) -> None:
    publication = handed_over()
    expiring = publications.expiring_confirmations
    assert session.scalars(expiring(timedelta(hours=1))).all() == []
    assert session.scalars(expiring(timedelta(hours=25))).all() == [publication]


def test_a_refusal_fails_with_its_reason(carrier: FakeCarrier) -> None:
    publication = told(handed_over(), Progress(Standing.REFUSED, reason="Originality check failed"))
    assert (publication.state, publication.reason) == (State.FAILED, "Originality check failed")
    assert publication.poll_at is None


def test_what_is_sent_anew_bears_another_key_and_starts_over(carrier: FakeCarrier) -> None:
    publication = handed_over()
    told(publication, staff(ada="expired"), Progress(Standing.REFUSED, facts={"job": "1"}))
    first = publication.idempotency_key
    with transaction():
        decisions.publish_now(publication, by=make.user(Role.OPERATOR))
    session.expire_all()
    assert publication.idempotency_key != first
    assert (publication.carrier_facts, publication.expected) == ({}, 0)
    publishing.publish(publication.id, worker="here")
    assert [one.key == first for one in carrier.done("deliver")] == [True, False]


def test_what_is_gone_from_the_carrier_keeps_its_history(carrier: FakeCarrier) -> None:
    publication = told(handed_over(), live(), Progress(Standing.WITHDRAWN, reason="Blocked"))
    assert (publication.state, publication.reason) == (State.PUBLISHED, "Blocked")
    assert publication.withdrawn_at is not None
    assert publication.poll_at is None


def test_a_live_answer_settles_an_uncertain_one(carrier: FakeCarrier) -> None:
    publication = ready()
    with transaction():
        publication.state = State.UNCERTAIN
    assert progress.apply(publication.id, staff(ada="waiting")) is False
    told(publication, live(external_id="moment-1"))
    assert (publication.state, publication.external_id) == (State.PUBLISHED, "moment-1")
    assert publication.reach == 50


@pytest.mark.parametrize("state", [State.PLANNED, State.SCHEDULED, State.FAILED, State.CANCELLED])
def test_nobody_listens_before_a_carrier_has_it(carrier: FakeCarrier, state: State) -> None:
    publication = ready()
    with transaction():
        publication.state = state
    answer = Progress(Standing.LIVE, reached=(Reached("x", DeliveryState.SENT),))
    assert progress.apply(publication.id, answer) is False
    assert session.scalars(select(Delivery)).all() == []
    assert progress.apply(987_654, answer) is False


def test_recipients_are_merged_in_portions(carrier: FakeCarrier) -> None:
    publication = handed_over()
    reached = tuple(Reached(f"c{one}", DeliveryState.WAITING, "ada") for one in range(1_200))
    told(publication, Progress(Standing.WAITING, reached=reached))
    later = (
        Reached("c0", DeliveryState.SENT, "ada", AT),
        Reached("c1", DeliveryState.QUOTA_USED, "ada", reason="Quota used"),
        Reached("new", DeliveryState.NOT_A_CONTACT),
    )
    told(publication, Progress(Standing.WAITING, reached=(*later, *reached)))
    rows = {row.recipient: row for row in session.scalars(select(Delivery))}
    assert len(rows) == 1_201
    assert (rows["c0"].state, rows["c0"].sent_at) == (DeliveryState.SENT, AT)
    assert (rows["c1"].state, rows["c1"].reason) == (DeliveryState.QUOTA_USED, "Quota used")
    assert (rows["c2"].state, rows["c2"].employee) == (DeliveryState.WAITING, "ada")


ANSWERS = [
    staff(ada="waiting", bo="waiting"),
    staff(ada="confirmed", bo="waiting"),
    staff(ada="waiting", bo="confirmed"),
    staff(ada="declined", bo="waiting"),
    live(),
    Progress(Standing.REFUSED, reason="No"),
    Progress(Standing.WITHDRAWN, reason="Gone"),
    Progress(Standing.UNKNOWN, reason="Busy"),
]


def standing(publication: Publication) -> tuple[Any, ...]:
    session.expire_all()
    return (
        publication.state,
        publication.expected,
        publication.confirmed,
        publication.withdrawn_at is None,
        [(task.employee, task.state, task.confirmed_at) for task in publication.employee_tasks],
    )


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(st.lists(st.sampled_from(range(len(ANSWERS))), min_size=2, max_size=4), st.randoms())
def test_the_order_of_answers_does_not_matter(carrier: FakeCarrier, chosen: Any, dice: Any) -> None:
    """Each is said at least once, some twice, in two orders; both end the same."""
    shuffled = chosen + chosen[:1]
    dice.shuffle(shuffled)
    assert_same_end(chosen, shuffled)


@pytest.mark.parametrize("which", [[1, 5, 6], [4, 5, 6]])
def test_every_order_of_answers_that_contradict_each_other_ends_the_same(
    carrier: FakeCarrier, which: list[int]
) -> None:
    orders = list(itertools.permutations(which))
    ends = [standing(told(handed_over(), *(ANSWERS[one] for one in order))) for order in orders]
    assert ends == [ends[0]] * len(orders)
    assert ends[0][0] is State.PUBLISHED


def assert_same_end(one: list[int], other: list[int]) -> None:
    first = standing(told(handed_over(), *(ANSWERS[number] for number in one)))
    second = standing(told(handed_over(), *(ANSWERS[number] for number in other)))
    assert first == second


def test_the_plan_is_the_one_that_carriers_staff_needs() -> None:
    moments = list(itertools.accumulate(polling.STAFF_POLLS))
    assert moments[:4] == [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]
    assert moments[-2] == timedelta(days=3)
    assert polling.STAFF_POLLS[-1] == timedelta(days=1)
    assert polling.CARRIER_POLLS[0] < timedelta(seconds=10)


def test_expired_tasks_are_those_of_this_publication_alone(carrier: FakeCarrier) -> None:
    late, other = handed_over(confirm_hours=1), handed_over(confirm_hours=90)
    told(late, staff(ada="waiting"))
    told(other, staff(ada="waiting"))
    with time_machine.travel(now() + timedelta(hours=2)):
        told(late, Progress(Standing.UNKNOWN))
    states = {
        task.publication_id: task.state for task in session.scalars(select(EmployeeTask)).all()
    }
    assert states == {late.id: HandOverState.EXPIRED, other.id: HandOverState.WAITING}
