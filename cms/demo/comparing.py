"""Lays the planted truth beside what the model found, so that anyone can check the learning."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cms.core.db import session
from cms.demo import responses, truth
from content_library.models import Tag
from feedback import model_runs
from feedback.models import Suggestion, TagEffect

ALL_STAGES = "all"


@dataclass(frozen=True)
class Compared:
    """One tag and outcome: the planted effect on the log scale, and the model's lift with its interval."""

    tag: str
    outcome: str
    planted: float
    lift: float
    low: float
    high: float
    is_significant: bool


@dataclass(frozen=True)
class Hidden:
    """A tag an asset really has but does not carry, and what the model makes of it."""

    asset: str
    tag: str
    probability: float | None
    state: str


def effects() -> list[Compared]:
    """Every effect of the newest run, the strongest planted first."""
    run = model_runs.latest()
    if run is None:
        return []
    planted = truth.load()
    rows = session.execute(
        select(TagEffect, Tag.slug)
        .join(Tag, Tag.id == TagEffect.tag_id)
        .where(TagEffect.run_id == run.id)
    )
    strongest: dict[tuple[str, str], Compared] = {}
    for effect, slug in rows:
        known = strongest.get((slug, effect.outcome))
        # Of the stage groups, the one with the narrowest interval speaks for the tag.
        if known is not None and known.high / known.low <= effect.high / effect.low:
            continue
        strongest[slug, effect.outcome] = Compared(
            slug,
            effect.outcome,
            planted.tags.get(slug, {}).get(effect.outcome, 0.0),
            effect.lift,
            effect.low,
            effect.high,
            effect.is_significant,
        )
    return sorted(strongest.values(), key=lambda one: (one.outcome, -one.planted, one.tag))


def hidden() -> list[Hidden]:
    """Each hidden tag and the newest suggestion about it, if any."""
    found = []
    for name, slugs in truth.load().hidden.items():
        asset = responses.asset_named(name)
        for slug in slugs:
            suggestion = _suggestion(asset.id, slug) if asset else None
            found.append(
                Hidden(
                    asset.title if asset else name,
                    slug,
                    suggestion.probability if suggestion else None,
                    suggestion.state.value if suggestion else "",
                )
            )
    return found


def false_suggestions() -> list[Suggestion]:
    """Suggested additions that the truth does not know."""
    planted = truth.load()
    known = {
        (asset.id, slug)
        for name, slugs in planted.hidden.items()
        if (asset := responses.asset_named(name))
        for slug in slugs
    }
    additions = session.scalars(
        select(Suggestion).where(Suggestion.action == "add").options(joinedload(Suggestion.tag))
    )
    return [one for one in additions if (one.asset_id, one.tag.slug) not in known]


def _suggestion(asset_id: int, slug: str) -> Suggestion | None:
    return session.scalar(
        select(Suggestion)
        .join(Tag, Tag.id == Suggestion.tag_id)
        .where(Suggestion.asset_id == asset_id, Tag.slug == slug, Suggestion.action == "add")
        .order_by(Suggestion.id.desc())
        .limit(1)
    )
