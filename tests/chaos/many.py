"""Three clocks and eight workers as they would stand on several hosts, with cuts between them.

`python -m tests.chaos.many`: hosts are network namespaces where the machine allows it, else separate
processes; each host is cut off in turn, then Redis is away for a while, then the database.
"""

import argparse
import random
import secrets
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.figures import Figure, keep
from cms.core import sealing
from tests.chaos import hosts as machines
from tests.chaos.lateness import lateness_of
from tests.chaos.servers import Postgres, RedisServer
from tests.chaos.world import CLOCK, WORKER, World

CLOCKS, WORKERS, HOSTS = 3, 8, 3
LEASE = 6


class ManyWorld(World):
    """Every part runs on one of the hosts."""

    hosts: list[machines.Host] = []

    def _start(self, argv: list[str], name: str) -> Any:
        if self.hosts and name in self.parts:
            number = int(name.rpartition("-")[2])
            argv = self.hosts[number % len(self.hosts)].argv(argv)
        return super()._start(argv, name)


class Story:
    """One run: the same posts, told while things break."""

    def __init__(self, chosen: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
        self.chosen = chosen
        self.said: list[str] = []
        address = machines.SERVERS if chosen.namespaces else "127.0.0.1"
        self.hosts = stack.enter_context(machines.hosts(HOSTS)) if chosen.namespaces else []
        for name in ("pg", "redis", "home"):
            (folder / name).mkdir()
        self.database = Postgres(folder / "pg", address)
        self.redis = RedisServer(folder / "redis", address)
        for server in (self.database, self.redis):
            stack.callback(server.stop)
            server.start()
        self.database.create()
        parts = {f"clock-{number}": CLOCK for number in range(1, CLOCKS + 1)}
        parts |= {f"publish-{number}": WORKER for number in range(1, WORKERS + 1)}
        ManyWorld.hosts = self.hosts
        self.world = ManyWorld(
            folder / "home",
            self.database.url,
            parts=parts,
            REDIS_URL=self.redis.url,
            SEEDBED_SECRET_KEY=secrets.token_urlsafe(48),
            SEEDBED_CREDENTIAL_KEYS=sealing.new_key(),
            SEEDBED_LEASE_SECONDS=str(LEASE),
            SEEDBED_DEMO="off",
            STUB_BIND="0.0.0.0" if chosen.namespaces else "127.0.0.1",
        )
        stack.callback(self.world.close)
        port = int(self.world.endpoint.rpartition(":")[2])
        for host in self.hosts:
            process = machines.forwarder(host, port, folder / "home")
            stack.callback(process.kill)

    def tell(self) -> dict[str, Any]:
        chosen = self.chosen
        span = chosen.away * 2 + (chosen.cut + 5) * len(self.hosts) + 20
        query = f"script=mixed&seed={chosen.seed}&retry_after=1&seconds=0.3"
        each = str(chosen.posts // 3)
        self.world.fill("--each", each, "--within", str(span), "--query", query, within=600)
        self.world.up()
        self.rest(8)
        for host in self.hosts:
            self.broken(f"host {host.number} cut off", chosen.cut, host.cut, host.mend)
        self.broken(
            "Redis killed", chosen.away, lambda: self.redis.signal(signal.SIGKILL), self.redis.start
        )
        self.broken("database killed", chosen.away, self._kill_database, self.database.start)
        self.world.wait(self._is_settled, within=300, what="everything settled", pause=1)
        judge = self.world.judge
        return {
            "violations": judge.violations(),
            "states": dict(judge.states()),
            "uncertain": dict(judge.by_class("uncertain")),
            "lateness": lateness_of(self.world.settings.database_url, self.world.ledger),
        }

    def broken(
        self, what: str, seconds: float, harm: Callable[[], object], mend: Callable[[], object]
    ) -> None:
        self.say(f"{what} for {seconds:g} s")
        harm()
        self.rest(seconds)
        mend()
        self.rest(5)

    def rest(self, seconds: float) -> None:
        self.world.wait_for(seconds, lambda: None)

    def say(self, words: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)

    def _kill_database(self) -> None:
        self.database.signal(signal.SIGKILL)

    def _is_settled(self) -> bool:
        return self.world.judge.unsettled() == 0


def run(chosen: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="seedbed-many-", dir="/tmp"))
        folder = Path(name)
        folder.chmod(0o755)
        return Story(chosen, folder, stack).tell()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=1500)
    parser.add_argument(
        "--away", type=float, default=60, help="seconds Redis, then the database, is away"
    )
    parser.add_argument("--cut", type=float, default=20, help="seconds each host is cut off")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args()
    chosen.seed = chosen.seed if chosen.seed is not None else random.randrange(10**6)
    chosen.namespaces = machines.can_be_made()
    print(
        f"seed {chosen.seed}; hosts are {'namespaces' if chosen.namespaces else 'processes only'}"
    )
    found = run(chosen)
    print(found, flush=True)
    if chosen.keep:
        count = sum(found["states"].values())
        keep(
            [
                Figure(
                    "chaos.many.violations",
                    len(found["violations"]),
                    "count",
                    n=count,
                    seed=chosen.seed,
                )
            ]
            + [
                Figure(f"chaos.many.lateness.{name}_s", value, "s", n=count, seed=chosen.seed)
                for name, value in found["lateness"].items()
            ]
        )
    raise SystemExit(1 if found["violations"] else 0)


if __name__ == "__main__":
    main()
