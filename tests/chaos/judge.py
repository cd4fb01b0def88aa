"""Holds the database against the stub channel's ledger: the invariants I1 to I7."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Row

from schedules.reconciling import CRASHED

SETTLED = {"published", "failed", "missed", "uncertain", "handed_over", "held"}
NEEDS_REASON = {"failed", "missed", "uncertain", "held"}

_PUBLICATIONS = """
    SELECT p.id, p.post_id, p.state, p.reason, o.review, a.settings
    FROM publications p JOIN posts o ON o.id = p.post_id
    JOIN channel_accounts a ON a.id = p.account_id
"""
_MOVES = """
    SELECT object_id, action, detail FROM audit_entries
    WHERE object_type = 'publications' ORDER BY id
"""


class Judge:
    """Reads with a connection of its own; what it says depends on nobody's memory."""

    def __init__(self, database_url: str, ledger: Path) -> None:
        self.engine = create_engine(database_url, pool_pre_ping=True)
        self.ledger = ledger

    def rows(self) -> list[Row[Any]]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(_PUBLICATIONS)))

    def effects(self) -> Counter[int]:
        """How often each post has really happened."""
        if not self.ledger.exists():
            return Counter()
        return Counter(json.loads(line)["post"] for line in self.ledger.read_text().splitlines())

    def states(self) -> Counter[str]:
        return Counter(row.state for row in self.rows() if row.review == "approved")

    def states_quickly(self) -> dict[str, int]:
        """Counted by the database, for looks at a running system."""
        counted = text("SELECT state, count(*) FROM publications GROUP BY state")
        with self.engine.connect() as connection:
            return {state: number for state, number in connection.execute(counted)}

    def unsettled(self) -> int:
        """How many approved publications somebody still has to move."""
        words = ", ".join(f"'{state}'" for state in sorted(SETTLED))
        open_ones = text(
            "SELECT count(*) FROM publications p JOIN posts o ON o.id = p.post_id "
            f"WHERE o.review = 'approved' AND p.state NOT IN ({words})"
        )
        with self.engine.connect() as connection:
            return connection.execute(open_ones).scalar() or 0

    def submitted(self) -> list[int]:
        """Posts that wait for approval, by when they are due."""
        waiting = text("SELECT id FROM posts WHERE review = 'submitted' ORDER BY publish_at, id")
        with self.engine.connect() as connection:
            return list(connection.execute(waiting).scalars())

    def is_settled(self) -> bool:
        return set(self.states()) <= SETTLED

    def violations(self) -> list[str]:
        effects, found = self.effects(), []
        for row in self.rows():
            found += [f"publication {row.id}: {one}" for one in _faults(row, effects[row.post_id])]
        return found + self._broken_chains() + self._integrity()

    def by_class(self, state: str) -> Counter[str]:
        """How many stand in that state, by what their carriers promise: K, Q or N."""
        return Counter(_class_of(row) for row in self.rows() if row.state == state)

    def close(self) -> None:
        self.engine.dispose()

    def _broken_chains(self) -> list[str]:
        """I7: each move has one entry, so the entries of a publication form one unbroken chain."""
        with self.engine.connect() as connection:
            moves = connection.execute(text(_MOVES)).all()
        chains: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for object_id, action, detail in moves:
            told = json.loads(detail) if isinstance(detail, str) else detail
            if "from" in told:
                chains[object_id].append((told["from"], action.removeprefix("publication.")))
        found = []
        for row in self.rows():
            chain = chains[row.id]
            ends = ["planned", *(to for _from, to in chain)]
            starts = [*(start for start, _to in chain), row.state]
            if ends != starts:
                found.append(f"publication {row.id}: I7 the audit trail tells {chain}")
        return found

    def _integrity(self) -> list[str]:
        if self.engine.dialect.name != "sqlite":
            return []
        with self.engine.connect() as connection:
            said = connection.execute(text("PRAGMA integrity_check")).scalar()
        return [] if said == "ok" else [f"I5 {said}"]


def _faults(row: Row[Any], effects: int) -> list[str]:
    found = []
    if effects > 1:
        found.append(f"I2 happened {effects} times")
    if row.review != "approved":
        return [*found, *(["I6 was never approved, yet sent"] if effects else [])]
    if row.state not in SETTLED:
        found.append(f"I1 nobody moves it on from {row.state}")
    if row.state == "published" and effects != 1:
        found.append(f"I3 is called published and happened {effects} times")
    if row.state in ("failed", "missed") and effects:
        found.append(f"I4 is called {row.state} and has happened")
    if row.state == "held" and row.reason != CRASHED:
        found.append(f"I4 is held: {row.reason}")  # in these stories only crashes may do that
    if row.state in NEEDS_REASON and not row.reason:
        found.append(f"I4 is {row.state} without a reason")
    return found


def _class_of(row: Row[Any]) -> str:
    settings = json.loads(row.settings) if isinstance(row.settings, str) else row.settings
    return str(settings["class"])
