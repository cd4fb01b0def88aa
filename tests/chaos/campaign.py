"""`make chaos`: a thousand random kills and freezes over twenty thousand publications, and the count.

Prints its seed first; the same seed gives the same victims, pauses and carrier answers. What the
scheduler of the machine does between them is never the same twice.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from bench.figures import Figure, keep
from cms.core import ports
from tests.chaos.lateness import lateness_of
from tests.chaos.servers import Postgres
from tests.chaos.world import CLOCK, WORKER, World

PASSWORD = "a long enough password"
LEASE = 6
CLASSES = "KQN"
ACCOUNTS = 3
FILL_SECONDS = 0.003  # for each publication: nothing falls due before all are there
SETTLE_IN = 20.0  # more, for the processes to start
FREEZES = 0.3  # of all interventions; the rest are kills


class Campaign:
    """One run on one database: everything that happened, and what the judge says at the end."""

    def __init__(self, chosen: argparse.Namespace, home: Path) -> None:
        self.chosen = chosen
        self.dice = random.Random(chosen.seed)
        self.database = self._database(home)
        self.port = ports.free()
        web = ["-m", "gunicorn", "-c", "python:cms.cli.web_server", "wsgi:app"]
        self.web = [sys.executable, *web]
        parts = {"clock-1": CLOCK, "clock-2": CLOCK}
        parts |= {f"publish-{number}": WORKER for number in range(1, chosen.workers + 1)}
        self.world = World(
            home,
            self.database.url if self.database else "",
            parts=parts,
            SEEDBED_LEASE_SECONDS=str(LEASE),
            PORT=str(self.port),
            SEEDBED_DEMO="off",
        )
        self.world.commands["web"] = self.web
        self.thaws: list[tuple[float, Any]] = []
        self.done = {"killed": 0, "frozen": 0}
        self.by_victim: dict[str, int] = {}

    def _database(self, home: Path) -> Postgres | None:
        if self.chosen.database == "sqlite":
            return None
        folder = Path(tempfile.mkdtemp(prefix="seedbed-pg-", dir=home.parent))
        folder.chmod(0o755)
        home.parent.chmod(0o755)
        server = Postgres(folder)
        server.start()
        server.create()
        return server

    def run(self) -> dict[str, Any]:
        each = self.chosen.posts // (len(CLASSES) * ACCOUNTS)
        by_web = max(1, each // 40)
        within = self.chosen.kills / self.chosen.pace
        query = f"script=mixed&seed={self.chosen.seed}&retry_after=1&seconds=0.3"
        delay = self.chosen.posts * FILL_SECONDS + SETTLE_IN
        words = (
            f"--copied --each {each} --accounts {ACCOUNTS} --unapproved 3 --by-web {by_web}".split()
        )
        words += ["--within", str(within), "--delay", str(delay)]
        words += ["--password", PASSWORD, "--query", query]
        self.say(f"filling {each * len(CLASSES) * ACCOUNTS} publications")
        self.world.fill(*words, within=1800)
        waiting = self.world.judge.submitted()
        self.world.up()
        approver = self._approver(waiting[: by_web * len(CLASSES) * ACCOUNTS])
        self.harm()
        self.say("no more harm; waiting until everything is settled")
        self.world.wait(lambda: self._is_through(approver), within=600, what="approvals")
        self.world.wait(self._is_settled, within=1800, what="everything settled", pause=1)
        return self.verdict(approver.returncode)

    def _approver(self, posts: list[int]) -> subprocess.Popen[bytes]:
        login = self.world.log("tests.chaos.fill").split()[-1]
        url = f"http://127.0.0.1:{self.port}"
        pause = self.chosen.kills / self.chosen.pace / (len(posts) + 1) * 0.8
        words = [url, login, PASSWORD, str(posts), "--pause", str(pause)]
        return self.world._python("tests.chaos.approver", *words)

    def harm(self) -> None:
        victims = [*self.world.parts, "web", "web-child", "broker"]
        victims += ["database"] if self.database else []
        began = time.monotonic()
        while (number := sum(self.done.values())) < self.chosen.kills:
            victim = self.dice.choice(victims)
            freezes = self.dice.random() < FREEZES
            span = self.dice.uniform(0.5, 1.5 * LEASE)
            pause = self.dice.uniform(0.2, 2 / self.chosen.pace - 0.2)
            was_there = self.hurt(victim, span if freezes else 0.0)
            self.world.wait_for(pause, self._turn)
            if was_there and number % 50 == 49:
                spent = time.monotonic() - began
                self.say(f"{number + 1} of {self.chosen.kills} after {spent:.0f} s: {self._look()}")

    def _look(self) -> str:
        """Counted while things are broken: a frozen database would keep the question for ever."""
        if self.thaws:
            return "something is frozen"
        try:
            return str(dict(self.world.judge.states_quickly()))
        except OperationalError:
            return "the database is away"

    def hurt(self, victim: str, span: float) -> bool:
        """Kill it, or freeze it for `span` seconds; False when it is down already."""
        target = self._target(victim)
        if target is None:
            return False
        self.by_victim[victim] = self.by_victim.get(victim, 0) + 1
        how = signal.SIGSTOP if span else signal.SIGKILL
        target(how)
        self.done["frozen" if span else "killed"] += 1
        if span:
            self.thaws.append((time.monotonic() + span, target))
        return True

    def _target(self, victim: str) -> Any:
        if victim == "database":
            return self.database.signal if self.database else None
        process = self.world.process_of("web" if victim == "web-child" else victim)
        if process is None or process.poll() is not None:
            return None
        if victim == "web-child":
            return self.world.child_of(process)
        return lambda how: process.poll() is None and process.send_signal(how)

    def _turn(self) -> None:
        moment = time.monotonic()
        for due, target in self.thaws:
            if due <= moment:
                target(signal.SIGCONT)
        self.thaws = [one for one in self.thaws if one[0] > moment]
        if self.database and not self.database.is_alive():
            self.database.launch()

    def _is_through(self, approver: subprocess.Popen[bytes]) -> bool:
        """Who was frozen last is thawed meanwhile: on SQLite it may hold the one write lock."""
        self._turn()
        return approver.poll() is not None

    def _is_settled(self) -> bool:
        self._turn()
        return not self.thaws and self.world.judge.unsettled() == 0

    def verdict(self, approver: int) -> dict[str, Any]:
        judge = self.world.judge
        violations = judge.violations()
        effects = judge.effects()
        uncertain = judge.by_class("uncertain")
        if approver:
            violations.append(f"the approving browser ended with {approver}")
        if set(uncertain) - {"N"}:
            violations.append(f"uncertain beyond class N: {dict(uncertain)}")
        return {
            "violations": violations,
            "states": dict(judge.states()),
            "uncertain": dict(uncertain),
            "held": sum(judge.by_class("held").values()),  # its workers died three times over it
            "effects": sum(effects.values()),
            "doubled": sum(1 for times in effects.values() if times > 1),
            "lost": sum("I1" in one or "I4" in one for one in violations),
            "false": sum("I3" in one for one in violations),
            "lateness": lateness_of(self.world.settings.database_url, self.world.ledger),
        }

    def say(self, words: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {self.chosen.database}: {words}", flush=True)

    def close(self) -> None:
        for _due, target in self.thaws:
            target(signal.SIGCONT)
        self.world.close()
        if self.database:
            self.database.stop()


def figures(
    chosen: argparse.Namespace, found: dict[str, Any], harm: dict[str, int]
) -> list[Figure]:
    start = f"chaos.{chosen.database}"
    count = sum(found["states"].values())
    given = {
        "killed": harm["killed"],
        "frozen": harm["frozen"],
        "lost": found["lost"],
        "doubled": found["doubled"],
        "falsely_published": found["false"],
        "uncertain_on_n": found["uncertain"].get("N", 0),
        "held_after_three_crashes": found["held"],
    }
    return [
        Figure(f"{start}.{name}", value, "count", n=count, seed=chosen.seed)
        for name, value in given.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--pace", type=float, default=0.9, help="kills a second, on average")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument(
        "--keep", action="store_true", help="write the figures to bench/results.jsonl"
    )
    chosen = parser.parse_args()
    chosen.seed = chosen.seed if chosen.seed is not None else random.randrange(10**6)
    with tempfile.TemporaryDirectory(prefix="seedbed-chaos-", dir="/tmp") as name:
        home = Path(name) / "home"
        home.mkdir()
        campaign = Campaign(chosen, home)
        campaign.say(f"seed {chosen.seed}: {chosen.kills} kills over {chosen.posts} publications")
        try:
            found = campaign.run()
        finally:
            campaign.close()
            if os.environ.get("SEEDBED_CHAOS_KEEP"):
                shutil.copytree(
                    home,
                    os.environ["SEEDBED_CHAOS_KEEP"],
                    dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("*.sock"),
                )
    print(found | {"harm": campaign.done, "victims": campaign.by_victim}, flush=True)
    if chosen.keep:
        keep(figures(chosen, found, campaign.done))
    raise SystemExit(1 if found["violations"] else 0)


if __name__ == "__main__":
    main()
