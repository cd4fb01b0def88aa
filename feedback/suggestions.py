"""Suggestions: proposed tag changes that only a person applies, refuses or takes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, conflict
from cms.core.i18n import N_
from content_library import tags
from content_library.models import Tag, TagChange, TagSource
from feedback.models import ModelRun, Suggestion, SuggestionState

ADD, REMOVE = "add", "remove"


@dataclass(frozen=True)
class Proposed:
    """One change that a run proposes, with its evidence in plain numbers."""

    asset_id: int
    tag_id: int
    action: str
    probability: float
    evidence: dict[str, Any]


def get(suggestion_id: int) -> Suggestion:
    """The suggestion of that number; raises NotFound."""
    suggestion = session.get(Suggestion, suggestion_id)
    if suggestion is None:
        raise NotFound("suggestion")
    return suggestion


def in_state(state: SuggestionState) -> Select[Suggestion]:
    """Suggestions in that state: open ones the surest first, decided ones the newest first."""
    rows = (
        select(Suggestion)
        .where(Suggestion.state == state)
        .options(
            joinedload(Suggestion.asset),
            joinedload(Suggestion.tag).joinedload(Tag.group),
            joinedload(Suggestion.decided_by),
            joinedload(Suggestion.run),
        )
    )
    if state is SuggestionState.OPEN:
        return rows.order_by(Suggestion.probability.desc(), Suggestion.id)
    return rows.order_by(Suggestion.decided_at.desc().nulls_last(), Suggestion.id.desc())


def counts() -> dict[SuggestionState, int]:
    """How many stand in each state."""
    rows = session.execute(select(Suggestion.state, func.count()).group_by(Suggestion.state))
    return dict.fromkeys(SuggestionState, 0) | {state: number for state, number in rows}


def open_for(asset_id: int) -> list[Suggestion]:
    """What is proposed for an asset now."""
    return list(
        session.scalars(in_state(SuggestionState.OPEN).where(Suggestion.asset_id == asset_id))
    )


def rivals(suggestions: Sequence[Suggestion]) -> dict[int, Tag]:
    """The tags that these suggestions name as other explanations, in one query."""
    wanted = {int(one["tag_id"]) for s in suggestions for one in s.evidence.get("rivals", ())}
    if not wanted:
        return {}
    return {tag.id: tag for tag in session.scalars(select(Tag).where(Tag.id.in_(wanted)))}


def replace_open(run: ModelRun, proposed: Sequence[Proposed]) -> dict[str, int]:
    """Bring what is open in line with a new run; what is no longer proposed is outdated."""
    found = session.scalars(select(Suggestion).where(Suggestion.state == SuggestionState.OPEN))
    standing = {(one.asset_id, one.tag_id, one.action): one for one in found}
    made = renewed = 0
    for one in proposed:
        known = standing.pop((one.asset_id, one.tag_id, one.action), None)
        if known is None:
            session.add(_new(run, one))
            made += 1
        else:
            known.probability, known.evidence = one.probability, one.evidence
            known.run_id = run.id
            renewed += 1
    for gone in standing.values():
        gone.state, gone.decided_at = SuggestionState.OUTDATED, now()
    session.flush()
    return {"made": made, "renewed": renewed, "outdated": len(standing)}


def accept(suggestion: Suggestion, *, by: User) -> TagChange:
    """Change the tag as proposed. Raises Conflict when decided, or when the tag has changed since."""
    _must_be(suggestion, SuggestionState.OPEN)
    asset, tag, evidence = suggestion.asset, suggestion.tag, dict(suggestion.evidence)
    evidence["suggestion"] = suggestion.id
    if suggestion.action == ADD:
        change = tags.apply(
            asset,
            tag,
            source=TagSource.FEEDBACK,
            confidence=suggestion.probability,
            evidence=evidence,
            by=by,
            model_version=suggestion.run.version,
        )
    else:
        change = tags.withdraw(
            asset,
            tag,
            source=TagSource.FEEDBACK,
            evidence=evidence,
            by=by,
            model_version=suggestion.run.version,
        )
    if change is None:
        raise conflict(
            "changed_meanwhile",
            N_("Somebody has decided about this tag meanwhile. Nothing was changed."),
        )
    suggestion.change_id = change.id
    _decide(suggestion, SuggestionState.ACCEPTED, by)
    return change


def reject(suggestion: Suggestion, *, by: User) -> None:
    """Refuse; it is not proposed again until there is far more evidence."""
    _must_be(suggestion, SuggestionState.OPEN)
    _decide(suggestion, SuggestionState.REJECTED, by)


def undo(suggestion: Suggestion, *, by: User) -> None:
    """Put the tag back exactly as it was before it was accepted; raises Conflict when that is past."""
    _must_be(suggestion, SuggestionState.ACCEPTED)
    if suggestion.change_id is None:
        raise NotFound("tag change")
    tags.undo(tags.change(suggestion.change_id), by=by)
    _decide(suggestion, SuggestionState.UNDONE, by)


def _new(run: ModelRun, one: Proposed) -> Suggestion:
    return Suggestion(
        asset_id=one.asset_id,
        tag_id=one.tag_id,
        action=one.action,
        probability=one.probability,
        evidence=one.evidence,
        run_id=run.id,
        created_at=now(),
    )


def _must_be(suggestion: Suggestion, state: SuggestionState) -> None:
    """The row is read again and held, so that two people cannot both decide."""
    session.refresh(suggestion, with_for_update=True)
    if suggestion.state is not state:
        raise conflict("already_decided", N_("Somebody has decided this suggestion already."))


def _decide(suggestion: Suggestion, state: SuggestionState, by: User) -> None:
    suggestion.state, suggestion.decided_by_id, suggestion.decided_at = state, by.id, now()
    audit.record(
        f"suggestion.{state.value}",
        suggestion,
        by=by,
        asset=suggestion.asset_id,
        tag=suggestion.tag.slug,
        change=suggestion.action,
    )
