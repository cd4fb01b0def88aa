"""An event as the judges see it: who, what, when, and in which order within one visit."""

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """One stored event, free of the database. `assigned` is the cookie given with the answer."""

    id: int
    event_id: str
    kind: str
    link_code: str
    visitor: str
    strength: str
    at: datetime
    day: date
    reasons: tuple[str, ...] = ()  # what the request itself said
    is_on: bool = True
    assigned: str = ""
    visit: str = ""
    seq: int | None = None
    verdict: str = ""
    is_counted: bool = False
    is_confirmed: bool = False
    all_reasons: tuple[str, ...] = field(default=())


def is_at_or_after(later: Sighting, earlier: Sighting) -> bool:
    """Whether one came after the other: by sequence inside one visit, else by time, ties included.

    Clocks of phones show whole seconds and lag behind; the sequence of one visit does not.
    """
    if later.visit and later.visit == earlier.visit and None not in (later.seq, earlier.seq):
        return (later.seq or 0) >= (earlier.seq or 0)
    return later.at >= earlier.at


def in_order(sightings: list[Sighting]) -> list[Sighting]:
    """By time, but inside one visit as captured; the same for every order of arrival."""
    by_time = sorted(sightings, key=lambda one: (one.at, one.event_id))
    return _mend_visits(by_time)


def _mend_visits(by_time: list[Sighting]) -> list[Sighting]:
    """Give each visit's places in the row to its events in the order of their sequence."""
    places: dict[str, list[int]] = {}
    for place, one in enumerate(by_time):
        if one.visit and one.seq is not None:
            places.setdefault(one.visit, []).append(place)
    mended = list(by_time)
    for taken in places.values():
        members = sorted(
            (by_time[place] for place in taken),
            key=lambda one: (one.seq or 0, one.at, one.event_id),
        )
        for place, one in zip(taken, members, strict=True):
            mended[place] = one
    return mended


def converted(sightings: list[Sighting], steps: list[str]) -> bool:
    """Whether these events of one visitor pass through the kinds in that order; ties keep the order."""
    waiting = list(steps)
    for one in in_order(sightings):
        if waiting and one.kind == waiting[0]:
            waiting.pop(0)
    return not waiting
