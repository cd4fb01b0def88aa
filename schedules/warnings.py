"""What a planner should know before it happens: gaps, repeats, overload, wrong stage, unready assets."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from cms.core.errors import Problem
from cms.core.i18n import N_
from content_library.models import AssetStatus

REPEAT_WITHIN = timedelta(days=7)
SELLING = frozenset({"promotion", "promotions"})  # slugs of the theme that asks for money
SELLING_PER_WEEK = 2


class Fix(StrEnum):
    """What helps against a warning: the screen that does it is the edge's affair."""

    PLAN = "plan"
    SWAP = "swap"
    MOVE = "move"
    FINISH = "finish"
    RENEW = "renew"
    ACCOUNT = "account"
    LIFT = "lift"
    LOOK = "look"


@dataclass(frozen=True)
class Caution:
    """One warning: its code and words, and what would help."""

    problem: Problem
    fix: Fix


@dataclass(frozen=True)
class Standing:
    """What the warnings need to know of one post."""

    post_id: int
    asset_id: int
    pool_id: int
    stage_id: int
    on: date
    at: time
    instant: datetime
    themes: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()  # the stages its asset is meant for; empty: any
    status: AssetStatus = AssetStatus.READY
    valid_until: date | None = None
    is_outdated: bool = False  # the asset has a newer version
    is_settled: bool = False  # it went out, or goes out now: nothing can be mended


def of_posts(
    week: Sequence[Standing], earlier: Iterable[Standing], stages: Mapping[int, str]
) -> dict[int, list[Caution]]:
    """The warnings of every post of a week. `earlier` are the posts that a repeat looks back to;
    `stages` gives each stage's slug."""
    found: dict[int, list[Caution]] = defaultdict(list)
    open_ones = [one for one in week if not one.is_settled]
    repeats = _repeats([*earlier, *week])
    crowd = _too_many(week)
    for one in open_ones:
        if one.post_id in repeats:
            found[one.post_id].append(_repeated(one, repeats[one.post_id]))
        if one.post_id in crowd:
            found[one.post_id].append(_OVERLOAD)
        found[one.post_id] += _of_asset(one, stages.get(one.stage_id, ""))
    return dict(found)


def of_cell(*, slots: int, free: int, has_posts: bool) -> Caution | None:
    """A day on which a stage has slots ahead and nothing is planned in any."""
    if has_posts or not free or not slots:
        return None
    return Caution(Problem("gap", N_("Nothing planned")), Fix.PLAN)


OUTDATED = Caution(
    Problem("asset_newer", N_("The asset has a newer version than this post.")), Fix.RENEW
)
_OVERLOAD = Caution(
    Problem(
        "overload",
        N_("More than %(most)s promotions a week wear this stage out."),
        {"most": SELLING_PER_WEEK},
    ),
    Fix.MOVE,
)


def _repeated(one: Standing, before: Standing) -> Caution:
    days = (one.on - before.on).days
    if days == 0:
        words = N_("The same asset goes to this pool earlier that day.")
    elif days == 1:
        words = N_("The same asset went to this stage the day before, on %(day)s.")
    else:
        words = N_("The same asset went to this stage on %(day)s, %(days)s days before.")
    return Caution(
        Problem("repeated", words, {"day": before.on.isoformat(), "days": days}), Fix.SWAP
    )


def _repeats(posts: Sequence[Standing]) -> dict[int, Standing]:
    """For each post that repeats: the nearest earlier one. Two pools on one day are no repeat."""
    found: dict[int, Standing] = {}
    last: dict[tuple[int, int], list[Standing]] = defaultdict(list)
    for one in sorted(posts, key=lambda post: (post.instant, post.post_id)):
        key = (one.asset_id, one.stage_id)
        for before in reversed(last[key]):
            if one.instant - before.instant > REPEAT_WITHIN:
                break
            if before.on != one.on or before.pool_id == one.pool_id:
                found[one.post_id] = before
                break
        last[key].append(one)
    return found


def _too_many(week: Sequence[Standing]) -> set[int]:
    """The promotions of each stage after its first few."""
    selling: dict[int, list[Standing]] = defaultdict(list)
    for one in sorted(week, key=lambda post: (post.instant, post.post_id)):
        if one.themes & SELLING:
            selling[one.stage_id].append(one)
    return {one.post_id for posts in selling.values() for one in posts[SELLING_PER_WEEK:]}


def _of_asset(one: Standing, stage: str) -> list[Caution]:
    found = []
    if one.stages and stage not in one.stages:
        words = N_("The asset is meant for other stages.")
        found.append(Caution(Problem("wrong_stage", words), Fix.SWAP))
    if one.status is AssetStatus.DRAFT:
        words = N_("The asset is still a draft; nothing goes out until it is ready.")
        found.append(Caution(Problem("asset_not_ready", words), Fix.FINISH))
    if one.status is AssetStatus.RETIRED:
        words = N_("The asset has been retired.")
        found.append(Caution(Problem("asset_retired", words), Fix.SWAP))
    if one.valid_until and one.valid_until < one.on:
        words = N_("The asset may be used until %(day)s only.")
        told = Problem("asset_expired", words, {"day": one.valid_until.isoformat()})
        found.append(Caution(told, Fix.SWAP))
    if one.is_outdated:
        found.append(OUTDATED)
    return found
