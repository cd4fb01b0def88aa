"""How long after its minute each post really happened, by the carrier's own ledger."""

import json
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, text

from bench.figures import percentile


def lateness_of(database_url: str, ledger: Path) -> dict[str, float]:
    """p50, p95, p99 and the longest, in seconds, over all effects."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, publish_at FROM posts")).all()
    engine.dispose()
    due = {post_id: instant(moment) for post_id, moment in rows}
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    late = [max(0.0, line["at"] - due[line["post"]]) for line in lines]
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: percentile(late, share) for name, share in shares.items()}


def instant(moment: datetime | str) -> float:
    """SQLite keeps instants as text without a zone; they are UTC."""
    read = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
