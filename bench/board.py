"""The week board with 1,000 posts: server time and queries, beside the same page of an empty week."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import event

from bench import worlds
from bench.figures import Figure, median, milliseconds, percentile
from bench.running import throw_away
from cms.accounts.models import Role
from cms.core.db import db
from tests import factories as make
from tests.signing_in import sign_in

POSTS = 1_000
TIMES = 15
SEED = 7


def run() -> list[Figure]:
    """The page as a planner's browser asks for it, without what the network adds."""
    with throw_away("board") as home, worlds.application(home) as app:
        monday = worlds.next_monday()
        worlds.filled_week(make.calendar(), monday, POSTS, seed=SEED)
        client = sign_in(app.test_client(), make.user(Role.PLANNER))
        full, empty = (
            f"/calendar/weeks/{day:%Y-%m-%d}" for day in (monday, monday + timedelta(days=70))
        )
        text = _page(client, full)
        shown = text.count("data-post=")
        assert shown >= POSTS, f"the board shows {shown} of {POSTS} posts"
        with _counted() as statements:
            _page(client, full)
        full_ms = [milliseconds(lambda: _page(client, full)) for _ in range(TIMES)]
        empty_ms = [milliseconds(lambda: _page(client, empty)) for _ in range(TIMES)]
    return [
        Figure(
            "board.1000_posts.p50_ms",
            median(full_ms),
            "ms",
            n=TIMES,
            seed=SEED,
            baseline=median(empty_ms),
        ),
        Figure(
            "board.1000_posts.p95_ms",
            percentile(full_ms, 0.95),
            "ms",
            n=TIMES,
            seed=SEED,
            baseline=percentile(empty_ms, 0.95),
        ),
        Figure("board.1000_posts.queries", float(len(statements)), "queries", n=1, seed=SEED),
        Figure("board.1000_posts.page_kb", round(len(text) / 1024, 1), "kB", n=1, seed=SEED),
    ]


def _page(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, f"{address}: {answer.status}"
    return answer.text


@contextmanager
def _counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
