"""`make bench`: runs every benchmark, or those named on the command line, and keeps the figures."""

import importlib
import sys

from bench.figures import keep

BENCHES = (
    "search",
    "board",
    "redirect",
    "publishing",
    "overhead",
    "lateness",
    "ledger",
    "start_up",
)


def main(names: list[str]) -> int:
    """Run the benchmarks one after another; a failing one stops the run."""
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
        return 2
    for name in names or BENCHES:
        print(f"— {name}", flush=True)
        figures = importlib.import_module(f"bench.{name}").run()
        for figure in figures:
            print(" ", figure.line(), flush=True)
        keep(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
