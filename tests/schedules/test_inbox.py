"""The inbox as the ledger sees it: each publication once, causes alike whatever figures they name."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import advice, inbox, receipts
from schedules.inbox import Trouble, Wanted
from schedules.models import ChannelAccount, Publication
from schedules.states import Act
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import account

pytestmark = pytest.mark.usefixtures("app")


def troubled(state: State, way: ChannelAccount, **fields: Any) -> Publication:
    publication = make.post(state=state, account=way).publication
    with transaction():
        for name, value in fields.items():
            setattr(publication, name, value)
    return publication


def test_reasons_that_differ_in_figures_are_one_cause() -> None:
    way, other = account(), account()
    template = "Error %(code)s: try in %(seconds)s seconds."
    for seconds in (3, 40, 500):
        parts = {"message": template, "params": {"code": 45009, "seconds": seconds}}
        troubled(State.FAILED, way, reason=f"Error 45009: {seconds}", reason_parts=parts)
    for number in (7, 8):
        troubled(State.FAILED, way, reason=f"KeyError: row {number}")
    troubled(State.FAILED, other, reason="KeyError: row 7")
    found = inbox.causes()
    assert sorted((one.account_id, one.count) for one in found) == sorted(
        [(way.id, 3), (way.id, 2), (other.id, 1)]
    )
    shown = inbox.gathered(found, Wanted(), each=2)
    assert sorted(len(group.rows) for group in shown) == [1, 2, 2]
    both = next(one for one in found if one.count == 2)
    assert len(session.scalars(inbox.of_cause(both, Wanted())).unique().all()) == 2


def test_every_publication_is_in_at_most_one_trouble() -> None:
    way = account()
    late = now() - timedelta(minutes=1)
    every = [troubled(state, way) for state in State]
    both = troubled(
        State.HANDED_OVER, way, confirm_by=late, wish=Act.WITHDRAW, wish_at=late, wish_tries=9
    )
    calm = troubled(State.HANDED_OVER, way, confirm_by=now() + timedelta(hours=3))
    stuck = troubled(
        State.HANDED_OVER,
        way,
        confirm_by=now() + timedelta(hours=3),
        wish=Act.AMEND,
        wish_at=now() - timedelta(hours=1),
    )
    found = inbox.causes()
    ids = [
        row.id
        for cause in found
        for row in session.scalars(inbox.of_cause(cause, Wanted())).unique()
    ]
    assert len(ids) == len(set(ids)) == inbox.count() == sum(one.count for one in found)
    assert {inbox.trouble_of(one) for one in every} == {
        None,
        Trouble.FAILED,
        Trouble.UNCERTAIN,
        Trouble.HELD,
        Trouble.MISSED,
    }
    assert inbox.trouble_of(both) is Trouble.EXPIRED
    assert inbox.trouble_of(calm) is None
    assert inbox.trouble_of(stuck) is Trouble.WISH


def test_the_most_urgent_stands_first() -> None:
    way = account()
    for state in (State.MISSED, State.HELD, State.FAILED, State.UNCERTAIN):
        troubled(state, way)
    assert [one.trouble for one in inbox.causes()] == [
        Trouble.UNCERTAIN,
        Trouble.FAILED,
        Trouble.HELD,
        Trouble.MISSED,
    ]


def test_a_cause_keeps_its_name_and_narrows_the_rest() -> None:
    way = account()
    first = troubled(State.FAILED, way, reason="Row 1 is broken")
    key = inbox.causes()[0].key
    troubled(State.FAILED, way, reason="Row 22 is broken")
    troubled(State.FAILED, way, reason="Something else")
    (one,) = inbox.causes(Wanted(key=key))
    assert (one.key, one.count) == (key, 2)
    assert [row.count for row in inbox.causes(Wanted(pool_id=first.pool_id))] == [1]


def test_the_count_costs_one_query_and_reads_nothing_that_is_over(
    count_queries: Callable[[], Any],
) -> None:
    troubled(State.FAILED, account())
    with count_queries() as statements:
        assert inbox.count() == 1
    assert len(statements) == 1


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_words(trouble: Trouble) -> None:
    publication = make.post().publication
    said = advice.of(trouble, publication)
    assert said.happened
    assert said.to_do
    assert trouble in advice.ACTIONS


def test_a_known_reason_has_its_own_advice() -> None:
    held = Publication(reason=receipts.CREDENTIALS, reason_parts={})
    assert "credentials" in advice.of(Trouble.HELD, held).to_do
    parts = {"message": "Error %(code)s", "params": {"code": 7}}
    said = advice.of(Trouble.FAILED, Publication(reason="Error 7", reason_parts=parts))
    assert (said.happened, said.params) == ("Error %(code)s", {"code": 7})
