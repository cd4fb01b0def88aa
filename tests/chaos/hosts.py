"""Several hosts on one machine: each in a network namespace of its own, joined to the servers by a wire
that can be cut."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cms.core.config import ROOT

SERVERS = "10.77.0.1"  # where database, Redis and the stub channel are met from every host


def can_be_made() -> bool:
    """Whether this machine lets us make namespaces: root, and a kernel that allows them."""
    if os.geteuid() != 0:
        return False
    done = subprocess.run(["ip", "netns", "add", "seedbed-probe"], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", "seedbed-probe"], capture_output=True, check=False)
    return done.returncode == 0


class Host:
    """One namespace and its wire."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"seedbed-{os.getpid()}-{number}"
        self.wire = f"sb{os.getpid() % 100000}x{number}"
        self.far = f"{self.wire}b"

    def make(self) -> None:
        near, far = f"10.77.{self.number}.1", f"10.77.{self.number}.2"
        _ip("netns", "add", self.name)
        _ip("link", "add", self.wire, "type", "veth", "peer", "name", self.far)
        _ip("link", "set", self.far, "netns", self.name)
        _ip("addr", "add", f"{near}/24", "dev", self.wire)
        _ip("link", "set", self.wire, "up")
        self._inside("addr", "add", f"{far}/24", "dev", self.far)
        self._inside("link", "set", self.far, "up")
        self._inside("link", "set", "lo", "up")
        self._route()

    def cut(self) -> None:
        """Nothing gets through any more, and nobody is told: packets vanish."""
        _ip("link", "set", self.wire, "down")

    def mend(self) -> None:
        _ip("link", "set", self.wire, "up")
        self._route()

    def argv(self, argv: list[str]) -> list[str]:
        """The command as it runs on this host."""
        return ["ip", "netns", "exec", self.name, *argv]

    def remove(self) -> None:
        for words in (["link", "del", self.wire], ["netns", "del", self.name]):
            subprocess.run(["ip", *words], capture_output=True, check=False)

    def _route(self) -> None:
        self._inside("route", "replace", f"{SERVERS}/32", "via", f"10.77.{self.number}.1")

    def _inside(self, *words: str) -> None:
        _ip("netns", "exec", self.name, "ip", *words)


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """That many hosts; all are removed at the end."""
    made: list[Host] = []
    _ip("addr", "replace", f"{SERVERS}/32", "dev", "lo")
    try:
        for number in range(1, count + 1):
            host = Host(number)
            made.append(host)
            host.make()
        yield made
    finally:
        for host in made:
            host.remove()
        _ip("addr", "del", f"{SERVERS}/32", "dev", "lo")


def forwarder(host: Host, port: int, home: Path) -> subprocess.Popen[bytes]:
    """Let the host meet the stub channel at its own 127.0.0.1, the one private address a test may call."""
    argv = [sys.executable, "-m", "tests.chaos.forwarder", str(port), SERVERS, str(port)]
    with open(home / f"forwarder-{host.number}.log", "ab") as log:
        return subprocess.Popen(host.argv(argv), cwd=ROOT, stdout=log, stderr=log)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
