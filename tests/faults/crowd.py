"""Many approved posts like one that exists, written by the database itself: only their number matters."""

from sqlalchemy import String, Table, cast, insert, literal, literal_column, select, text
from sqlalchemy.sql.selectable import FromClause

from cms.core.db import session, transaction
from schedules.models import Post, Publication


def of(pattern: Post, count: int) -> None:
    """Until there are `count` of them, the pattern included."""
    numbers = text(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1}) "
        "SELECT i FROM n"
    ).columns(literal_column("i").label("i"))
    series = numbers.subquery("series")
    number = series.c.i + pattern.id
    name = literal("copy-").concat(cast(number, String))
    with transaction():
        _copy(Post, series, {"id": number}, Post.id == pattern.id)
        changed = {"id": number, "post_id": number, "idempotency_key": name, "public_id": name}
        _copy(Publication, series, changed, Publication.post_id == pattern.id)


def _copy(model: type, series: FromClause, changed: dict, which: object) -> None:
    table: Table = model.__table__  # type: ignore[attr-defined]
    values = [changed.get(column.name, column) for column in table.columns]
    rows = select(*values).select_from(table.join(series, literal(1) == 1)).where(which)  # type: ignore[arg-type]
    session.execute(insert(table).from_select([column.name for column in table.columns], rows))
