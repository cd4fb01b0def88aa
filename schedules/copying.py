"""Copying a week: the same wall times, pools and words a week later, as new drafts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.db import session
from cms.core.errors import Invalid, invalid
from cms.core.i18n import N_
from content_library.versions import current
from schedules import placing, posts, wording
from schedules.models import Calendar, Post
from schedules.placing import Wish
from schedules.posts import Refusal
from schedules.wall_time import monday_of


@dataclass(frozen=True)
class Copied:
    """One post that is, or would be, copied. `is_newer`: the asset has a newer version by now."""

    source: Post
    on: date
    is_newer: bool
    made: Post | None = None


@dataclass
class CopyReport:
    """What a copy did, or would do, post by post."""

    copied: list[Copied] = field(default_factory=list)
    skipped: list[Refusal] = field(default_factory=list)


def copy_week(
    calendar: Calendar, from_monday: date, to_monday: date, by: User | None
) -> CopyReport:
    """Copy every post that has room there; the others are told with their reasons."""
    report = _each(calendar, from_monday, to_monday, lambda post, on: _copy(post, on, by))
    if report.copied:
        audit.record(
            "calendar.week_copied",
            calendar,
            by=by,
            source=from_monday.isoformat(),
            target=to_monday.isoformat(),
            copied=len(report.copied),
            skipped=len(report.skipped),
        )
    return report


def preview(calendar: Calendar, from_monday: date, to_monday: date) -> CopyReport:
    """What `copy_week` would do now; changes nothing."""
    return _each(calendar, from_monday, to_monday, _foresee)


def _each(
    calendar: Calendar,
    from_monday: date,
    to_monday: date,
    act: Callable[[Post, date], Post | None],
) -> CopyReport:
    _check_weeks(from_monday, to_monday)
    report = CopyReport()
    for post in session.scalars(posts.of_week(calendar, from_monday)).all():
        on = post.wall_date + (to_monday - from_monday)
        try:
            made = act(post, on)
        except Invalid as error:
            report.skipped.append(Refusal(post, error.problem))
            continue
        is_newer = post.version.number < post.asset.latest_number
        report.copied.append(Copied(post, on, is_newer, made))
    return report


def _foresee(post: Post, on: date) -> None:
    placing.settle(_wish(post, on), post.asset)


def _copy(post: Post, on: date, by: User | None) -> Post:
    """Words written for the post go along; words taken from the asset come from its newest version."""
    is_own_wording = post.text != wording.words_of(post.version)
    is_same_version = post.version.number == post.asset.latest_number
    with session.begin_nested():  # one that finds no room leaves the others alone
        return posts.create(
            calendar=post.calendar,
            pool=post.pool,
            account=post.account,
            asset=post.asset,
            wall_date=on,
            wall_time=post.wall_time,
            text=post.text if is_own_wording else wording.words_of(current(post.asset)),
            media_ids=post.media_ids if is_same_version else None,
            copied_from=post,
            by=by,
        )


def _wish(post: Post, on: date) -> Wish:
    return Wish(post.calendar, post.pool, post.account, on, post.wall_time)


def _check_weeks(from_monday: date, to_monday: date) -> None:
    is_week = all(monday_of(day) == day for day in (from_monday, to_monday))
    if not is_week or abs(to_monday - from_monday) < timedelta(days=7):
        raise invalid("week", "bad_week", N_("Choose two different weeks, each by its Monday."))
