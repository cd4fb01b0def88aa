"""The week board: stages down, days across, slots and posts inside, read in a few queries."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row as Record
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from audience.models import Pool, Stage
from cms.core.clock import now
from cms.core.db import session
from content_library.models import Media
from schedules import calendars, closings, preflight, slots, standings, warnings
from schedules.closings import Closing
from schedules.models import Blackout, Calendar, ChannelAccount
from schedules.preflight import Asked, Subject
from schedules.publications import GOING_OUT
from schedules.slots import Slot
from schedules.states import PublicationState, ReviewState
from schedules.warnings import Caution

WEEK = 7


@dataclass(frozen=True)
class Card:
    """One post as the board shows it."""

    post_id: int
    on: date
    at: time
    instant: datetime
    title: str
    lang: str
    kind: str
    hue: int | None
    picture: str  # sha256, "" for none
    pool: Pool
    account: ChannelAccount
    state: str
    can_move: bool
    asset_id: int
    cautions: tuple[Caution, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One stage on one day: cards and free slots, and whether something is missing."""

    id: str
    stage: Stage
    on: date
    cards: tuple[Card, ...]
    free: tuple[Slot, ...]
    caution: Caution | None
    is_open: bool  # something can still be planned here
    closings: tuple[Closing, ...] = ()


