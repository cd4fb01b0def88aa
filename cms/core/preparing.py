"""What a first start is busy with, told in a file, so that the pages can say it while they wait."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

NAME = "preparing.json"


@dataclass(frozen=True)
class Progress:
    """The step just done, and how many have been."""

    step: str
    done: int


def say(home: Path, step: str, done: int) -> None:
    """Tell the pages how far the preparation is."""
    beside = home / f"{NAME}.new"
    beside.write_text(json.dumps({"step": step, "done": done}))
    os.replace(beside, home / NAME)


def clear(home: Path) -> None:
    """The preparation is over, or nothing had to be prepared."""
    (home / NAME).unlink(missing_ok=True)


def progress(home: Path) -> Progress | None:
    """How far the preparation is; None when there is none."""
    try:
        told = json.loads((home / NAME).read_text())
    except FileNotFoundError:
        return None
    return Progress(told["step"], told["done"])
