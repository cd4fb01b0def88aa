"""How many posts a minute leave through a carrier that takes 200 ms, with the real clock and workers."""

import json
import threading
import time
import urllib.request
from bisect import bisect_left
from datetime import timedelta

from sqlalchemy import func, select

from bench import worlds
from bench.figures import Figure, percentile
from bench.running import System, eventually, system
from cms.core.clock import now
from cms.core.db import session
from schedules.jobs import THREADS
from schedules.models import Attempt, Post, Publication
from schedules.states import PublicationState

POSTS = 400
LATENCY = 0.2
MINUTE = 1000
ACCOUNTS = 10
PER_MINUTE = 80  # so that the limits bite: at 100 a minute there would be nothing to exceed
LEAD = 30.0  # seconds for everything to start in
WORKERS = 2


def run() -> list[Figure]:
    """As fast as a carrier of 200 ms lets them; then a thousand of one minute, each account at its pace."""
    return [*_rate(), *_minute()]


def _rate() -> list[Figure]:
    """Posts due at once through `flask up`, and the same number of bare calls to the same carrier."""
    with system("publishing", SEEDBED_ENV="test", SEEDBED_PUBLISH_WORKERS=str(WORKERS)) as one:
        endpoint = _carrier(one)
        bare = _bare_calls(endpoint)
        _fill(one, endpoint)
        one.up()
        seconds, lateness = _watched(one)
        effects = [json.loads(line) for line in (one.home / "ledger").read_text().splitlines()]
        posts = [effect["key"] for effect in effects if not effect["key"].startswith("bare-")]
        assert len(posts) == len(set(posts)) == POSTS, (
            "lost or doubled posts: no figure is worth it"
        )
    rate = POSTS / seconds * 60
    return [
        Figure("publishing.rate.per_min", round(rate, 1), "posts/min", n=POSTS, baseline=bare),
        Figure("publishing.last_post.after_s", percentile(lateness, 1.0), "s", n=POSTS),
    ]


def _minute() -> list[Figure]:
    """All due at one moment on ten accounts that may send 80 a minute: none may ever send more."""
    with system("minute", SEEDBED_ENV="test", SEEDBED_PUBLISH_WORKERS=str(WORKERS)) as one:
        endpoint = _carrier(one)
        with worlds.application(one.home):
            ways = _ways(endpoint)
            start = now() + timedelta(seconds=LEAD)
            for way in ways:
                worlds.approved_posts(way, MINUTE // ACCOUNTS, due=start)
            account_of = dict(session.execute(select(Post.id, Post.account_id)).all())
        one.up()
        ledger = one.home / "ledger"
        eventually(
            lambda: ledger.exists() and len(ledger.read_text().splitlines()) >= MINUTE,
            within=LEAD + 300,
            pause=0.5,
            what="a thousand posts",
        )
        effects = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert len({effect["key"] for effect in effects}) == len(effects) == MINUTE, "lost or doubled"
    times: dict[int, list[float]] = {}
    for effect in effects:
        times.setdefault(account_of[effect["post"]], []).append(effect["at"])
    most = max(_most_in_a_minute(sorted(moments)) for moments in times.values())
    assert most <= PER_MINUTE, f"an account sent {most} in one minute and may send {PER_MINUTE}"
    last = max(effect["at"] for effect in effects) - start.timestamp()
    return [
        Figure("publishing.minute_of_1000.last_after_s", round(last, 2), "s", n=MINUTE),
        Figure("publishing.minute_of_1000.most_per_account", most, "posts/min", n=ACCOUNTS),
    ]


def _ways(endpoint: str) -> list[worlds.Way]:
    settings = {"endpoint": endpoint, "class": "K"}
    return [
        worlds.way(channel="sandbox", per_minute=PER_MINUTE, settings=settings)
        for _ in range(ACCOUNTS)
    ]


def _most_in_a_minute(moments: list[float]) -> int:
    """The most in any sixty seconds, wherever they begin."""
    return max(bisect_left(moments, first + 60) - place for place, first in enumerate(moments))


def _carrier(one: System) -> str:
    """A carrier in a process of its own, with its own ledger."""
    port_file = one.home / "carrier.port"
    one.start("tests.chaos.stub_channel", str(one.home / "ledger"), str(port_file))
    eventually(port_file.exists, what="the carrier")
    return f"http://127.0.0.1:{port_file.read_text()}/K?script=slow&seconds={LATENCY}"


def _bare_calls(endpoint: str) -> float:
    """Calls a minute by as many threads as all workers have, with nothing planned or remembered."""
    numbers, lock = iter(range(POSTS)), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            body = {"key": f"bare-{number}", "post": number, "pool": "x", "text": "x"}
            request = urllib.request.Request(endpoint, json.dumps(body).encode())
            with urllib.request.urlopen(request, timeout=30) as answer:
                answer.read()

    threads = [threading.Thread(target=work) for _ in range(THREADS * WORKERS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(POSTS / (time.perf_counter() - started) * 60, 1)


def _fill(one: System, endpoint: str) -> None:
    with worlds.application(one.home):
        way = worlds.way(
            channel="sandbox",
            per_minute=60_000,
            settings={"endpoint": endpoint, "class": "K"},
        )
        worlds.approved_posts(way, POSTS, due=now())


def _watched(one: System) -> tuple[float, list[float]]:
    """Seconds from the first attempt to the last answer, and how long after the start each left."""
    with worlds.application(one.home):
        published = select(func.count()).where(Publication.state == PublicationState.PUBLISHED)

        def all_out() -> bool:
            session.rollback()
            return session.scalar(published) == POSTS

        eventually(all_out, within=180, pause=0.5, what="all posts published")
        times = session.execute(select(Attempt.started_at, Attempt.finished_at)).all()
    first = min(start for start, _end in times)
    ends = [(end - first).total_seconds() for _start, end in times]
    return max(ends), ends
