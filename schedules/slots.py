"""Slots: the moments every week at which accounts post, their pattern, and a slot's name."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.db import session
from cms.core.errors import Invalid, NotFound, invalid
from cms.core.i18n import N_
from content_library.models import Tag, TagGroup
from schedules.models import AccountPool, Calendar, ChannelAccount, SlotTemplate
from schedules.wall_time import settle

_NAME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)-(\d{1,9})-(\d{1,9})")
_BAD_SLOT = N_("That is no slot of the calendar. Choose one of those offered.")
THEMES = "theme"


@dataclass(frozen=True)
class Place:
    """Where a post may stand: a day, a minute, a pool, and the account that speaks."""

    on: date
    at: time
    pool_id: int
    account_id: int

    @property
    def name(self) -> str:
        """How addresses and forms call it."""
        return f"{self.on:%Y%m%d}T{self.at:%H%M}-{self.pool_id}-{self.account_id}"


@dataclass(frozen=True)
class Slot:
    """One planned moment of one week; `instant` is None on a day whose clocks skip it."""

    place: Place
    instant: datetime | None
    wanted_theme: Tag | None


# --- finders


def parse(name: str) -> Place:
    """The place a name stands for; raises Invalid `bad_slot`."""
    match = _NAME.fullmatch(name) if name.isascii() else None
    if match is None:
        raise invalid("slot", "bad_slot", _BAD_SLOT)
    year, month, day, hour, minute, pool_id, account_id = (int(part) for part in match.groups())
    try:
        return Place(date(year, month, day), time(hour, minute), pool_id, account_id)
    except ValueError:
        raise invalid("slot", "bad_slot", _BAD_SLOT) from None


def get(template_id: int) -> SlotTemplate:
    """The weekly slot of that id; raises NotFound."""
    found = session.get(SlotTemplate, template_id)
    if found is None:
        raise NotFound("slot")
    return found


def pattern(calendar: Calendar) -> Select[SlotTemplate]:
    """The calendar's weekly slots in the order of the week, with their accounts and themes."""
    return (
        select(SlotTemplate)
        .where(SlotTemplate.calendar_id == calendar.id)
        .options(
            joinedload(SlotTemplate.account).joinedload(ChannelAccount.persona),
            joinedload(SlotTemplate.wanted_theme),
        )
        .order_by(SlotTemplate.weekday, SlotTemplate.wall_time, SlotTemplate.account_id)
    )


def of_week(calendar: Calendar, monday: date) -> list[Slot]:
    """Every slot of the week, in the order of its minutes: two queries, however many slots."""
    pools: dict[int, list[int]] = defaultdict(list)
    for account_id, pool_id in session.execute(select(AccountPool.account_id, AccountPool.pool_id)):
        pools[account_id].append(pool_id)
    return [
        slot
        for template in session.scalars(pattern(calendar))
        for slot in _of_template(template, monday, sorted(pools[template.account_id]))
    ]


def free(calendar: Calendar, slots: Iterable[Slot], taken: dict[int, list[datetime]]) -> list[Slot]:
    """The slots in which a post could stand: nothing of the same pool within the calendar's gap."""
    gap = least_gap(calendar)
    return [
        slot
        for slot in slots
        if slot.instant is not None
        and all(abs(at - slot.instant) >= gap for at in taken.get(slot.place.pool_id, ()))
    ]


def least_gap(calendar: Calendar) -> timedelta:
    """Posts of one pool stand this far apart; a minute at least."""
    return timedelta(minutes=max(1, calendar.gap_minutes))


# --- operations


def add(
    calendar: Calendar,
    account: ChannelAccount,
    *,
    weekday: int,
    wall_time: time,
    wanted_theme: Tag | None = None,
    by: User | None,
) -> SlotTemplate:
    """A weekly slot of the account; raises Invalid `bad_weekday`, `bad_theme`, `slot_exists`."""
    _check(weekday, wanted_theme)
    known = select(SlotTemplate.id).where(
        SlotTemplate.calendar_id == calendar.id,
        SlotTemplate.account_id == account.id,
        SlotTemplate.weekday == weekday,
        SlotTemplate.wall_time == wall_time,
    )
    if session.scalar(known) is not None:
        raise invalid("wall_time", "slot_exists", N_("This account has a slot at that time."))
    made = SlotTemplate(
        calendar_id=calendar.id,
        account_id=account.id,
        weekday=weekday,
        wall_time=wall_time,
        wanted_theme_id=wanted_theme.id if wanted_theme else None,
    )
    session.add(made)
    session.flush()  # the audit trail needs the id
    audit.record("slot.added", made, by=by, weekday=weekday, at=f"{wall_time:%H:%M}")
    return made


def want(template: SlotTemplate, theme: Tag | None, *, by: User | None) -> None:
    """Say which theme the slot is for; None for any."""
    _check(template.weekday, theme)
    template.wanted_theme_id = theme.id if theme else None
    audit.record("slot.changed", template, by=by, theme=theme.slug if theme else None)


def remove(template: SlotTemplate, *, by: User | None) -> None:
    """Take the slot out of the weekly pattern; posts that stand in it stay."""
    audit.record(
        "slot.removed", template, by=by, weekday=template.weekday, at=f"{template.wall_time:%H:%M}"
    )
    session.delete(template)


def _check(weekday: int, theme: Tag | None) -> None:
    if not 0 <= weekday <= 6:
        raise invalid("weekday", "bad_weekday", N_("Choose a day from Monday to Sunday."))
    if theme is not None:
        group = session.get(TagGroup, theme.group_id)
        if group is None or group.slug != THEMES:
            raise invalid("wanted_theme", "bad_theme", N_("Choose one of the themes offered."))


def _of_template(template: SlotTemplate, monday: date, pool_ids: list[int]) -> list[Slot]:
    on = monday + timedelta(days=template.weekday)
    try:
        # A recurring slot keeps its wall time; shown twice, its first showing is meant.
        instant = settle(on, template.wall_time, template.calendar.timezone, fold=0).instant
    except Invalid:
        instant = None
    return [
        Slot(
            Place(on, template.wall_time, pool_id, template.account_id),
            instant,
            template.wanted_theme,
        )
        for pool_id in pool_ids
    ]
