"""Reads where a post shall stand out of a form: a slot that was chosen, or a time by hand."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms.fields.choices import SelectChoice

from audience import pools
from audience.models import Pool
from cms.core.db import session
from cms.core.errors import Invalid, NotFound, invalid
from cms.core.i18n import N_
from cms.web.calendar.drawing import day_words, pool_words, slot_words
from cms.web.calendar.forms import BY_HAND, PlaceForm
from cms.web.numbers import row_number
from schedules import accounts, landing, placing, slots, wall_time
from schedules.models import Calendar, ChannelAccount, Post

NO_ACCOUNT = N_("No account reaches this pool. An administrator can add one in the settings.")


@dataclass(frozen=True)
class Chosen:
    """What the form says, in the product's own terms."""

    pool: Pool
    account: ChannelAccount | None  # None: whichever reaches the pool
    on: date
    at: time
    fold: int | None


def read(form: PlaceForm) -> Chosen:
    """Raises Invalid for what is no slot, no pool, no day or no time."""
    fold = int(form.fold.data) if form.fold.data in ("0", "1") else None
    if form.slot.data and form.slot.data != BY_HAND:
        place = slots.parse(form.slot.data)
        return Chosen(
            pools.get(place.pool_id), accounts.get(place.account_id), place.on, place.at, fold
        )
    pool_id = row_number(form.pool.data or "")
    if pool_id is None:
        raise invalid("pool", "bad_choice", N_("Choose one of the pools offered."))
    return Chosen(
        pools.get(pool_id),
        None,
        wall_time.parse_date(form.wall_date.data or ""),
        wall_time.parse_time(form.wall_time.data or ""),
        fold,
    )


def audience(form: PlaceForm) -> tuple[Pool, ChannelAccount | None]:
    """For whom it shall be and who would say it, as far as the form tells; for looking ahead.

    Raises Invalid for what is no slot and no pool. No account: none reaches the pool.
    """
    if form.slot.data and form.slot.data != BY_HAND:
        place = slots.parse(form.slot.data)
        return pools.get(place.pool_id), accounts.get(place.account_id)
    pool_id = row_number(form.pool.data or "")
    if pool_id is None:
        raise invalid("pool", "bad_choice", N_("Choose one of the pools offered."))
    pool = pools.get(pool_id)
    return pool, next(iter(placing.speakers(pool)), None)


def moment(form: PlaceForm, calendar: Calendar) -> datetime | None:
    """When that would be; None while the form does not say."""
    try:
        chosen = read(form)
        settled = wall_time.settle(chosen.on, chosen.at, calendar.timezone, fold=chosen.fold or 0)
    except (Invalid, NotFound):
        return None
    return settled.instant


def speaker(pool: Pool) -> ChannelAccount:
    """The account that speaks to the pool when nobody chose one."""
    found = placing.speakers(pool)
    if not found:
        raise invalid("pool", "pool_not_reached", NO_ACCOUNT)
    return found[0]


def offer(
    form: PlaceForm, calendar: Calendar, day: date, *, pool_ids: Collection[int] | None = None
) -> None:
    """Fill the form's choices: the free slots of the day's week, and every pool in use."""
    rows = session.scalars(select(Pool).where(Pool.is_active).options(joinedload(Pool.stage))).all()
    known = {pool.id: pool for pool in rows}
    free = landing.free_of_week(calendar, day, pool_ids=pool_ids)
    form.slot.choices = [
        SelectChoice(BY_HAND, _("A time by hand")),
        *(
            SelectChoice(slot.place.name, slot_words(slot, known[slot.place.pool_id]))
            for slot in free
        ),
    ]
    _keep_chosen(form, known)
    ordered = sorted(rows, key=lambda pool: (pool.stage.position, pool.name))
    form.pool.choices = [SelectChoice(str(pool.id), pool_words(pool)) for pool in ordered]


def _keep_chosen(form: PlaceForm, known: dict[int, Pool]) -> None:
    """A slot that filled up meanwhile stays chosen, so that its fault stands beside it."""
    chosen = form.slot.data
    if not chosen or any(one.value == chosen for one in form.slot.choices):
        return
    place = slots.parse(chosen)
    if place.pool_id in known:
        words = f"{day_words(place.on)} {place.at:%H:%M} · {known[place.pool_id].name}"
        form.slot.choices.append(SelectChoice(chosen, words))


def stand_where(form: PlaceForm, post: Post) -> None:
    """Start the form with where the post stands."""
    form.pool.data = str(post.pool_id)
    form.wall_date.data = post.wall_date.isoformat()
    form.wall_time.data = f"{post.wall_time:%H:%M}"
    form.fold.data = ""
