"""Reactions of readers: likes and collects that can be taken back, and shares."""

from dataclasses import dataclass

from sqlalchemy import func, select

from cms.core.db import session
from feedback import events
from feedback.facts import seen_now
from feedback.models import Event, Rollup
from feedback.visitors import Visitor
from schedules.models import Publication

TOGGLED = ("like", "collect")


@dataclass(frozen=True)
class Standing:
    """How many did it, and whether this reader did."""

    count: int
    is_on: bool


def standings(publication: Publication, visitor: Visitor) -> dict[str, Standing]:
    """Each toggle as this reader should see it: what is counted, and their own word at once."""
    sums = session.execute(
        select(Rollup.kind, func.sum(Rollup.counted))
        .where(Rollup.publication_id == publication.id, Rollup.kind.in_(TOGGLED))
        .group_by(Rollup.kind)
    )
    counted = {kind: int(total) for kind, total in sums}
    own = _own_events(publication, visitor)
    return {kind: _standing(counted.get(kind, 0), own.get(kind, [])) for kind in TOGGLED}


def toggle(
    publication: Publication, kind: str, visitor: Visitor, reasons: tuple[str, ...] = ()
) -> None:
    """Turn the reader's reaction over: on, and off again. Inside the caller's transaction."""
    is_on = standings(publication, visitor)[kind].is_on
    react(publication, kind, visitor, reasons=reasons, is_on=not is_on)


def react(
    publication: Publication,
    kind: str,
    visitor: Visitor,
    *,
    reasons: tuple[str, ...] = (),
    is_on: bool = True,
) -> None:
    """Store one reaction; readers see their own at once, so it does not go through the journal."""
    fact = seen_now(
        "page",
        kind,
        publication.id,
        visitor_key=visitor.cookie_key,
        key_strength="cookie",
        reasons=reasons,
        props={} if is_on else {"on": False},
    )
    events.store([fact])


def _own_events(publication: Publication, visitor: Visitor) -> dict[str, list[Event]]:
    found = session.scalars(
        select(Event)
        .where(
            Event.publication_id == publication.id,
            Event.kind.in_(TOGGLED),
            Event.visitor_key == visitor.cookie_key,
        )
        .order_by(Event.effective_at, Event.id)
    )
    by_kind: dict[str, list[Event]] = {}
    for event in found:
        by_kind.setdefault(event.kind, []).append(event)
    return by_kind


def _standing(counted: int, own: list[Event]) -> Standing:
    """Rollups follow a second later: until then the reader's own change is added by hand."""
    is_on = bool(own) and own[-1].props.get("on", True) is not False
    is_counted = any(event.is_counted for event in own)
    return Standing(max(0, counted + int(is_on) - int(is_counted)), is_on)
