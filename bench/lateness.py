"""How late posts leave: in health, and when one thing, or everything, is killed in the middle."""

import signal
import sys
import time
from contextlib import nullcontext

from sqlalchemy import text

from bench.figures import Figure
from bench.running import throw_away
from cms.core.faults import fired
from tests.chaos.lateness import instant, lateness_of
from tests.chaos.servers import Postgres
from tests.chaos.world import World

SPAN = 60.0  # seconds over which posts fall due
EVERY = 0.5  # seconds between two of them
LEAD = 12.0  # for the processes to start in
STROKE = 12.0  # seconds after the first post is due
TAKES = 1.0  # seconds a call lasts
# The worst place for a worker to die: its post is claimed, and nothing has left. In service only the
# end of its lease brings it back. A kill from outside would hardly ever meet these milliseconds.
WORST = "publish.before_send"
PASSAGE = 15  # of the worker that comes there first
LEASE = 40  # as it is in service
TARGETS = {"healthy": 10.0}
TARGET = 60.0  # after any kill
KINDS = {
    "healthy": (),
    "worker": (WORST,),
    "clock": ("clock",),
    "broker": ("broker",),
    "everything": (WORST, "clock", "publish-1", "publish-2", "broker"),
    "database": ("database",),
}


def run() -> list[Figure]:
    """Each kind of kill on an installation of its own; the database's on PostgreSQL."""
    return [figure for kind in KINDS for figure in of_kind(kind)]


def of_kind(kind: str) -> list[Figure]:
    """p50, p95, p99 and the longest, in seconds, by the carrier's own ledger."""
    server = Postgres.running() if kind == "database" else nullcontext()
    with throw_away("late") as home, server as database:
        world = World(
            home,
            database.url if database else "",
            SEEDBED_LEASE_SECONDS=str(LEASE),
            SEEDBED_DEMO="off",
            FAULT=f"{WORST}:kill9:{PASSAGE}" if WORST in KINDS[kind] else "",
        )
        try:
            late = _told(world, kind, database)
        finally:
            world.close()
    count = round(SPAN / EVERY)
    figures = [Figure(f"lateness.{kind}.{name}_s", late[name], "s", n=count) for name in late]
    if late["p99"] > TARGETS.get(kind, TARGET):
        print(f"  {kind}: p99 {late['p99']} s misses its target", flush=True)
    return figures


def _told(world: World, kind: str, database: Postgres | None) -> dict[str, float]:
    count = round(SPAN / EVERY)
    words = ["--classes", "KQ", "--each", str(count // 2), "--within", str(SPAN)]
    words += ["--delay", str(LEAD), "--query", f"script=slow&seconds={TAKES}"]
    world.fill(*words)
    world.up()
    with world.judge.engine.connect() as connection:
        first = connection.execute(text("SELECT min(publish_at) FROM posts")).scalar()
    world.wait_for(instant(first) + STROKE - time.time(), lambda: None)
    for victim in KINDS[kind]:
        _kill(world, victim, database)
    world.wait(lambda: world.judge.unsettled() == 0, within=240, what="all out", pause=0.5)
    effects = world.judge.effects()
    assert len(effects) == sum(effects.values()) == count, "lost or doubled: no figure is worth it"
    assert world.judge.violations() == []
    return lateness_of(world.settings.database_url, world.ledger)


def _kill(world: World, victim: str, database: Postgres | None) -> None:
    if victim == WORST:
        world.wait(lambda: list(fired(world.home)), within=SPAN, what="a worker dead", pause=0.01)
    elif victim != "database":
        world.kill(victim)
    elif database:
        database.signal(signal.SIGKILL)
        assert database.process is not None
        database.process.wait()
        database.start()


if __name__ == "__main__":
    for kind in sys.argv[1:] or KINDS:
        for figure in of_kind(kind):
            print(figure.line(), flush=True)