@dataclass(frozen=True)
class BoardRow:
    stage: Stage
    pools: tuple[Pool, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Day:
    on: date
    count: int
    is_today: bool
    is_past: bool


@dataclass(frozen=True)
class Wanted:
    """Which part of the board to show; empty: all."""

    stage: str = ""
    kind: str = ""
    state: str = ""

    def takes_pool(self, pool: Pool) -> bool:
        return not self.kind or pool.kind.value == self.kind


@dataclass(frozen=True)
class Board:
    """The view model of one week."""

    calendar: Calendar
    monday: date
    days: tuple[Day, ...]
    rows: tuple[BoardRow, ...]
    stages: tuple[Stage, ...]  # all that could be chosen
    pools: dict[int, Pool] = field(repr=False)
    counts: dict[str, int] = field(default_factory=dict)  # cards by state, filters apart

    @property
    def cells(self) -> dict[str, Cell]:
        return {cell.id: cell for row in self.rows for cell in row.cells}


def cell_id(stage_id: int, on: date) -> str:
    return f"{stage_id}-{on:%Y%m%d}"


def state_of(review: ReviewState, publication: PublicationState) -> str:
    """The one word for where a post stands: its review until approved, its publication after."""
    if publication is PublicationState.PLANNED:
        return review.value
    return publication.value


def week(calendar: Calendar, monday: date, wanted: Wanted | None = None) -> Board:
    """The board of the week, in a number of queries that does not grow with the posts."""
    wanted = wanted or Wanted()
    pools = {pool.id: pool for pool in session.scalars(select(Pool).order_by(Pool.kind, Pool.id))}
    stages = list(session.scalars(select(Stage).order_by(Stage.position, Stage.id)))
    dark = closings.between(calendar, monday, monday + timedelta(days=WEEK - 1))
    cards = _cards(calendar, monday, pools, {stage.id: stage.slug for stage in stages}, dark=dark)
    free = _free_slots(calendar, monday, cards)
    filled = {card.pool.stage_id for card in cards}
    offered = tuple(stage for stage in stages if stage.is_active or stage.id in filled)
    days = tuple(_day(calendar, monday + timedelta(days=n), cards) for n in range(WEEK))
    shown = [card for card in cards if _is_wanted(card, wanted)]
    kept = [] if wanted.state else [one for one in free if wanted.takes_pool(_of(one, pools))]
    grid = _Grid(pools, days, shown, kept, calendar=calendar, has_any=bool(cards), dark=dark)
    rows = tuple(
        grid.row(stage, wanted)
        for stage in offered
        if not wanted.stage or stage.slug == wanted.stage
    )
    return Board(calendar, monday, days, rows, offered, pools, _counted(cards))


class _Grid:
    """Sorts cards and free slots of a week into cells."""

    def __init__(
        self,
        pools: dict[int, Pool],
        days: tuple[Day, ...],
        cards: list[Card],
        free: list[Slot],
        *,
        calendar: Calendar,
        has_any: bool,
        dark: list[Blackout],
    ) -> None:
        self.calendar, self.pools, self.days = calendar, pools, days
        self.has_any, self.dark = has_any, dark
        self.cards: dict[tuple[int, date], list[Card]] = defaultdict(list)
        self.free: dict[tuple[int, date], list[Slot]] = defaultdict(list)
        for card in cards:
            self.cards[card.pool.stage_id, card.on].append(card)
        for slot in free:
            pool = _of(slot, pools)
            if pool.is_active:
                self.free[pool.stage_id, slot.place.on].append(slot)

    def row(self, stage: Stage, wanted: Wanted) -> BoardRow:
        own = (pool for pool in self.pools.values() if pool.stage_id == stage.id)
        pools = tuple(pool for pool in own if pool.is_active and wanted.takes_pool(pool))
        return BoardRow(stage, pools, tuple(self._cell(stage, day, wanted) for day in self.days))

    def _cell(self, stage: Stage, day: Day, wanted: Wanted) -> Cell:
        cards = tuple(self.cards[stage.id, day.on])
        free = tuple(self.free[stage.id, day.on])
        # A week in which nothing is planned at all needs no reminder in every cell of it.
        is_asked = self.has_any and not wanted.state
        caution = warnings.of_cell(slots=len(free), free=len(free), has_posts=bool(cards))
        return Cell(
            id=cell_id(stage.id, day.on),
            stage=stage,
            on=day.on,
            cards=cards,
            free=free,
            caution=caution if is_asked else None,
            is_open=not day.is_past,
            closings=self._closings(day, cards, free) if self.dark else (),
        )

    def _closings(
        self, day: Day, cards: tuple[Card, ...], free: tuple[Slot, ...]
    ) -> tuple[Closing, ...]:
        """What is dark for those who speak in the cell; an account's own night is not others'."""
        speaking = {card.account.id for card in cards} | {slot.place.account_id for slot in free}
        return closings.of_day(self.dark, self.calendar, day.on, speaking)


def _of(slot: Slot, pools: dict[int, Pool]) -> Pool:
    return pools[slot.place.pool_id]


def _day(calendar: Calendar, on: date, cards: list[Card]) -> Day:
    today = calendars.today(calendar)
    return Day(on, sum(card.on == on for card in cards), on == today, on < today)


def _is_wanted(card: Card, wanted: Wanted) -> bool:
    return wanted.takes_pool(card.pool) and (not wanted.state or card.state == wanted.state)


def _counted(cards: list[Card]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for card in cards:
        counts[card.state] += 1
    return dict(counts)


def _free_slots(calendar: Calendar, monday: date, cards: list[Card]) -> list[Slot]:
    """The slots still ahead in which a post could stand."""
    taken: dict[int, list[datetime]] = defaultdict(list)
    for card in cards:
        taken[card.pool.id].append(card.instant)
    moment = now()
    ahead = [
        slot
        for slot in slots.of_week(calendar, monday)
        if slot.instant is not None and slot.instant > moment
    ]
    return slots.free(calendar, ahead, taken)


# --- reading


def _cards(
    calendar: Calendar,
    monday: date,
    pools: dict[int, Pool],
    stages: dict[int, str],
    *,
    dark: list[Blackout],
) -> list[Card]:
    inside = standings.within(calendar, monday, monday + timedelta(days=WEEK - 1))
    records = standings.records(inside)
    if not records:
        return []
    accounts = _accounts()
    tags = standings.tags_of(inside)
    pictures = _pictures(records)
    placed = [standings.standing(one, pools, tags) for one in records]
    cautions = warnings.of_posts(placed, standings.earlier(calendar, monday, pools, inside), stages)
    subjects = [_subject(one, calendar, pools, accounts) for one in records if _is_ahead(one)]
    concerns = _concerns(subjects, dark)
    return [
        Card(
            post_id=one.id,
            on=one.wall_date,
            at=one.wall_time,
            instant=one.publish_at,
            title=one.title,
            lang=one.lang,
            kind=one.kind,
            hue=next((tag.hue for tag in tags[one.asset_id] if tag.hue), None),
            picture=pictures.get(one.media_ids[0], "") if one.media_ids else "",
            pool=pools[one.pool_id],
            account=accounts[one.account_id],
            state=state_of(one.review, one.state),
            can_move=one.state not in GOING_OUT,
            asset_id=one.asset_id,
            cautions=(*concerns.get(one.id, ()), *cautions.get(one.id, ())),
        )
        for one in records
    ]


def _concerns(subjects: list[Subject], dark: list[Blackout]) -> dict[int, list[Caution]]:
    """What will keep posts back, worded as the board words everything else."""
    found = preflight.ask(subjects, Asked.PLANNED, given={"blackout": dark})
    return {
        post_id: [Caution(one.problem, one.fix) for one in concerns]
        for post_id, concerns in found.items()
    }


def _is_ahead(one: Record[Any]) -> bool:
    """Whether something can still be mended: what is out is out, what nobody approved is over."""
    is_over = one.due_at <= now() and one.state is PublicationState.PLANNED
    return one.state not in GOING_OUT and not is_over


def _subject(
    one: Record[Any],
    calendar: Calendar,
    pools: dict[int, Pool],
    accounts: dict[int, ChannelAccount],
) -> Subject:
    return Subject(
        post_id=one.id,
        publication_id=one.publication_id,
        calendar=calendar,
        pool=pools[one.pool_id],
        account=accounts[one.account_id],
        at=one.due_at,
        due_at=one.due_at,
        late_after=one.late_after,
        media_ids=tuple(int(media_id) for media_id in one.media_ids),
    )


def _accounts() -> dict[int, ChannelAccount]:
    rows = session.scalars(select(ChannelAccount).options(joinedload(ChannelAccount.persona)))
    return {account.id: account for account in rows}


def _pictures(records: list[Record[Any]]) -> dict[int, str]:
    wanted = {one.media_ids[0] for one in records if one.media_ids}
    if not wanted:
        return {}
    rows = session.execute(select(Media.id, Media.sha256).where(Media.id.in_(wanted)))
    return {media_id: sha for media_id, sha in rows}
