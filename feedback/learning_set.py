"""What the model learns from: past publications as deliveries, with what is known of their assets' tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import func, select

from audience.models import Pool, Stage, StageGroup
from cms.core.clock import now
from cms.core.db import session
from content_library.models import AssetTag, Tag, TagChange, TagGroup, TagSource
from content_library.vocabulary import STAGE_GROUP
from feedback.models import Event, Rollup, Suggestion, SuggestionState
from feedback.statistics.joint_model import Deliveries, Sizes
from feedback.statistics.maturation import Maturation, learn_maturation
from schedules.models import ChannelAccount, Post, Publication
from schedules.states import LIVE_TO_READERS

OUTCOMES = ("click", "collect", "comment")
LOOKS_BACK = timedelta(days=180)
HORIZON_DAYS = 14.0
MOST_DELAYS = 20_000
AGAIN_AT = 2.0
"""A suggestion that was refused may come back once the asset was shown this many times as often."""

GROUPS = tuple(StageGroup)


@dataclass(frozen=True)
class LearningSet:
    """Placements, responses and tags as tables; positions lead back to ids."""

    rows: Sequence[Any]
    asset_ids: list[int]
    tag_ids: list[int]
    tags: Any  # assets × tags, a fraction is a confidence
    responses: dict[str, Any]
    maturations: dict[str, Maturation]

    def deliveries(self, outcome: str) -> Deliveries | None:
        """One outcome's deliveries old enough to be read; None when there are none."""
        n, is_old_enough = self.maturations[outcome].effective(
            [row.reach for row in self.rows], [_age_days(row) for row in self.rows]
        )
        usable = is_old_enough & (n > 0)
        if not usable.any():
            return None
        channels = _positions([f"{row.channel}/{row.pool_kind}" for row in self.rows])
        slots = _positions([row.wall_time.hour for row in self.rows])
        stages = _positions([row.stage_id for row in self.rows])
        asset_at = {asset_id: place for place, asset_id in enumerate(self.asset_ids)}
        sizes = Sizes(
            channels=int(channels.max()) + 1,
            slots=int(slots.max()) + 1,
            stages=int(stages.max()) + 1,
            groups=len(GROUPS),
        )
        return Deliveries(
            y=self.responses[outcome][usable],
            n=n[usable],
            channel=channels[usable],
            slot=slots[usable],
            stage=stages[usable],
            stage_group=np.array([GROUPS.index(row.group) for row in self.rows])[usable],
            asset=np.array([asset_at[row.asset_id] for row in self.rows])[usable],
            tags=self.tags,
            sizes=sizes,
        )


def gather() -> LearningSet | None:
    """Everything published lately; None when nothing with readers was."""
    rows = _rows()
    if not rows:
        return None
    asset_ids = sorted({row.asset_id for row in rows})
    tag_ids = _tag_ids()
    return LearningSet(
        rows=rows,
        asset_ids=asset_ids,
        tag_ids=tag_ids,
        tags=_tag_table(asset_ids, tag_ids),
        responses=_responses([row.id for row in rows]),
        maturations={outcome: _maturation(outcome) for outcome in OUTCOMES},
    )


def decided(found: LearningSet) -> Any:
    """Where a person has spoken for or against a tag, so that no model may."""
    table = np.zeros((len(found.asset_ids), len(found.tag_ids)), dtype=np.bool_)
    asset_at = {asset_id: place for place, asset_id in enumerate(found.asset_ids)}
    tag_at = {tag_id: place for place, tag_id in enumerate(found.tag_ids)}
    for asset_id, tag_id in _spoken(found):
        if asset_id in asset_at and tag_id in tag_at:
            table[asset_at[asset_id], tag_at[tag_id]] = True
    return table


def _rows() -> Sequence[Any]:
    at = func.coalesce(Publication.published_at, Publication.due_at)
    return session.execute(
        select(
            Publication.id,
            Publication.reach,
            at.label("live_at"),
            Post.asset_id,
            Post.wall_time,
            ChannelAccount.channel,
            Pool.kind.label("pool_kind"),
            Pool.stage_id,
            Stage.group,
        )
        .join(Post, Post.id == Publication.post_id)
        .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
        .join(Pool, Pool.id == Publication.pool_id)
        .join(Stage, Stage.id == Pool.stage_id)
        .where(
            Publication.state.in_(LIVE_TO_READERS),
            Publication.reach > 0,
            at > now() - LOOKS_BACK,
        )
        .order_by(Publication.id)
    ).all()


