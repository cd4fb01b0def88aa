"""Clock, worker and queue server die in the same moment, again and again."""

import os
import signal
from pathlib import Path

import pytest

from tests.chaos.world import CLOCK, WORKER, World

pytestmark = pytest.mark.processes

ROUNDS = int(os.environ.get("SEEDBED_FAULT_ROUNDS") or 2)
STRIDE = 6  # effects between two strokes, so that each meets a system at work


def test_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    world = World(tmp_path, parts={"clock": CLOCK, "publish-1": WORKER}, SEEDBED_DEMO="off")
    try:
        each = max(12, ROUNDS * STRIDE)
        world.fill("--each", str(each), "--within", "4", "--query", "script=slow&seconds=0.3")
        world.up()
        for number in range(1, ROUNDS + 1):
            wanted = number * STRIDE
            world.wait(
                lambda wanted=wanted: sum(world.judge.effects().values()) >= wanted,
                within=120,
                what=f"{wanted} effects",
                pause=0.02,
            )
            victims = [*world.parts, "broker"]
            pids = {victim: world.process_of(victim) for victim in victims}
            for victim in victims:
                world.kill(victim, signal.SIGKILL)
            for victim, process in pids.items():
                assert process is not None, victim
                assert process.wait(10) == -signal.SIGKILL, victim
        world.wait(world.judge.is_settled, within=150, what="everything settled")
        assert world.judge.violations() == []
        assert set(world.judge.by_class("uncertain")) <= {"N"}
        assert sum(world.judge.states().values()) == 3 * each
    finally:
        world.close()
