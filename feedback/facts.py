"""A fact on its way in: what happened to a post, as a line of the journal and as a row to be."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from cms.core.clock import now

LONGEST = {"source": 40, "event_id": 80, "kind": 20, "link_code": 24, "visitor_key": 80}


@dataclass(frozen=True)
class Fact:
    """One feedback event before it is stored.

    `occurred_at` and `sent_at` are the sender's clock, `received_at` is ours. `reasons` are what the
    request itself says about who asked. `is_trusted`: the source may report days late.
    """

    source: str
    event_id: str
    kind: str
    publication_id: int | None
    received_at: datetime
    occurred_at: datetime
    sent_at: datetime | None = None
    link_code: str = ""
    visitor_key: str = ""
    key_strength: str = "weak"
    reasons: tuple[str, ...] = ()
    is_trusted: bool = False
    props: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Cut what is too long and drop NUL: one odd fact must not hold up the journal."""
        object.__setattr__(self, "occurred_at", self.occurred_at.astimezone(UTC))
        for name, longest in LONGEST.items():
            object.__setattr__(self, name, getattr(self, name).replace("\x00", "")[:longest])

    def to_line(self) -> bytes:
        """One line of JSON, newline included."""
        told = {name: value for name, value in vars(self).items() if value not in ("", (), {})}
        for name in ("received_at", "occurred_at", "sent_at"):
            if told.get(name):
                told[name] = told[name].timestamp()
        return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Read a line back; raises ValueError for anything that is not one of ours, whole."""
        try:
            told = json.loads(line)
            for name in ("received_at", "occurred_at", "sent_at"):
                if told.get(name) is not None:
                    told[name] = datetime.fromtimestamp(told[name], UTC)
            return cls(**told | {"reasons": tuple(told.get("reasons", ()))})
        except (TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a fact: {error}") from error


def seen_now(source: str, kind: str, publication_id: int | None, **rest: Any) -> Fact:
    """A fact that this process witnesses at this moment, under an id of its own."""
    moment = now()
    rest.setdefault("event_id", secrets.token_hex(16))
    return Fact(
        source=source,
        kind=kind,
        publication_id=publication_id,
        received_at=moment,
        occurred_at=moment,
        **rest,
    )