def _tag_ids() -> list[int]:
    """All tags but those that mirror stages: the stage is in the model by itself."""
    found = (
        select(Tag.id)
        .join(Tag.group)
        .where(Tag.is_active, TagGroup.slug != STAGE_GROUP)
        .order_by(Tag.id)
    )
    return list(session.scalars(found))


def _tag_table(asset_ids: list[int], tag_ids: list[int]) -> Any:
    table = np.zeros((len(asset_ids), len(tag_ids)))
    asset_at = {asset_id: place for place, asset_id in enumerate(asset_ids)}
    tag_at = {tag_id: place for place, tag_id in enumerate(tag_ids)}
    for link in session.scalars(select(AssetTag).where(AssetTag.asset_id.in_(asset_ids))):
        if link.tag_id in tag_at:
            table[asset_at[link.asset_id], tag_at[link.tag_id]] = link.confidence
    return table


def _responses(publication_ids: list[int]) -> dict[str, Any]:
    place = {publication_id: n for n, publication_id in enumerate(publication_ids)}
    found = {outcome: np.zeros(len(place)) for outcome in OUTCOMES}
    rows = session.execute(
        select(Rollup.publication_id, Rollup.kind, func.sum(Rollup.counted))
        .where(Rollup.kind.in_(OUTCOMES), Rollup.publication_id.in_(publication_ids))
        .group_by(Rollup.publication_id, Rollup.kind)
    )
    for publication_id, kind, counted in rows:
        found[kind][place[publication_id]] = float(counted)
    return found


def _maturation(outcome: str) -> Maturation:
    """How late responses come, from the newest of those whose time is over."""
    moment = now()
    rows = session.execute(
        select(Event.effective_at, Publication.published_at)
        .join(Publication, Publication.id == Event.publication_id)
        .where(
            Event.kind == outcome,
            Event.is_counted,
            Publication.published_at.is_not(None),
            Publication.published_at > moment - LOOKS_BACK,
            Publication.published_at < moment - timedelta(days=HORIZON_DAYS),
        )
        .order_by(Event.id.desc())
        .limit(MOST_DELAYS)
    ).all()
    timed = [(at, live) for at, live in rows if live is not None]
    delays = [max(0.0, (at - live).total_seconds() / 86_400) for at, live in timed]
    ages = [(moment - live).total_seconds() / 86_400 for _at, live in timed]
    return learn_maturation(delays, ages, horizon=HORIZON_DAYS)


def _spoken(found: LearningSet) -> set[tuple[int, int]]:
    by_hand = session.execute(
        select(AssetTag.asset_id, AssetTag.tag_id).where(AssetTag.source == TagSource.HUMAN)
    )
    # Also what a person once took away or put back; an undo leaves the question to people too.
    changed = session.execute(
        select(TagChange.asset_id, TagChange.tag_id)
        .where(TagChange.source == TagSource.HUMAN)
        .distinct()
    )
    answered = session.scalars(
        select(Suggestion).where(
            Suggestion.state.in_(
                (SuggestionState.ACCEPTED, SuggestionState.REJECTED, SuggestionState.UNDONE)
            )
        )
    )
    shown: dict[int, int] = {}
    for row in found.rows:
        shown[row.asset_id] = shown.get(row.asset_id, 0) + row.reach
    closed = {(one.asset_id, one.tag_id) for one in answered if not _may_return(one, shown)}
    return {(row[0], row[1]) for row in by_hand} | {(row[0], row[1]) for row in changed} | closed


def _may_return(suggestion: Suggestion, shown: dict[int, int]) -> bool:
    """A refusal stands at its level of evidence; much more of it may ask once again."""
    if suggestion.state is not SuggestionState.REJECTED:
        return False
    then = float(suggestion.evidence.get("shown", 0))
    return bool(then) and shown.get(suggestion.asset_id, 0) >= AGAIN_AT * then


def _positions(values: list[Any]) -> Any:
    known = {value: place for place, value in enumerate(sorted(set(values), key=str))}
    return np.array([known[value] for value in values])


def _age_days(row: Any) -> float:
    return float(max(0.0, (now() - row.live_at).total_seconds() / 86_400))
