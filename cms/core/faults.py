"""Named places where a test may kill, freeze, delay or break a running process."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FAULTS: set[str] = set()  # every place that exists; filled by `declare` when modules are imported
ACTIONS = ("kill9", "stop", "raise", "sleep")


class FaultRaised(Exception):
    """What the action `raise` raises: no code of ours may expect it."""


@dataclass(frozen=True)
class Order:
    """One wish from the FAULT setting."""

    name: str
    action: str
    seconds: float = 0.0
    passage: int | None = None  # None: at every passage


_orders: dict[str, Order] = {}
_passages: Counter[str] = Counter()
_marks: Path | None = None


def declare(*names: str) -> None:
    """Say at import time which places a module has, so that a test can list them all."""
    FAULTS.update(names)


def fault(name: str) -> None:
    """Mark a place. Costs one look at an empty dict unless a test armed something."""
    if _orders:
        _pass(name)


def arm(specification: str, home: Path) -> None:
    """Take the FAULT setting, `name:action[:n]` separated by commas; empty disarms.

    Settings hand it over in test mode only. `kill9` and `stop` happen once per data directory:
    the process started instead of the dead one inherits the setting and must survive the place.
    """
    global _marks
    _orders.clear()
    _passages.clear()
    for wish in filter(None, (part.strip() for part in specification.split(","))):
        order = _read(wish)
        _orders[order.name] = order
    _marks = home / "faults"
    if _orders:
        _marks.mkdir(mode=0o700, parents=True, exist_ok=True)


def unknown() -> list[str]:
    """Armed names that no module declared: a misspelt fault would make a test prove nothing."""
    return sorted(set(_orders) - FAULTS)


def fired(home: Path) -> Iterable[str]:
    """Names of the places where a process of this data directory was killed or stopped."""
    marks = home / "faults"
    return sorted(mark.name for mark in marks.iterdir()) if marks.is_dir() else []


def _read(wish: str) -> Order:
    name, _, rest = wish.partition(":")
    action, _, passage = rest.partition(":")
    action, _, seconds = action.partition("=")
    if action not in ACTIONS or not name or (passage and not passage.isdigit()):
        raise ValueError(
            f"FAULT: {wish!r} is not name:action[:n] with {', '.join(ACTIONS)}=SECONDS"
        )
    if (action == "sleep") is not bool(seconds):
        raise ValueError(f"FAULT: {wish!r}: sleep, and only sleep, takes =SECONDS")
    return Order(name, action, float(seconds or 0), int(passage) if passage else None)


def _pass(name: str) -> None:
    if name not in FAULTS:
        raise LookupError(f"fault point {name!r} is not declared")
    order = _orders.get(name)
    if order is None:
        return
    _passages[name] += 1
    if order.passage not in (None, _passages[name]):
        return
    match order.action:
        case "sleep":
            time.sleep(order.seconds)
        case "raise":
            raise FaultRaised(name)
        case "kill9" if _is_first(name):
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop" if _is_first(name):
            # To this very thread: with another to take the signal, this one would run on a little.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def _is_first(name: str) -> bool:
    if _marks is None:
        return False
    try:
        (_marks / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
