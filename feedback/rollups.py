"""Rollups: each dirty day of a publication is judged and counted anew, whole, from its events."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import Row, and_, delete, insert, or_, select, update
from sqlalchemy.orm import aliased

from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.faults import declare, fault
from feedback import scores
from feedback.kinds import COUNTED, KINDS, TOGGLES
from feedback.models import CommentState, DirtyDay, Event, Flag, ReaderComment, Rollup
from feedback.sightings import Sighting
from feedback.verdicts import ARRIVAL_REASONS, CONFIRMED_WITHIN, Judgement, judge
from schedules.models import Post, Publication

AT_ONCE = 100

declare("rollup.before_commit")

_COLUMNS = (
    Event.id,
    Event.event_id,
    Event.kind,
    Event.link_code,
    Event.visitor_key,
    Event.key_strength,
    Event.effective_at,
    Event.day,
    Event.reasons,
    Event.props,
    Event.verdict,
    Event.is_counted,
    Event.is_confirmed,
)


def roll_up() -> int:
    """Count every dirty day anew, some at a time; how many days that were."""
    done = 0
    while taken := _roll_some():
        done += taken
    return done


def oldest_dirty() -> datetime | None:
    """Since when the day that waits longest has been waiting."""
    return session.scalar(select(DirtyDay.marked_at).order_by(DirtyDay.marked_at).limit(1))


def _roll_some() -> int:
    if session.scalar(select(DirtyDay.day).limit(1)) is None:
        return 0
    with transaction():
        # Rows that somebody else is marking or counting right now are theirs.
        dirty = session.scalars(
            select(DirtyDay)
            .order_by(DirtyDay.marked_at)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        days: dict[int, set[date]] = defaultdict(set)
        for row in dirty:
            days[row.publication_id].add(row.day)
            session.delete(row)
        for publication_id, wanted in sorted(days.items()):
            for day in sorted(wanted):
                recount(publication_id, day)
        scores.refresh(_assets(days))
        session.flush()
        fault("rollup.before_commit")
    return len(dirty)


def recount(publication_id: int, day: date) -> None:
    """Judge the day's events beside their neighbours, note the verdicts, write the day's rollups."""
    sightings = _sightings(publication_id, day)
    published_at = session.scalar(
        select(Publication.published_at).where(Publication.id == publication_id)
    )
    found = judge(sightings, published_at=published_at, hidden=_hidden(publication_id))
    today = [one for one in sightings if one.day == day]
    _note(today, found)
    session.execute(
        delete(Rollup).where(Rollup.publication_id == publication_id, Rollup.day == day)
    )
    rows = [
        {
            "publication_id": publication_id,
            "day": day,
            "kind": kind,
            "raw": tally.raw,
            "counted": tally.counted,
            "confirmed": tally.confirmed,
            "people": len(tally.people),
            "weak": len(tally.weak),
        }
        for kind, tally in sorted(_tallies(today, found).items())
    ]
    if rows:
        session.execute(insert(Rollup), rows)


@dataclass
class _Tally:
    raw: int = 0
    counted: int = 0
    confirmed: int = 0
    people: set[str] = field(default_factory=set)
    weak: set[str] = field(default_factory=set)


def _tallies(today: Iterable[Sighting], found: dict[int, Judgement]) -> dict[str, _Tally]:
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    for one in today:
        if one.kind not in COUNTED:
            continue
        tally, judgement = tallies[one.kind], found[one.id]
        if one.is_on:
            tally.raw += 1
        if judgement.is_counted:
            tally.counted += 1
            tally.confirmed += judgement.is_confirmed
            tally.people.add(judgement.visitor)
            if judgement.is_weak:
                tally.weak.add(judgement.visitor)
    return tallies


def _sightings(publication_id: int, day: date) -> list[Sighting]:
    """The day's events, those within reach of its edges, and all toggles of whoever toggled then."""
    start = datetime.combine(day, time(), current().zone)
    end = datetime.combine(day + timedelta(days=1), time(), current().zone)
    toggler = aliased(Event)
    togglers = select(toggler.visitor_key).where(
        toggler.publication_id == publication_id, toggler.day == day, toggler.kind.in_(TOGGLES)
    )
    rows = session.execute(
        select(*_COLUMNS).where(
            Event.publication_id == publication_id,
            Event.flag == Flag.NONE,
            or_(
                and_(
                    Event.effective_at >= start - CONFIRMED_WITHIN,
                    Event.effective_at <= end + CONFIRMED_WITHIN,
                ),
                and_(Event.kind.in_(TOGGLES), Event.visitor_key.in_(togglers)),
            ),
        )
    )
    return [_sighting(row) for row in rows if row.kind in KINDS]


def _sighting(row: Row[tuple[object, ...]]) -> Sighting:
    told = tuple(row.reasons)
    return Sighting(
        id=row.id,
        event_id=row.event_id,
        kind=row.kind,
        link_code=row.link_code,
        visitor=row.visitor_key,
        strength=row.key_strength,
        at=row.effective_at,
        day=row.day,
        reasons=tuple(reason for reason in told if reason.startswith(ARRIVAL_REASONS)),
        is_on=row.props.get("on", True) is not False,
        assigned=row.props.get("assigned", ""),
        visit=row.props.get("visit", ""),
        seq=row.props.get("seq"),
        verdict=row.verdict,
        is_counted=row.is_counted,
        is_confirmed=row.is_confirmed,
        all_reasons=told,
    )


def _note(today: Iterable[Sighting], found: dict[int, Judgement]) -> None:
    """Write back only what changed, so that counting a day again costs no writes."""
    changes = []
    for one in today:
        judged = found[one.id]
        after = (judged.verdict, judged.reasons, judged.is_counted, judged.is_confirmed)
        if (one.verdict, one.all_reasons, one.is_counted, one.is_confirmed) != after:
            changes.append(
                {
                    "id": one.id,
                    "verdict": judged.verdict,
                    "reasons": list(judged.reasons),
                    "is_counted": judged.is_counted,
                    "is_confirmed": judged.is_confirmed,
                }
            )
    if changes:
        session.execute(update(Event), changes)


def _hidden(publication_id: int) -> set[str]:
    found = select(ReaderComment.event_id).where(
        ReaderComment.publication_id == publication_id,
        ReaderComment.state == CommentState.HIDDEN,
    )
    return set(session.scalars(found))


def _assets(publication_ids: Iterable[int]) -> set[int]:
    found = select(Post.asset_id).join(Post.publication).where(Publication.id.in_(publication_ids))
    return set(session.scalars(found))
