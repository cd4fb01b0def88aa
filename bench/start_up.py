"""How long a person waits: for the first page, for the demo world, and at every later start."""

from bench.figures import Figure, median
from bench.running import system

LATER_STARTS = 3


def run() -> list[Figure]:
    """One first start on an empty data directory, then later ones on the same."""
    with system("start") as one:
        first = one.up()
        loaded = one.seconds_until_ready
        later = []
        for _ in range(LATER_STARTS):
            one.stop()
            later.append(one.up())
    return [
        Figure("start_up.first.s", round(first, 2), "s", n=1),
        Figure("start_up.demo_loaded.s", round(loaded, 2), "s", n=1),
        Figure("start_up.later.p50_s", median(later), "s", n=LATER_STARTS),
    ]
