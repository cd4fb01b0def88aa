"""Each safety rule is needed: with it the judge is content, without it the same story goes wrong."""

import os
import signal
from collections.abc import Callable

import pytest

from tests.chaos.world import World

pytestmark = pytest.mark.chaos
NewWorld = Callable[..., World]


def verdict(world: World, *, has_rule: bool) -> None:
    """Content with the rule; without it, the effect that must happen once happened twice."""
    if has_rule:
        assert world.judge.violations() == []
    else:
        assert any("I2" in fault for fault in world.judge.violations()), world.judge.rows()


def settled(world: World, within: float = 90) -> None:
    world.wait(world.judge.is_settled, within=within, what="every publication settled")


def happened(world: World, times: int) -> Callable[[], bool]:
    return lambda: sum(world.judge.effects().values()) >= times


@pytest.mark.parametrize("has_rule", [True, False], ids=["on", "off"])
def test_the_attempt_is_written_before_sending(new_world: NewWorld, has_rule: bool) -> None:
    """A worker dies right after the carrier took the post, which cannot be asked about it."""
    off = {} if has_rule else {"SEEDBED_DISABLE": "attempt_first"}
    world = new_world(FAULT="publish.after_send:kill9", **off)
    world.fill("--classes", "N")
    world.up()
    settled(world)
    verdict(world, has_rule=has_rule)
    assert has_rule is (world.judge.states() == {"uncertain": 1})


@pytest.mark.parametrize("has_rule", [True, False], ids=["on", "off"])
def test_results_are_fenced(new_world: NewWorld, has_rule: bool) -> None:
    """A worker freezes holding the answer "wait"; another sends meanwhile; then it thaws."""
    off = {} if has_rule else {"SEEDBED_DISABLE": "fence"}
    world = new_world(FAULT="publish.after_send:stop", **off)
    world.fill("--classes", "N", "--query", "script=429,slow,ok&seconds=1.7&retry_after=1")
    world.up()
    world.wait(world.frozen, within=60, what="a frozen worker")
    frozen = world.frozen()
    world.wait(lambda: world.judge.states() == {"uncertain": 1}, within=60, what="lease over")
    assert world.decide("again", world.judge.rows()[0].id) == 0
    world.wait(happened(world, 1), within=60, what="the second worker's call")
    assert frozen is not None
    os.kill(frozen, signal.SIGCONT)
    if not has_rule:
        world.wait(happened(world, 2), within=60, what="the post sent a second time")
    settled(world)
    verdict(world, has_rule=has_rule)


@pytest.mark.parametrize("has_rule", [True, False], ids=["on", "off"])
def test_an_occurrence_is_unique(new_world: NewWorld, has_rule: bool) -> None:
    """Two processes plan and schedule the same post."""
    off = {} if has_rule else {"SEEDBED_DISABLE": "unique"}
    world = new_world(**off)
    world.fill("--twice")
    world.up()
    world.wait(happened(world, 3 if has_rule else 6), within=60, what="everything sent")
    settled(world)
    verdict(world, has_rule=has_rule)
