"""The day on which the demo opens: work that waits for people, and next week half planned."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from audience import pools
from cms.core.db import transaction
from cms.core.errors import Invalid
from cms.demo import week
from cms.demo.week import Team, step_at
from content_library import assets
from schedules import accounts, approvals, posts, slots
from schedules.models import Post
from schedules.slots import Slot
from schedules.states import ReviewState

SOON = timedelta(minutes=70)  # what goes out within that is read already
SHARE_READ = 0.5
LEFT_TO_READ = 3
LAST_MINUTE = time(23, 40)
NEAREST = timedelta(minutes=12)
STEP = timedelta(minutes=5)
ATTEMPTS = 60
# How much of each day of next week is filled, Monday first, and by how much less the quiet stages are.
FILLED = (1.0, 0.95, 0.85, 0.65, 0.4, 0.25, 0.2)
QUIET_STAGES, QUIET_SHARE = frozenset({"silent", "dormant"}), 0.6


@dataclass(frozen=True)
class Extra:
    """A post outside the weekly slots. `before`: how long before now it was due."""

    account: str
    pool: str
    theme: str
    before: timedelta


WAITING = (
    Extra("sandbox-strict", "group-active", "dry-goods", timedelta(minutes=85)),
    Extra("sandbox-silent", "group-paying", "dry-goods", timedelta(minutes=55)),
    Extra("moments-cen-lan", "moments-active", "trust", timedelta(minutes=40)),
)
LATER = (
    Extra("reader-active", "group-active", "trust", -timedelta(minutes=16)),
    Extra("reader-new", "group-new", "dry-goods", -timedelta(minutes=35)),
    Extra("moments-cen-lan", "moments-active", "dry-goods", -timedelta(minutes=50)),
)


def leaves_unread(crew: Team, moment: datetime) -> Callable[[Post], bool]:
    """Which of today's posts the morning's reading left for whoever opens the demo."""

    def leaves(post: Post) -> bool:
        if post.publish_at <= moment + SOON:
            return False
        return crew.chance(f"unread:{post.publish_at}:{post.pool_id}").random() > SHARE_READ

    return leaves


def trouble(crew: Team, moment: datetime) -> int:
    """Posts of the last two hours that wait for somebody: refused, uncertain, handed over; how many."""
    made = 0
    with transaction():
        for extra in WAITING:
            with step_at(moment - timedelta(hours=4)):
                post = _placed(crew, extra, moment - extra.before, step=-STEP)
            if post is None:
                continue
            with step_at(moment - timedelta(hours=3, minutes=30)):
                posts.submit(post, by=crew.planners[0])
            with step_at(moment - timedelta(hours=3)):
                approvals.approve(post, revision=post.revision, by=crew.operators[0])
            with step_at(post.publish_at + timedelta(seconds=1)):
                week.send(crew, post.publication.id)
            made += 1
    return made


def left_to_read(crew: Team, today: date, moment: datetime) -> int:
    """See to it that some posts of later today wait for approval, while there is a later today."""
    with transaction():
        waiting = [
            post
            for post in week.of_day(today, ReviewState.SUBMITTED)
            if post.publish_at > moment + NEAREST
        ]
        for extra in LATER[: max(0, LEFT_TO_READ - len(waiting))]:
            due = moment - extra.before
            if due > crew.moment(today, LAST_MINUTE):
                break
            with step_at(moment - timedelta(minutes=25)):
                post = _placed(crew, extra, due, step=STEP)
                if post is not None and post.wall_date == today:
                    posts.submit(post, by=crew.planners[1])
                    waiting.append(post)
        return len(waiting)


def half_a_week(crew: Team, monday: date, moment: datetime) -> int:
    """Next week as far as the planners have come; how many posts."""
    made = week.plan(
        crew, monday, keeps=lambda slot: _is_filled(crew, slot), start=moment - timedelta(hours=5)
    )
    made += _repeat(crew, monday, moment)
    ready = [
        post.id
        for day in (monday, monday + timedelta(days=1))
        for post in week.of_day(day, ReviewState.DRAFT)
    ]
    week.hand_in(crew, ready, start=moment - timedelta(hours=1))
    return len(made)


def _is_filled(crew: Team, slot: Slot) -> bool:
    share = FILLED[slot.place.on.weekday()]
    if pools.get(slot.place.pool_id).stage.slug in QUIET_STAGES:
        share *= QUIET_SHARE
    return crew.chance(f"fills:{slot.place.name}").random() < share


def _repeat(crew: Team, monday: date, moment: datetime) -> list[int]:
    """The same asset twice in one pool within days, so that the board has something to warn of."""
    with transaction():
        first = next(
            (
                post
                for post in week.of_day(monday, ReviewState.DRAFT)
                if post.asset.kind == "article"
            ),
            None,
        )
        if first is None:
            return []
        for slot in slots.of_week(crew.calendar, monday):
            if slot.place.pool_id != first.pool_id or slot.place.on <= first.wall_date:
                continue
            with step_at(moment - timedelta(hours=2)):
                post = _try(crew, first.asset_id, slot)
            if post is not None:
                return [post.id]
    return []


def _try(crew: Team, asset_id: int, slot: Slot) -> Post | None:
    place = slot.place
    try:
        return posts.create(
            calendar=crew.calendar,
            pool=pools.get(place.pool_id),
            account=accounts.get(place.account_id),
            asset=assets.get(asset_id),
            wall_date=place.on,
            wall_time=place.at,
            by=crew.planners[1],
        )
    except Invalid:
        return None  # the place is taken


def _placed(crew: Team, extra: Extra, due: datetime, *, step: timedelta) -> Post | None:
    """A draft at the wanted minute or the nearest free one after (or before) it."""
    pool, account = pools.by_slug(extra.pool), accounts.by_slug(extra.account)
    if pool is None or account is None:
        raise LookupError(f"the demo world lacks {extra.account} or {extra.pool}")
    zone = crew.moment(date(2026, 1, 1), time()).tzinfo
    local = due.astimezone(zone).replace(second=0, microsecond=0)
    local -= timedelta(minutes=local.minute % 5)
    choice = crew.planner.choose(
        pool=pool.slug, stage=pool.stage.slug, theme=extra.theme, on=local.date()
    )
    for number in range(ATTEMPTS):
        wanted = local + number * step
        try:
            return posts.create(
                calendar=crew.calendar,
                pool=pool,
                account=account,
                asset=assets.get(choice.id),
                wall_date=wanted.date(),
                wall_time=wanted.time(),
                text=crew.planner.words(choice),
                by=crew.planners[0],
            )
        except Invalid as error:
            if error.problem.code != "slot_taken":
                raise
    return None
