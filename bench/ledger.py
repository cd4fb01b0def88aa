"""What the ledger costs when it is old: claims, hints and sweeps with a million publications behind them."""

from datetime import timedelta

from sqlalchemy import Table, insert, literal, literal_column, select, text, update

from bench import worlds
from bench.figures import Figure, milliseconds, percentile
from bench.running import throw_away
from cms.core.clock import now
from cms.core.db import db, session, transaction
from schedules import hints, late, publishing, reconciling
from schedules.models import Post, Publication
from schedules.states import PublicationState

OLD = 1_000_000
YOUNG = 10_000
CLAIMS = 200
SWEEPS = 50
CHUNK = 50_000


def run() -> list[Figure]:
    """The same steps on a young ledger and on an old one, in one run."""
    with throw_away("ledger") as home, worlds.application(home):
        way = worlds.way(channel="sandbox", per_minute=6000, settings={"class": "K"})
        [pattern] = worlds.approved_posts(way, 1, due=now() - timedelta(days=1))
        _grow(pattern.id, YOUNG)
        young = _measured(way)
        _grow(pattern.id, OLD - YOUNG)
        old = _measured(way)
    return [
        Figure(
            f"ledger.1m.{name}.p95_ms",
            percentile(times, 0.95),
            "ms",
            n=len(times),
            baseline=percentile(young[name], 0.95),
        )
        for name, times in old.items()
    ]


def _measured(way: worlds.Way) -> dict[str, list[float]]:
    posts = worlds.approved_posts(way, CLAIMS, due=now() - timedelta(seconds=5))
    ids = [post.publication.id for post in posts]
    session.rollback()
    publishing.claim(ids.pop(), worker="warm")
    found = {
        "hint": [milliseconds(hints.due_by_account) for _ in range(SWEEPS)],
        "reconcile": [milliseconds(_sweep) for _ in range(SWEEPS)],
        "claim": [milliseconds(lambda one=one: _claim(one)) for one in ids],
    }
    with transaction():  # out of the way of the next measurement
        session.execute(
            update(Publication)
            .where(Publication.state != PublicationState.PUBLISHED)
            .values(state=PublicationState.PUBLISHED)
        )
    return found


def _claim(publication_id: int) -> None:
    assert publishing.claim(publication_id, worker="bench") is not None


def _sweep() -> None:
    reconciling.settle_expired()
    late.miss_overdue()


def _grow(post_id: int, count: int) -> None:
    """Copies of one published post with its publication, made inside the database."""
    for start in range(0, count, CHUNK):
        with transaction():
            _copies(post_id, min(CHUNK, count - start))
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def _copies(post_id: int, count: int) -> None:
    last = session.scalar(select(Post.id).order_by(Post.id.desc()).limit(1)) or 0
    numbers = text(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        "SELECT i FROM n"
    ).columns(literal_column("i").label("i"))
    series = numbers.subquery("series")
    post_table, publication_table = Post.__table__, Publication.__table__
    assert isinstance(post_table, Table)
    assert isinstance(publication_table, Table)
    _insert(post_table, series, {"id": series.c.i + last}, post_table.c.id == post_id)
    marked = literal("old-") + db.cast(series.c.i + last, db.String)
    changed = {
        "id": series.c.i + last,
        "post_id": series.c.i + last,
        "idempotency_key": marked,
        "public_id": marked,
        "state": literal(PublicationState.PUBLISHED.value),
    }
    _insert(publication_table, series, changed, publication_table.c.post_id == post_id)


def _insert(table: Table, series: object, changed: dict, pattern: object) -> None:
    columns = [column for column in table.columns]
    values = [changed.get(column.name, column) for column in columns]
    rows = select(*values).select_from(table.join(series, literal(1) == 1)).where(pattern)  # type: ignore[arg-type]
    session.execute(insert(table).from_select([column.name for column in columns], rows))


if __name__ == "__main__":
    for figure in run():
        print(figure.line())
