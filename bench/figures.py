"""What a measurement is, and how figures are kept: JSON lines for machines, a table for people."""

import json
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results.jsonl"
TABLE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Figure:
    """One measured value. `baseline` was measured in the same run; `ratio` is value / baseline."""

    name: str
    value: float
    unit: str
    n: int
    seed: int | None = None
    baseline: float | None = None

    @property
    def ratio(self) -> float | None:
        return round(self.value / self.baseline, 3) if self.baseline else None

    def line(self) -> str:
        fields = asdict(self) | {"ratio": self.ratio}
        return json.dumps(fields, sort_keys=True)


def milliseconds(work: Callable[[], object]) -> float:
    """How long one call took."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which that share (0..1) of the values lies; nearest rank."""
    ordered = sorted(values)
    rank = max(0, min(len(ordered) - 1, round(share * len(ordered)) - 1))
    return round(ordered[rank], 3)


def median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 3)


def keep(figures: list[Figure]) -> None:
    """Replace the kept figures of the same names by these, and write the table anew."""
    names = {figure.name for figure in figures}
    kept = []
    if RESULTS.exists():
        kept = [
            line
            for line in RESULTS.read_text().splitlines()
            if line and json.loads(line)["name"] not in names
        ]
    lines = [*kept, *(figure.line() for figure in figures)]
    lines.sort(key=lambda line: str(json.loads(line)["name"]))
    RESULTS.write_text("\n".join(lines) + "\n")
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(_table([json.loads(line) for line in lines]))


def _table(rows: list[dict]) -> str:
    head = [
        "# Benchmarks",
        "",
        "Written by `make bench`, and `chaos.*` by `make chaos`; do not edit. Times differ from machine",
        "to machine: read the ratio, whose baseline was measured in the same run. Values without a",
        "baseline stand alone.",
        "",
        f"Last run {datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}.",
        "",
        "| figure | value | unit | baseline | ratio | n | seed |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    body = [
        "| {name} | {value} | {unit} | {baseline} | {ratio} | {n} | {seed} |".format(
            **row | {key: _shown(row[key]) for key in ("value", "baseline", "ratio", "seed")}
        )
        for row in rows
    ]
    return "\n".join([*head, *body]) + "\n"


def _shown(value: float | None) -> str:
    """Whole numbers whole, the rest to six figures."""
    if value is None:
        return "–"
    return str(int(value)) if value == int(value) else format(value, "g")
