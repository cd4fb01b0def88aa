"""How much waits for a person: one count, whoever tells it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cms.core.clock import now
from cms.core.db import session
from cms.core.health import Level
from schedules import account_health, inbox
from schedules.account_health import Waiting
from schedules.condition import CHECKS_OF_PUBLISHING
from schedules.models import ChannelAccount
from schedules.states import Act
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import account, change

pytestmark = pytest.mark.usefixtures("app")
PUBLISHING = CHECKS_OF_PUBLISHING[0]
HOUR = timedelta(hours=1)


def stands(way: ChannelAccount, state: State, **fields: Any) -> None:
    change(make.post(state=state, account=way).publication, **fields)


def test_the_accounts_list_the_health_and_the_inbox_say_one_number() -> None:
    """A confirmation that ran out and a stuck change wait; what still has its time does not."""
    busy, calm = account(), account()
    stands(busy, State.FAILED)
    stands(busy, State.HANDED_OVER, confirm_by=now() - HOUR)
    stands(busy, State.PUBLISHED, wish=Act.AMEND, wish_text="x", wish_at=now() - HOUR)
    stands(busy, State.SCHEDULED, due_at=now() + HOUR)
    stands(calm, State.HANDED_OVER, confirm_by=now() + 5 * HOUR)
    found = account_health.waiting([busy.id, calm.id])
    assert found == {busy.id: Waiting(to_go=1, for_a_person=3), calm.id: Waiting()}
    told = PUBLISHING.find()
    assert (told.level, told.params) == (Level.WARNING, {"count": 3})
    assert inbox.count() == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"state": State.HANDED_OVER, "confirm_by": now() - HOUR},
        {"state": State.PUBLISHED, "wish": Act.WITHDRAW, "wish_at": now() - HOUR},
    ],
)
def test_health_warns_of_what_only_the_inbox_knew(fields: dict[str, Any]) -> None:
    stands(account(), **fields)
    assert PUBLISHING.find().level is Level.WARNING


def test_a_pack_that_has_its_time_makes_nobody_wait() -> None:
    way = account()
    stands(way, State.HANDED_OVER, confirm_by=now() + 5 * HOUR)
    assert account_health.waiting([way.id])[way.id] == Waiting()
    assert PUBLISHING.find().level is Level.WELL


@pytest.mark.parametrize("many", [1, 12])
def test_many_accounts_cost_two_questions(count_queries: Callable[..., Any], many: int) -> None:
    ways = [account() for _ in range(many)]
    for way in ways:
        stands(way, State.HELD)
        stands(way, State.HANDED_OVER, confirm_by=now() - HOUR)
    ids = [way.id for way in ways]
    session.expire_all()
    with count_queries() as statements:
        found = account_health.waiting(ids)
    assert {one.for_a_person for one in found.values()} == {2}
    assert len(statements) == 2
