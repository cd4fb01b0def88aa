"""Real processes killed at every named place and at random; the stub's ledger is the judge."""

import json
import os
import random
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cms.core.faults import FAULTS, fired
from tests.chaos.campaign import Campaign
from tests.chaos.world import World

pytestmark = pytest.mark.chaos
NewWorld = Callable[..., World]

# How many passages to let through first, so that the places are met in the thick of it.
PLACES = {
    "sweep.before_hint": 1,
    "sweep.after_hint": 2,
    "clock.turn": 6,
    "worker.dequeued": 2,
    "publish.before_claim": 5,
    "publish.after_claim": 2,
    "publish.after_attempt": 2,
    "publish.before_send": 3,
    "publish.after_send": 3,
    "publish.after_record": 4,
    "worker.done": 1,
    "reconcile.before": 1,
    "reconcile.after": 1,
}
WISHES = ("wish.after_attempt", "wish.after_call")
DECISIONS = ("approve.before_commit", "approve.after_commit")


def settle(world: World, within: float = 150) -> None:
    world.wait(world.judge.is_settled, within=within, what=f"settled: {world.judge.states()}")


def test_every_place_of_publishing_is_known() -> None:
    """A new fault point must be killed here too."""
    ours = {name for name in FAULTS if name.split(".")[0] in ("publish", "sweep", "reconcile")}
    assert ours <= set(PLACES)
    assert {name for name in FAULTS if name.startswith("approve")} == set(DECISIONS)
    assert {name for name in FAULTS if name.startswith("wish")} == set(WISHES)


def test_killed_once_at_every_place(new_world: NewWorld) -> None:
    orders = ",".join(f"{name}:kill9:{passage}" for name, passage in PLACES.items())
    world = new_world(FAULT=orders)

    def is_done() -> bool:
        return set(fired(world.home)) == set(PLACES)

    world.fill("--each", "40", "--unapproved", "2", "--within", "12", "--query", "script=ok")
    world.up()
    for _round in range(4):  # on a busy machine the posts may be gone before every place was met
        world.wait(lambda: is_done() or world.judge.is_settled(), within=90, what="kills or rest")
        if is_done():
            break
        world.fill("--each", "20", "--within", "5", "--query", "script=ok")
    assert is_done(), set(PLACES) - set(fired(world.home))
    settle(world)
    assert world.judge.violations() == []
    assert set(world.judge.by_class("uncertain")) <= {"N"}
    assert world.judge.states()["missed"] == 0


@pytest.mark.parametrize(("place", "approved"), [(DECISIONS[0], 0), (DECISIONS[1], 1)])
def test_killed_while_approving(new_world: NewWorld, place: str, approved: int) -> None:
    """Before the commit nothing is approved; after it, once. Saying it again is harmless."""
    world = new_world(FAULT=f"{place}:kill9")
    world.fill("--classes", "K", "--each", "0", "--unapproved", "1")
    post = world.judge.rows()[0].post_id
    assert world.decide("approve", post) == -9
    assert sum(world.judge.states().values()) == approved
    world.up()
    if not approved:
        assert world.judge.violations() == []
    assert world.decide("approve", post) == 0
    settle(world)
    assert world.judge.states() == {"published": 1}
    assert world.judge.violations() == []


def test_killed_while_taking_back(new_world: NewWorld) -> None:
    """Before and after the carrier was told: it is tried until it is done, and done once."""
    world = new_world(FAULT=",".join(f"{place}:kill9" for place in WISHES))
    world.run("tests.chaos.live_one")
    world.up()

    def row() -> Any:
        asked = text("SELECT id, state, wish, wish_tries, withdrawn_at FROM publications")
        with world.judge.engine.connect() as connection:
            return connection.execute(asked).one()

    world.wait(lambda: row().withdrawn_at is not None, within=90, what="taken back")
    assert set(fired(world.home)) == set(WISHES)
    assert (row().state, row().wish, row().wish_tries) == ("published", None, 0)
    tries = text("SELECT outcome FROM attempts WHERE act = 'withdraw' ORDER BY fence")
    trail = text("SELECT count(*) FROM audit_entries WHERE action = 'publication.withdrawn'")
    with world.judge.engine.connect() as connection:
        assert list(connection.execute(tries).scalars()) == ["uncertain", "uncertain", "accepted"]
        assert connection.execute(trail).scalar() == 1
    (ledger,) = (world.home / "sandbox").glob("*.jsonl")
    kinds = [json.loads(line).get("kind") for line in ledger.read_text().splitlines()]
    assert kinds == [None, "withdrawn"]


def test_sixty_kills_and_freezes(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The campaign of `make chaos`, shortened: web, clocks, workers and broker, some approved by web."""
    seed = int(os.environ.get("SEEDBED_CHAOS_SEED") or random.randrange(10**6))
    print(f"SEEDBED_CHAOS_SEED={seed}")
    database = request.config.getoption("--database")
    chosen = Namespace(database=database, posts=450, kills=60, pace=1.5, workers=2, seed=seed)
    (tmp_path / "home").mkdir()
    campaign = Campaign(chosen, tmp_path / "home")
    try:
        found = campaign.run()
    finally:
        campaign.close()
    assert found["violations"] == []
    assert found["lost"] == found["doubled"] == found["false"] == 0
    assert set(found["uncertain"]) <= {"N"}
    assert sum(found["states"].values()) == 450
    assert found["states"]["published"] > 380
    assert "missed" not in found["states"]
    assert sum(campaign.done.values()) >= 50  # a victim that was just dead is not counted
