"""A demo carrier's own ledger on disk: what it was told, what it showed, and what it remembers."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS shown (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS things (
    kind TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (kind, key));
"""


class Book:
    """One SQLite file. `shown` is the list of effects, the judge of duplicates; `things` is memory."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; a power cut may, and a demonstration can bear that.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Everything inside happens, or nothing of it; nobody else reads or writes meanwhile."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def show(self, kind: str, at: float, content: dict[str, Any]) -> int:
        """Write down an effect; its number."""
        with self._lock:
            done = self._connection.execute(
                "INSERT INTO shown (at, kind, content) VALUES (?, ?, ?)",
                (at, kind, json.dumps(content, ensure_ascii=False)),
            )
            return int(done.lastrowid or 0)

    def shown(self, kind: str = "") -> list[dict[str, Any]]:
        """The effects, oldest first, each with its number and moment."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, at, kind, content FROM shown WHERE ? IN ('', kind) ORDER BY id", (kind,)
            ).fetchall()
        return [{"id": row[0], "at": row[1], "kind": row[2], **json.loads(row[3])} for row in rows]

    def put(self, kind: str, key: str, content: Any) -> None:
        with self._lock:
            self._connection.execute(
                "INSERT OR REPLACE INTO things VALUES (?, ?, ?)",
                (kind, key, json.dumps(content, ensure_ascii=False)),
            )

    def get(self, kind: str, key: str) -> Any:
        """What was put there, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT content FROM things WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str) -> dict[str, Any]:
        """Everything of a kind, by key."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, content FROM things WHERE kind = ? ORDER BY rowid", (kind,)
            ).fetchall()
        return {key: json.loads(content) for key, content in rows}

    def remove(self, kind: str, key: str) -> None:
        with self._lock:
            self._connection.execute("DELETE FROM things WHERE kind = ? AND key = ?", (kind, key))

    def clear(self) -> None:
        with self.whole():
            self._connection.execute("DELETE FROM shown")
            self._connection.execute("DELETE FROM things")
